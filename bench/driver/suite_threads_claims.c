/* SPDX-License-Identifier: MIT */
/* What must hold of the suite `threads`, worked out from its cells. */
#include "bench/driver/suite_threads.h"
#include "bench/driver/claims.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const threads_claim_names[] = {"threads_on_ratio_max",
                                           "cold_shuffle_ratio",
                                           "biased_vs_atomic_mt",
                                           "biased_vs_atomic_mt_rss",
                                           "trees_vs_mimalloc",
                                           "trees_rss_vs_mimalloc",
                                           "list_vs_mimalloc",
                                           "typed_pair_vs_kernel",
                                           "count_pair_vs_plain",
                                           "garbage_per_touch",
                                           "garbage_vs_nim",
                                           "rings_per_touch",
                                           "live_per_touch",
                                           "nim_threads_on_ratio",
                                           "nim_trees_vs_stock",
                                           "nim_graph_vs_stock",
                                           "nim_worst_vs_stock",
                                           "nim_rss_worst_vs_stock",
                                           NULL};

static const struct cell *ouro(const struct plan *plan, const char *workload, const char *counts)
{
    return plan_find(plan, workload, counts, strcmp(counts, "local") == 0 ? "off" : "on", "ouro",
                     "ouro");
}
static const struct cell *mimalloc(const struct plan *plan, const char *workload)
{
    return plan_find(plan, workload, "plain", "off", "mimalloc", "c");
}

static const struct cell *nim(const struct plan *plan, const char *workload, const char *threads,
                              bool on_ouro)
{
    return plan_find(plan, workload, NULL, threads, on_ouro ? "ouro" : "nim", "nim");
}

/* Takes r into the maximum `most`; false: it is no number, and there is none. */
static bool take_larger(struct claim *most, struct stats_ratio r, bool lower_bound,
                        const char *where)
{
    double value = lower_bound ? r.low : r.mid;
    if (isnan(value)) {
        most->value = NAN;
        snprintf(most->reason, sizeof most->reason, "%s has no result", where);
        return false;
    }
    if (isnan(most->value) || value > most->value) {
        most->value = value;
        most->low = r.low;
        most->high = r.high;
        snprintf(most->reason, sizeof most->reason, "%s", where);
    }
    return true;
}

/* Says of how many it is the largest; what it is, stands in its reason. */
static void add_largest(struct claims *claims, struct claim most, unsigned of)
{
    char where[sizeof most.reason];
    snprintf(where, sizeof where, "%s", most.reason);
    if (!isnan(most.value))
        snprintf(most.reason, sizeof most.reason, "largest of %u: %.150s", of, where);
    claims_add(claims, most);
}

/* The largest over all workloads with a flag. */
static void largest(const struct plan *plan, struct claims *claims, const char *name,
                    double at_most, unsigned flag, const char *over, bool of_rss, bool lower_bound)
{
    struct claim most = claim_start(name, at_most);
    unsigned of = 0;
    snprintf(most.reason, sizeof most.reason, "none of its workloads was run");
    for (const struct workload *w = threads_workloads; w->name; w++) {
        if (!(w->flags & flag))
            continue;
        const struct cell *a = ouro(plan, w->name, "biased"), *b = ouro(plan, w->name, over);
        if (a == NULL && b == NULL)
            continue; /* filtered out */
        if (!take_larger(&most, cell_ratio(plan, a, b, of_rss), lower_bound, w->name))
            break;
        of++;
    }
    add_largest(claims, most, of);
}

/* Nim on Ouro over Nim's own runtime: the largest of a workload (NULL: of all), threads off and
 * on. */
static void nim_largest(const struct plan *plan, struct claims *claims, const char *name,
                        double at_most, const char *workload, enum claim_kind kind)
{
    static const char *const threads[] = {"off", "on"};
    struct claim most = claim_start(name, at_most);
    unsigned of = 0;
    snprintf(most.reason, sizeof most.reason, "none was run");
    for (const struct workload *w = threads_workloads; w->name; w++)
        for (int on = 0; on < 2; on++) {
            const struct cell *ours = nim(plan, w->name, threads[on], true);
            const struct cell *stock = nim(plan, w->name, threads[on], false);
            char where[64];
            if ((workload && strcmp(workload, w->name) != 0) || ours == NULL || stock == NULL)
                continue;
            snprintf(where, sizeof where, "%s, threads %s", w->name, threads[on]);
            if (!take_larger(&most, cell_ratio(plan, ours, stock, kind == CLAIM_RSS),
                             kind == CLAIM_LOWER_BOUND, where)) {
                claims_add(claims, most);
                return;
            }
            of++;
        }
    add_largest(claims, most, of);
}

