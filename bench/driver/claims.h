/* SPDX-License-Identifier: MIT */
/* claims.h: working out claims. A claim whose cells are missing has no value, but a reason. */
#ifndef OURO_BENCH_CLAIMS_H
#define OURO_BENCH_CLAIMS_H

#include "bench/driver/plan.h"

enum claim_kind {
    CLAIM_TIME,       /* the estimate of a ratio of times */
    CLAIM_RSS,        /* of peak memory */
    CLAIM_LOWER_BOUND /* the lower bound of a ratio of times */
};

struct claim claim_start(const char *name, double at_most);
void claims_add(struct claims *claims, struct claim claim);
void claims_none(struct claims *claims, const char *name, double at_most, const char *reason);
/* a over b; either may be NULL. `workload` is named where there is no value. */
void claims_ratio(struct claims *claims, const struct plan *plan, const char *name, double at_most,
                  const struct cell *a, const struct cell *b, enum claim_kind kind,
                  const char *workload);

/* 1: it holds, 0: it does not, -1: it has no value. */
int claim_holds(const struct claim *claim);

#endif
