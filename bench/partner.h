/* SPDX-License-Identifier: MIT */
/* partner.h: a second thread that does what it is told, for workloads that measure what goes from
 * one thread to another. While it has nothing to do it sleeps, and so does who waits for it. */
#ifndef OURO_BENCH_PARTNER_H
#define OURO_BENCH_PARTNER_H

#include "bench/bench.h"

typedef void partner_job(void *arg);

/* Starts it; ends it when it is idle. */
void partner_begin(void);
void partner_end(void);

/* Has it do `job(arg)`, which sees all that the caller did before. */
void partner_start(partner_job *job, void *arg);
/* Until that is done; the caller sees all of it. */
void partner_wait(void);
/* Both. */
void partner_do(partner_job *job, void *arg);

/* Runs `here(arg)` and, on the partner, `there(arg)` at once. Returns the nanoseconds from when
 * both are ready until both are done. */
double partner_both(partner_job *here, partner_job *there, void *arg);

#endif
