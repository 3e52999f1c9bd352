/* SPDX-License-Identifier: MIT */
/* A program that links ouro::malloc and knows nothing else of Ouro: its malloc, and libc's own
 * allocations, are that library's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t malloc_usable_size(void *p);

/* Whether the function of that name that libc calls is the library's. */
static int is_ouros(const char *name)
{
    Dl_info info;
    void *function = dlsym(RTLD_DEFAULT, name);
    return function && dladdr(function, &info) && strstr(info.dli_fname, "libouro-malloc");
}

int main(void)
{
    char *text = strdup("a string that libc allocates");
    int good = text && malloc_usable_size(text) >= 29;
    free(text);
    for (size_t size = 1; size < 10000000; size *= 3) {
        char *p = calloc(1, size);
        good &= p && p[size - 1] == 0;
        free(p);
    }
    good &= is_ouros("malloc") && is_ouros("free") && is_ouros("_Znwm");
    puts(good ? "on libouro-malloc" : "not on libouro-malloc");
    return !good;
}
