/* SPDX-License-Identifier: MIT */
/* turns.h: two ways to do the same work, beside each other in one process, by short turns. */
#ifndef OURO_BENCH_TURNS_H
#define OURO_BENCH_TURNS_H

#include "bench/bench.h"

#define TURNS_MAX 101

/* Does about n operations, computes *check from them, and returns the nanoseconds. */
typedef double bench_turn(size_t n, uint64_t *check);

/* Runs `ours` and `base` by turns of n operations each; the median turn of each counts. What they
 * compute must be the same. Returns the nanoseconds of n of our operations. */
double bench_by_turns(struct bench_run *run, bench_turn *ours, bench_turn *base, size_t n);

/* The same with BENCH_PARTS others beside them, whose nanoseconds become those of run->part_ns. Of
 * `base` and `part` each may be NULL: there is none. */
double bench_all_by_turns(struct bench_run *run, bench_turn *ours, bench_turn *base,
                          bench_turn *const part[BENCH_PARTS], size_t n);

/* The same by so many turns (TURNS_MAX at most), for operations that take seconds. */
double bench_few_by_turns(struct bench_run *run, bench_turn *ours, bench_turn *base,
                          bench_turn *const part[BENCH_PARTS], size_t n, unsigned turns);

/* Sorts v. */
double bench_median(double *v, size_t n);

#endif
