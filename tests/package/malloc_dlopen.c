/* SPDX-License-Identifier: MIT */
/* Opens libouro-malloc.so beside libc's malloc, allocates from both on several threads, closes it
 * while a thread that used it runs, and forks. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *(*take)(size_t);
static void (*give)(void *);
static pthread_barrier_t used, closed;

static void *use(void *arg)
{
    void *blocks[100];
    for (int i = 0; i < 100; i++) {
        blocks[i] = take((size_t)i * 100);
        memset(blocks[i], 1, (size_t)i * 100);
        free(malloc((size_t)i * 100));
    }
    for (int i = 0; i < 100; i++)
        give(blocks[i]);
    return arg;
}

static void *outlive(void *arg)
{
    use(arg);
    pthread_barrier_wait(&used);
    pthread_barrier_wait(&closed);
    return arg;
}

static int run(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        puts(dlerror());
        return 1;
    }
    take = (void *(*)(size_t))dlsym(library, "malloc");
    give = (void (*)(void *))dlsym(library, "free");
    if (!take || !give || take == malloc)
        return 1;
    pthread_t threads[4], last;
    for (int i = 0; i < 4; i++) {
        if (pthread_create(&threads[i], NULL, use, NULL) != 0)
            return 1;
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_init(&used, NULL, 2);
    pthread_barrier_init(&closed, NULL, 2);
    if (pthread_create(&last, NULL, outlive, NULL) != 0)
        return 1;
    pthread_barrier_wait(&used);
    int failed = dlclose(library), status = -1;
    pid_t child = fork();
    if (child == 0) {
        use(NULL);
        _exit(0);
    }
    waitpid(child, &status, 0);
    pthread_barrier_wait(&closed);
    return pthread_join(last, NULL) != 0 || failed || status != 0;
}

int main(int argc, char **argv)
{
    return argc != 2 || run(argv[1]) || run(argv[1]);
}
