/* SPDX-License-Identifier: MIT */
/* Claims from cells. */
#include "bench/driver/claims.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct claim claim_start(const char *name, double at_most)
{
    return (struct claim){.name = name, .value = NAN, .low = NAN, .high = NAN, .at_most = at_most};
}

void claims_add(struct claims *claims, struct claim claim)
{
    if (claims->count == sizeof claims->item / sizeof claims->item[0])
        abort();
    claims->item[claims->count++] = claim;
}

void claims_none(struct claims *claims, const char *name, double at_most, const char *reason)
{
    struct claim c = claim_start(name, at_most);
    snprintf(c.reason, sizeof c.reason, "%s", reason);
    claims_add(claims, c);
}

void claims_ratio(struct claims *claims, const struct plan *plan, const char *name, double at_most,
                  const struct cell *a, const struct cell *b, enum claim_kind kind,
                  const char *workload)
{
    struct claim c = claim_start(name, at_most);
    struct stats_ratio r = cell_ratio(plan, a, b, kind == CLAIM_RSS);
    c.value = kind == CLAIM_LOWER_BOUND ? r.low : r.mid;
    c.low = r.low;
    c.high = r.high;
    if (isnan(c.value)) {
        const struct cell *failed = a && a->failure[0] ? a : b && b->failure[0] ? b : NULL;
        if (failed)
            snprintf(c.reason, sizeof c.reason, "%s, %s counts on %s, failed", workload,
                     failed->counts, failed->allocator);
        else if (a == NULL || b == NULL)
            snprintf(c.reason, sizeof c.reason, "%s was not run: %s", a ? "the peer" : workload,
                     "filtered out or not installed");
        else
            snprintf(c.reason, sizeof c.reason, "%s has no result", workload);
    }
    claims_add(claims, c);
}

int claim_holds(const struct claim *claim)
{
    return isnan(claim->value) ? -1 : claim->value <= claim->at_most;
}
