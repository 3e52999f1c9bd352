/* SPDX-License-Identifier: MIT */
/* suite_isolate.h: what the files of the suite `isolate` share. */
#ifndef OURO_BENCH_SUITE_ISOLATE_H
#define OURO_BENCH_SUITE_ISOLATE_H

#include "bench/driver/plan.h"

/* What a workload is measured beside, by its worker, and the claim that it makes. */
struct isolate_about {
    struct isolate_beside {
        const char *program; /* as the report has it; NULL: there is none */
        const char *counts, *allocator;
    } base, part[3];
    const char *claim; /* that the ratio to the base is at most so much, or NULL */
    double at_most;
};

extern const struct workload isolate_workloads[];
const struct isolate_about *isolate_about(const struct workload *workload);

/* Ours over the base of the same workload. */
struct stats_ratio isolate_ratio(const struct plan *plan, const struct workload *workload);

int isolate_plot(const struct plan *plan, const char *file);

#endif
