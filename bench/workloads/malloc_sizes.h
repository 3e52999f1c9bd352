/* SPDX-License-Identifier: MIT */
/* malloc_sizes.h: random replacement of blocks, and the sizes it takes.
 *
 * Sizes are spread evenly over their logarithms: as many from 16 to 32 bytes as from 512 to 1024.
 * Sizes and places are drawn before anything is timed and read in order, for a generator costs as
 * much as an allocation. */
#ifndef OURO_BENCH_MALLOC_SIZES_H
#define OURO_BENCH_MALLOC_SIZES_H

#include "bench/bench.h"

#include <stdlib.h>

#define MALLOC_STEPS    (1u << 16) /* drawn; then they come again */
#define MALLOC_SIZE_MIN 16u
#define MALLOC_SIZE_MAX 1024u

struct malloc_step {
    uint16_t place, size;
};

/* MALLOC_STEPS of them, places below `places`; to be freed. */
struct malloc_step *malloc_sizes_make(uint64_t seed, uint32_t places, uint32_t min, uint32_t max);

/* Frees what is in a place and puts a new block there, n times; returns the sum of the sizes. */
uint64_t malloc_replace(void **live, const struct malloc_step *steps, size_t n);
void malloc_clear(void **live, size_t count); /* frees them all, and leaves NULL */

/* What one thread took: another program's turns on the processor are not in it. */
static inline double malloc_thread_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline void *malloc_or_die(size_t size)
{
    void *p = malloc(size);
    if (p == NULL)
        bench_die("no memory");
    return p;
}

#endif
