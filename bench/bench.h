/* SPDX-License-Identifier: MIT */
/* bench.h: what a workload is to the worker that runs it.
 *
 * A worker is one process that runs one workload: setup once, then repetitions, each of which
 * times its own interesting part and returns the nanoseconds. The first repetition warms up and is
 * not counted; it may do costly checks. */
#ifndef OURO_BENCH_BENCH_H
#define OURO_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_PARTS 3

struct bench_run {
    /* Given. */
    bool quick;       /* small sizes, for a look or a test */
    bool warm_up;     /* the repetition that is not counted */
    unsigned threads; /* how many threads may run at once; 1 where threads are off */
    const char *dir;  /* the directory whose words are counted */
    /* Told by the workload. */
    size_t ops;                  /* operations of one repetition */
    uint64_t check;              /* what was computed; the same for every variant */
    double base_ns;              /* nanoseconds of the kernel that it was interleaved with, or 0 */
    double part_ns[BENCH_PARTS]; /* nanoseconds an operation of its parts, or of others that were
                                    interleaved with it, or 0 */
    long grown_kib;    /* what the peak of memory rose by once it was warm; -1: not told */
    const char *error; /* not NULL: the workload did not do what it should */
    void *state;       /* its own */
};

struct bench_workload {
    const char *name;
    void (*setup)(struct bench_run *run); /* may be NULL; also where run->ops is told */
    double (*repeat)(struct bench_run *run);
    void (*end)(struct bench_run *run); /* may be NULL */
    bool cold;                          /* no warm-up: long, and run once by its nature */
};

/* All workloads of a worker, NULL at the end. */
extern const struct bench_workload *const bench_workloads[];

/* What the worker calls itself, and whether a second thread may exist in it. */
extern const bool bench_threads_on;

static inline double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A full-period generator with good high bits; one multiplication a number. */
static inline uint32_t bench_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}
/* A number below `n`. */
static inline uint32_t bench_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(((uint64_t)bench_random(state) * n) >> 32);
}

/* What a spinning thread does. */
static inline void bench_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Ends the worker with a message: no memory, or a call that must not fail failed. */
__attribute__((noreturn, cold)) void bench_die(const char *what);

#ifdef __cplusplus
}
#endif

#endif
