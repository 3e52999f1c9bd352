/* SPDX-License-Identifier: MIT */
/* malloc and free on one thread, in a program that has no other: pairs of one size in the order of
 * a stack and of a queue, and random sizes with ten thousand blocks alive. Each block is written
 * once, as a program would. Compiled without builtins, so that no pair is left out. */
#include "bench/workloads/malloc_sizes.h"

#include <stdlib.h>

#define PAIR_SIZE  32
#define QUEUE      1000
#define LIVE_COUNT 10000

static double repeat_lifo(struct bench_run *run)
{
    size_t n = run->ops = run->quick ? 1000000 : 6000000;
    double start = malloc_thread_now();
    for (size_t i = 0; i < n; i++) {
        size_t *p = malloc_or_die(PAIR_SIZE);
        *p = i;
        free(p);
    }
    return malloc_thread_now() - start;
}

static double repeat_fifo(struct bench_run *run)
{
    static void *queue[QUEUE];
    size_t rounds = run->quick ? 500 : 4000;
    run->ops = rounds * QUEUE;
    double start = malloc_thread_now();
    for (size_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < QUEUE; i++) {
            size_t *p = malloc_or_die(PAIR_SIZE);
            *p = i;
            queue[i] = p;
        }
        for (size_t i = 0; i < QUEUE; i++)
            free(queue[i]);
    }
    return malloc_thread_now() - start;
}

static void setup_random(struct bench_run *run)
{
    run->state = malloc_sizes_make(1, LIVE_COUNT, MALLOC_SIZE_MIN, MALLOC_SIZE_MAX);
}

static double repeat_random(struct bench_run *run)
{
    static void *live[LIVE_COUNT];
    size_t n = run->ops = run->quick ? 300000 : 2000000;
    double start = malloc_thread_now();
    run->check = malloc_replace(live, run->state, n);
    double ns = malloc_thread_now() - start;
    malloc_clear(live, LIVE_COUNT);
    return ns;
}

static void end_random(struct bench_run *run)
{
    free(run->state);
}

const struct bench_workload work_lifo = {.name = "lifo", .repeat = repeat_lifo};
const struct bench_workload work_fifo = {.name = "fifo", .repeat = repeat_fifo};
const struct bench_workload work_random = {
    .name = "random", .setup = setup_random, .repeat = repeat_random, .end = end_random};
