/* SPDX-License-Identifier: MIT */
/* allocators.h: the foreign mallocs that can be preloaded. */
#ifndef OURO_BENCH_ALLOCATORS_H
#define OURO_BENCH_ALLOCATORS_H

#include "bench/driver/plan.h"

struct allocator {
    const char *name;       /* as --allocators and the reports have it */
    const char *package;    /* where Debian has it */
    const char *sonames[3]; /* tried in order; none: no preloading needed */
};

/* name NULL at the end. */
extern const struct allocator allocators[];

/* Where the library is, in static storage; NULL: not installed. */
const char *allocator_library(const struct allocator *allocator);

/* Where libouro-malloc.so is, in static storage; NULL: it was not built. */
const char *allocator_ours(void);

/* Tells the plan which of those that are asked for are not installed. */
void allocators_tell_absent(struct plan *plan);

#endif