static void nim_claims(const struct plan *plan, struct claims *c)
{
    claims_ratio(c, plan, "nim_threads_on_ratio", 1.03, nim(plan, "trees", "on", true),
                 nim(plan, "trees", "off", true), CLAIM_TIME, "trees");
    claims_ratio(c, plan, "nim_trees_vs_stock", 0.6, nim(plan, "trees", "on", true),
                 nim(plan, "trees", "on", false), CLAIM_TIME, "trees");
    nim_largest(plan, c, "nim_graph_vs_stock", 0.5, "graph", CLAIM_TIME);
    nim_largest(plan, c, "nim_worst_vs_stock", 1.0, NULL, CLAIM_LOWER_BOUND);
    nim_largest(plan, c, "nim_rss_worst_vs_stock", 1.0, NULL, CLAIM_RSS);
}

static void against_kernel(const struct plan *plan, struct claims *claims, const char *name,
                           double at_most, const char *workload)
{
    claims_ratio(claims, plan, name, at_most, ouro(plan, workload, "biased"),
                 plan_find(plan, workload, NULL, NULL, "kernel", NULL), CLAIM_TIME, workload);
}

static void per_touch(const struct plan *plan, struct claims *claims, const char *name,
                      double at_most, const char *workload)
{
    if (plan->options->quick) {
        claims_none(claims, name, at_most, "with --quick everything fits into the caches");
        return;
    }
    const struct cell *cell = ouro(plan, workload, "biased");
    claims_ratio(claims, plan, name, at_most, cell,
                 plan_find(plan, "touch", NULL, NULL, NULL, NULL), CLAIM_TIME, workload);
    /* Beside it the stricter yardstick. */
    struct stats_ratio near =
        cell_ratio(plan, cell, plan_find(plan, "touch-heap", NULL, NULL, NULL, NULL), false);
    struct claim *c = &claims->item[claims->count - 1];
    if (isfinite(c->value) && isfinite(near.mid))
        snprintf(c->reason, sizeof c->reason, "%.2f of touch-heap", near.mid);
}

void threads_claims(const struct plan *plan, struct claims *c)
{
    largest(plan, c, "threads_on_ratio_max", 1.03, THREADS_ONE, "local", false, true);
    claims_ratio(c, plan, "cold_shuffle_ratio", 1.10, ouro(plan, "shuffle-cold", "biased"),
                 ouro(plan, "shuffle-cold", "local"), CLAIM_LOWER_BOUND, "shuffle-cold");
    largest(plan, c, "biased_vs_atomic_mt", 1.0, THREADS_PAIR, "atomic", false, false);
    largest(plan, c, "biased_vs_atomic_mt_rss", 1.1, THREADS_PAIR, "atomic", true, false);
    claims_ratio(c, plan, "trees_vs_mimalloc", 0.70, ouro(plan, "trees", "biased"),
                 mimalloc(plan, "trees"), CLAIM_TIME, "trees");
    claims_ratio(c, plan, "trees_rss_vs_mimalloc", 1.0, ouro(plan, "trees", "biased"),
                 mimalloc(plan, "trees"), CLAIM_RSS, "trees");
    claims_ratio(c, plan, "list_vs_mimalloc", 1.0, ouro(plan, "list", "biased"),
                 mimalloc(plan, "list"), CLAIM_TIME, "list");
    against_kernel(plan, c, "typed_pair_vs_kernel", 1.25, "typed-pair");
    against_kernel(plan, c, "count_pair_vs_plain", 1.05, "count-pair");
    per_touch(plan, c, "garbage_per_touch", 6, "graph");
    claims_ratio(c, plan, "garbage_vs_nim", 0.25, ouro(plan, "graph", "biased"),
                 plan_find(plan, "graph", "plain", "off", "nim", "nim"), CLAIM_TIME, "graph");
    per_touch(plan, c, "rings_per_touch", 1.7, "rings");
    per_touch(plan, c, "live_per_touch", 8, "live");
    nim_claims(plan, c);
}
