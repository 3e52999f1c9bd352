/* SPDX-License-Identifier: MIT */
/* suite_malloc.h: what the files of the suite `malloc` share. */
#ifndef OURO_BENCH_SUITE_MALLOC_H
#define OURO_BENCH_SUITE_MALLOC_H

#include "bench/driver/plan.h"

/* Flags of its workloads. */
enum {
    MALLOC_TWO = 1u << 0,   /* two threads */
    MALLOC_KERNEL = 1u << 1 /* of malloc and free alone */
};

extern const struct workload malloc_workloads[];
extern const char *const malloc_claim_names[];

/* The cell of a workload on an allocator, or NULL. */
const struct cell *malloc_cell(const struct plan *plan, const char *workload,
                               const char *allocator);

void malloc_claims(const struct plan *plan, struct claims *claims);
int malloc_plot(const struct plan *plan, const char *file);

#endif
