/* SPDX-License-Identifier: MIT */
/* suite_values.h: what the files of the suite `values` share. */
#ifndef OURO_BENCH_SUITE_VALUES_H
#define OURO_BENCH_SUITE_VALUES_H

#include "bench/driver/plan.h"

/* Flags of its workloads: the claim that a workload counts for. */
enum {
    VALUES_APPEND = 1u << 0,
    VALUES_STRING = 1u << 1,
    VALUES_FILTER = 1u << 2,
    VALUES_CONTEXT = 1u << 3,
    VALUES_REUSE = 1u << 4
};
#define VALUES_CLAIMS 5

/* A claim holds for the largest ratio of its workloads. */
struct values_claim {
    const char *name;
    double at_most;
    unsigned flag;
    const char *base;   /* what its workloads are compared with, as the report has it */
    const char *absent; /* why it has no workload, or NULL */
};

extern const struct workload values_workloads[];
extern const struct values_claim values_claim_of[VALUES_CLAIMS];

/* Ours over the base of the same workload. */
struct stats_ratio values_ratio(const struct plan *plan, const struct workload *workload);

int values_plot(const struct plan *plan, const char *file);

#endif
