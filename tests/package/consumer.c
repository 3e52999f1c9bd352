/* SPDX-License-Identifier: MIT */
/* A program that uses Ouro as an installed or embedded library. Compiled as C and as C++. */
#include <ouro.h>

#include <stdio.h>
#include <string.h>

/* Blocks through the inlined path and through calls. */
static int blocks_work(void)
{
    for (int i = 0; i < 100; i++) {
        char *inlined = (char *)ouro_alloc_sized(48);
        char *called = (char *)ouro_malloc(100000);
        if (!inlined || !called || ouro_usable_size(called) < 100000)
            return 0;
        memset(inlined, i, 48);
        memset(called, i, 100000);
        ouro_free_sized(inlined, 48);
        ouro_free(called);
    }
    return 1;
}

int main(void)
{
    printf("linked %s, compiled against %s\n", ouro_version(), OURO_VERSION);
    return strcmp(ouro_version(), OURO_VERSION) == 0 && blocks_work() ? 0 : 1;
}
