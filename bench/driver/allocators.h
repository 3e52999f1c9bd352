/* SPDX-License-Identifier: MIT */
/* allocators.h: the foreign mallocs that can be preloaded. */
#ifndef OURO_BENCH_ALLOCATORS_H
#define OURO_BENCH_ALLOCATORS_H

#include <stddef.h>

struct allocator {
    const char *name;       /* as --allocators and the reports have it */
    const char *package;    /* where Debian has it */
    const char *sonames[3]; /* tried in order; none: no preloading needed */
};

/* name NULL at the end. */
extern const struct allocator allocators[];

/* Where the library is, in static storage; NULL: not installed. */
const char *allocator_library(const struct allocator *allocator);

#endif
