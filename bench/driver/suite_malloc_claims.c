/* SPDX-License-Identifier: MIT */
/* What must hold of the suite `malloc`, worked out from its cells. */
#include "bench/driver/suite_malloc.h"
#include "bench/driver/claims.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name, *workload, *over;
    double at_most;
    enum claim_kind kind;
} ratios[] = {{"random_vs_libc", "random", "libc", 0.31, CLAIM_TIME},
              {"random_vs_tcmalloc", "random", "tcmalloc", 1.0, CLAIM_TIME},
              {"fifo_vs_libc", "fifo", "libc", 0.36, CLAIM_TIME},
              {"lifo_vs_libc", "lifo", "libc", 0.78, CLAIM_TIME},
              {"remote_vs_mimalloc", "remote", "mimalloc", 1.0, CLAIM_TIME},
              {"lua_vs_libc", "lua", "libc", 0.72, CLAIM_TIME},
              {"python_vs_libc", "python", "libc", 0.60, CLAIM_TIME},
              {"lua_rss_vs_libc", "lua", "libc", 1.06, CLAIM_RSS},
              {"python_rss_vs_libc", "python", "libc", 1.06, CLAIM_RSS}};

const char *const malloc_claim_names[] = {
    "random_vs_libc",     "random_vs_tcmalloc", "fifo_vs_libc",    "lifo_vs_libc",
    "remote_vs_mimalloc", "lua_vs_libc",        "python_vs_libc",  "lua_rss_vs_libc",
    "python_rss_vs_libc", "remote_spread",      "startup_rss_kib", NULL};

static const struct cell *good(const struct cell *cell)
{
    return cell && !cell->failure[0] ? cell : NULL;
}

/* How far apart the middle half of the rounds is, over their median: steady is what it is to be,
 * and a queue that is now short and now long is not. */
static void remote_spread(const struct plan *plan, struct claims *claims)
{
    const struct cell *ours = good(malloc_cell(plan, "remote", "ouro"));
    struct claim c = claim_start("remote_spread", 0.25);
    if (ours)
        c.value = stats_spread(ours->ns, plan->options->rounds);
    else
        snprintf(c.reason, sizeof c.reason, "remote has no result on ouro");
    claims_add(claims, c);
}

/* Peak memory over libc's, the median of the rounds' differences; low and high are the extremes. */
static void startup(const struct plan *plan, struct claims *claims)
{
    const struct cell *ours = good(malloc_cell(plan, "startup", "ouro"));
    const struct cell *libc = good(malloc_cell(plan, "startup", "libc"));
    struct claim c = claim_start("startup_rss_kib", 1024);
    if (ours == NULL || libc == NULL) {
        snprintf(c.reason, sizeof c.reason, "startup has no result on %s", ours ? "libc" : "ouro");
    } else {
        unsigned rounds = plan->options->rounds;
        double *over = malloc(rounds * sizeof *over);
        if (over == NULL)
            abort();
        for (unsigned i = 0; i < rounds; i++) {
            over[i] = ours->rss[i] - libc->rss[i];
            c.low = fmin(c.low, over[i]);
            c.high = fmax(c.high, over[i]);
        }
        c.value = stats_median(over, rounds);
        free(over);
    }
    claims_add(claims, c);
}

void malloc_claims(const struct plan *plan, struct claims *claims)
{
    for (size_t i = 0; i < sizeof ratios / sizeof ratios[0]; i++)
        claims_ratio(claims, plan, ratios[i].name, ratios[i].at_most,
                     malloc_cell(plan, ratios[i].workload, "ouro"),
                     malloc_cell(plan, ratios[i].workload, ratios[i].over), ratios[i].kind,
                     ratios[i].workload);
    remote_spread(plan, claims);
    startup(plan, claims);
}
