/* SPDX-License-Identifier: MIT */
/* White-box: includes a header internal to alloc. The prefixed jemalloc and the program's malloc
 * are two allocators: jemalloc counts what it gave out, and a malloc does not move that count. */
#include "alloc/jemalloc_prefix.h"

#include <stdio.h>
#include <stdlib.h>

static size_t allocated_by_jemalloc(void)
{
    uint64_t epoch = 1;
    size_t bytes = 0, size = sizeof bytes;
    ouro_je_mallctl("epoch", NULL, NULL, &epoch, sizeof epoch);
    if (ouro_je_mallctl("stats.allocated", &bytes, &size, NULL, 0) != 0) {
        puts("this jemalloc keeps no statistics");
        exit(77);
    }
    return bytes;
}

int main(void)
{
    enum { BIG = 8 << 20 };
    size_t at_start = allocated_by_jemalloc();
    void *volatile ours = malloc(BIG);
    size_t after_malloc = allocated_by_jemalloc();
    void *theirs = ouro_je_mallocx(BIG, 0);
    size_t after_mallocx = allocated_by_jemalloc();
    ouro_je_sdallocx(theirs, BIG, 0);
    free(ours);
    printf("at start %zu, after malloc %zu, after mallocx %zu\n", at_start, after_malloc,
           after_mallocx);
    return after_malloc - at_start < BIG && after_mallocx - after_malloc >= BIG ? 0 : 1;
}
