/* SPDX-License-Identifier: MIT */
/* The suite `isolate`: graphs that change threads, each beside a fixed kernel in plain C or a peer,
 * by turns in one process. */
#include "bench/driver/suite_isolate.h"
#include "bench/driver/claims.h"

#include <math.h>
#include <stdio.h>

static const char *const claim_names[] = {"isolate_vs_traversal", "receiver_counts_plain", NULL};

const struct workload isolate_workloads[] = {
    {"graph", "node", "a random graph of a million nodes is isolated, and extracted by another", 1,
     0},
    {"tree", "node", "the same of a tree", 1, 0},
    {"list", "node", "the same of a list", 1, 0},
    {"handover-1", "hand-over", "the same of a thousand graphs of one node", 1, 0},
    {"handover-10", "hand-over", "of a thousand graphs of ten nodes", 1, 0},
    {"handover-100", "hand-over", "of a thousand graphs of a hundred nodes", 1, 0},
    {"received", "pair", "nodes that another thread made are counted up, then down", 1, 0},
    {0}};

#define HALVES                                                                                     \
    {"isolate", "biased", "ouro", false},                                                          \
    {                                                                                              \
        "extract", "biased", "ouro", false                                                         \
    }
#define TRAVERSAL                                                                                  \
    {                                                                                              \
        "traversal", "plain", "traversal", false                                                   \
    }

/* By workload. */
static const struct isolate_about about[] = {
    {TRAVERSAL, {HALVES, {"deepcopy", "biased", "ouro", false}}, "isolate_vs_traversal", 1.3},
    {TRAVERSAL, {HALVES}, NULL, 0},
    {TRAVERSAL, {HALVES}, NULL, 0},
    {TRAVERSAL, {HALVES}, NULL, 0},
    {TRAVERSAL, {HALVES}, NULL, 0},
    {TRAVERSAL, {HALVES}, NULL, 0},
    {{"own nodes", "biased", "ouro", false}, {{0}}, "receiver_counts_plain", 1.05}};

const struct isolate_about *isolate_about(const struct workload *workload)
{
    return &about[workload - isolate_workloads];
}

/* Without Concurrency Kit its rows are left out. */
static bool is_there(const struct isolate_beside *beside)
{
    return beside->program && (!beside->is_ck || OURO_BENCH_CK);
}

static void add_beside(struct plan *plan, struct cell c, const struct isolate_beside *beside,
                       unsigned part)
{
    if (!is_there(beside))
        return;
    c.worker = NULL;
    c.part = part;
    c.yardstick = part == 0;
    c.program = beside->program;
    c.counts = beside->counts;
    c.allocator = beside->allocator;
    plan_add(plan, c);
}

static void plan_isolate(struct plan *plan)
{
    if (!plan_listed(plan->options->allocators, "ouro"))
        return;
    for (const struct workload *w = isolate_workloads; w->name; w++) {
        struct cell c = {.workload = w,
                         .counts = "biased",
                         .threads = "on",
                         .allocator = "ouro",
                         .program = "ouro",
                         .worker = "ouro-bench-worker-isolate",
                         .workers = 2};
        if (!plan_wants(plan, w))
            continue;
        plan_add(plan, c);
        c.base_of = plan->count;
        for (unsigned i = 0; i < 3; i++)
            add_beside(plan, c, &isolate_about(w)->part[i], i + 1);
        add_beside(plan, c, &isolate_about(w)->base, 0);
    }
    if (!OURO_BENCH_CK)
        plan_add_absent(plan, "Concurrency Kit",
                        "not found when this was built (package libck-dev)");
}

static const struct cell *ours(const struct plan *plan, const struct workload *workload)
{
    return plan_find(plan, workload->name, NULL, NULL, NULL, "ouro");
}

struct stats_ratio isolate_ratio(const struct plan *plan, const struct workload *workload)
{
    return cell_ratio(plan, ours(plan, workload), plan_yardstick(plan, workload), false);
}

static void isolate_claims(const struct plan *plan, struct claims *claims)
{
    for (const struct workload *w = isolate_workloads; w->name; w++)
        if (isolate_about(w)->claim)
            claims_ratio(claims, plan, isolate_about(w)->claim, isolate_about(w)->at_most,
                         ours(plan, w), plan_yardstick(plan, w), CLAIM_TIME, w->name);
}

const struct suite suite_isolate = {.name = "isolate",
                                    .what = "graphs that change threads",
                                    .ratio = "to base",
                                    .workloads = isolate_workloads,
                                    .plan = plan_isolate,
                                    .claims = isolate_claims,
                                    .plot = isolate_plot,
                                    .claim_names = claim_names};
