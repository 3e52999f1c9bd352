/* SPDX-License-Identifier: MIT */
/* run.h: what the ways to run a cell have in common. */
#ifndef OURO_BENCH_RUN_H
#define OURO_BENCH_RUN_H

#include "bench/driver/plan.h"

/* The cell has failed; the first reason counts. */
__attribute__((format(printf, 2, 3))) void run_fail(struct cell *cell, const char *format, ...);

/* Every variant of a workload must compute the same; "0" tells nothing. */
void run_compare(const struct plan *plan, struct cell *cell, const char *check);

#endif
