/* SPDX-License-Identifier: MIT */
/* A plain C program that opens the library named by its argument, closes it, and opens it again. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int use(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        puts(dlerror());
        return 1;
    }
    const char *(*version)(void) = (const char *(*)(void))dlsym(library, "ouro_version");
    void *(*take)(size_t) = (void *(*)(size_t))dlsym(library, "ouro_malloc");
    void (*give)(void *) = (void (*)(void *))dlsym(library, "ouro_free");
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
    return dlclose(library) != 0;
}

int main(int argc, char **argv)
{
    return argc != 2 || use(argv[1]) || use(argv[1]);
}
