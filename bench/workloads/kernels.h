/* SPDX-License-Identifier: MIT */
/* kernels.h: what the workloads append-*, concat and slice are measured against: the same work as a
 * good C programmer writes it by hand, on malloc. They are fixed: what Ouro does better shows as a
 * smaller ratio. Each does what the workload of its name says (append.c, concat.c). */
#ifndef OURO_BENCH_KERNELS_H
#define OURO_BENCH_KERNELS_H

#include "bench/turns.h"

bench_turn kernel_append, kernel_append_long, kernel_append_char, kernel_concat, kernel_slice;

/* What both sides of concat join. */
struct word {
    const char *bytes;
    size_t len;
};
#define WORDS 16 /* a power of two */
extern const struct word concat_words[WORDS];

/* What both sides of slice look at. */
#define SLICES 1000
extern struct slice {
    uint32_t word, from, len;
} slices[SLICES];

#define APPEND_SHORT ((size_t)1000) /* elements of a short vector, characters of a string */
#define CONCAT_LIVE  1000           /* strings that live at a time */

#endif
