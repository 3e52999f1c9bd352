/* SPDX-License-Identifier: MIT */
/* suite_threads.h: what the files of the suite `threads` share. */
#ifndef OURO_BENCH_SUITE_THREADS_H
#define OURO_BENCH_SUITE_THREADS_H

#include "bench/driver/plan.h"

#include <stdio.h>

/* Flags of its workloads. */
enum {
    THREADS_ONE = 1u << 0,  /* one thread; counts for threads_on_ratio_max */
    THREADS_PAIR = 1u << 1, /* two threads */
    COLD = 1u << 2,         /* one thread, with a bound of its own */
    MANY = 1u << 3,         /* all cores */
    PLAIN = 1u << 4,        /* also over foreign mallocs, with plain counts, .. */
    CXX = 1u << 5,          /* also in C++ */
    NIM = 1u << 6,          /* also in Nim; alone: only there */
    KERNEL = 1u << 7,       /* measured beside a kernel, in one process */
    TOUCH = 1u << 8,        /* the yardstick of absolute figures */
    ATOMIC = 1u << 9,       /* .. with atomic ones, */
    BIASED = 1u << 10       /* .. with biased ones */
};

extern const struct workload threads_workloads[];
extern const char *const threads_claim_names[];

void threads_claims(const struct plan *plan, struct claims *claims);
int threads_plot(const struct plan *plan, const char *file);

#endif
