/* SPDX-License-Identifier: MIT */
/* Sizes and replacement of malloc_sizes.h. */
#include "bench/workloads/malloc_sizes.h"

#include <math.h>

struct malloc_step *malloc_sizes_make(uint64_t seed, uint32_t places, uint32_t min, uint32_t max)
{
    struct malloc_step *steps = malloc_or_die(MALLOC_STEPS * sizeof *steps);
    double octaves = log2((double)max / min);
    for (size_t i = 0; i < MALLOC_STEPS; i++) {
        double at = bench_random(&seed) / 4294967296.0;
        steps[i].size = (uint16_t)(min * exp2(at * octaves) + 0.5);
        steps[i].place = (uint16_t)bench_below(&seed, places);
    }
    return steps;
}

uint64_t malloc_replace(void **live, const struct malloc_step *steps, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        struct malloc_step s = steps[i % MALLOC_STEPS];
        free(live[s.place]);
        size_t *p = malloc_or_die(s.size);
        *p = i;
        live[s.place] = p;
        sum += s.size;
    }
    return sum;
}

void malloc_clear(void **live, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(live[i]);
        live[i] = NULL;
    }
}
