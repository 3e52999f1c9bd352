/* SPDX-License-Identifier: MIT */
/* report.h: what comes out: a table for people, JSON for machines. */
#ifndef OURO_BENCH_REPORT_H
#define OURO_BENCH_REPORT_H

#include "bench/driver/plan.h"

#include <stdio.h>

void report_table(FILE *to, const struct suite *suite, const struct plan *plan,
                  const struct claims *claims);
/* Writes to `file` ("-": standard output). Returns NULL or what went wrong. */
const char *report_json(const char *file, const struct suite *suite, const struct plan *plan,
                        const struct claims *claims);

/* The processor's name, in static storage; "unknown" where /proc does not tell. */
const char *machine_cpu(void);

#endif
