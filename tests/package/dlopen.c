/* SPDX-License-Identifier: MIT */
/* A plain C program that opens the library named by its argument, closes it while a thread that
 * used it still runs, and opens it again. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void *(*take)(size_t);
static void (*give)(void *);
static pthread_barrier_t closed, used;

/* Ends, with all that the library wants done then, after it was closed. */
static void *outlive(void *arg)
{
    give(take(50));
    pthread_barrier_wait(&used);
    pthread_barrier_wait(&closed);
    return arg;
}

static int use(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        puts(dlerror());
        return 1;
    }
    const char *(*version)(void) = (const char *(*)(void))dlsym(library, "ouro_version");
    take = (void *(*)(size_t))dlsym(library, "ouro_malloc");
    give = (void (*)(void *))dlsym(library, "ouro_free");
    if (!version || !take || !give) {
        puts(dlerror());
        return 1;
    }
    void *block = take(100);
    if (!block)
        return 1;
    memset(block, 1, 100);
    give(block);
    printf("opened ouro %s\n", version());
    pthread_t thread;
    pthread_barrier_init(&used, NULL, 2);
    pthread_barrier_init(&closed, NULL, 2);
    if (pthread_create(&thread, NULL, outlive, NULL) != 0)
        return 1;
    pthread_barrier_wait(&used);
    int failed = dlclose(library);
    pthread_barrier_wait(&closed);
    return pthread_join(thread, NULL) != 0 || failed;
}

int main(int argc, char **argv)
{
    return argc != 2 || use(argv[1]) || use(argv[1]);
}
