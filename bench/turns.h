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

#endif
