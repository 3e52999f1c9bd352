/* SPDX-License-Identifier: MIT */
/* The suite `isolate`: graphs that change threads, each beside a fixed kernel in plain C or a peer,
 * by turns in one process; the words of a directory, counted in two ways. */
#include "bench/driver/suite_isolate.h"
#include "bench/driver/claims.h"

#include <math.h>
#include <stdio.h>

static const char *const claim_names[] = {"isolate_vs_traversal",    "receiver_counts_plain",
                                          "region_move_ns",          "channel_vs_ck",
                                          "continuations_grown_kib", NULL};

/* Flags of a workload: it needs channels, and their peer; it moves regions. */
enum { CK = 1u << 0, REGION = 1u << 1 };

const struct workload isolate_workloads[] = {
    {"graph", "node", "a random graph of a million nodes is isolated, and extracted by another", 1,
     0},
    {"tree", "node", "the same of a tree", 1, 0},
    {"list", "node", "the same of a list", 1, 0},
    {"handover-1", "hand-over", "the same of a thousand graphs of one node", 1, 0},
    {"handover-10", "hand-over", "of a thousand graphs of ten nodes", 1, 0},
    {"handover-100", "hand-over", "of a thousand graphs of a hundred nodes", 1, 0},
    {"received", "pair", "nodes that another thread made are counted up, then down", 1, 0},
    {"region", "region", "a region of a million nodes goes to another thread", 1, REGION},
    {"region-small", "region", "the same of a thousand regions of a thousand nodes", 1, REGION},
    {"ping-pong", "round trip", "an isolated graph goes to another thread and back", 1, CK},
    {"continuations", "continuation", "of 32 and 40 bytes, made here, run and freed there", 1, CK},
    {"continuations-both", "continuation", "the same both ways at once", 1, CK},
    {"words-tasks", "word", "the words of words-mt, by a channel, tasks and guarded tables", 1, CK},
    {0}};

#define HALVES                                                                                     \
    {"isolate", "biased", "ouro"},                                                                 \
    {                                                                                              \
        "extract", "biased", "ouro"                                                                \
    }
/* What is done with it beside: proved isolated, dropped; its graph dropped by counts. */
#define REGIONS                                                                                    \
    {"proof", "biased", "ouro"}, {"drop", "biased", "ouro"},                                       \
    {                                                                                              \
        "drop-counted", "biased", "ouro"                                                           \
    }
#define TRAVERSAL                                                                                  \
    {                                                                                              \
        "traversal", "plain", "traversal"                                                          \
    }
#define CONTINUATIONS                                                                              \
    {                                                                                              \
        {"malloc", "none", "libc"}, {{"counted", "biased", "ouro"}}, NULL, 0                       \
    }

/* By workload. */
static const struct isolate_about about[] = {
    {TRAVERSAL, {HALVES, {"deepcopy", "biased", "ouro"}}, "isolate_vs_traversal", 1.3},
    {TRAVERSAL, {HALVES}, NULL, 0},
    {TRAVERSAL, {HALVES}, NULL, 0},
    {TRAVERSAL, {HALVES}, NULL, 0},
    {TRAVERSAL, {HALVES}, NULL, 0},
    {TRAVERSAL, {HALVES}, NULL, 0},
    {{"own nodes", "biased", "ouro"}, {{NULL}}, "receiver_counts_plain", 1.05},
    {TRAVERSAL, {REGIONS}, NULL, 0},
    {TRAVERSAL, {REGIONS}, NULL, 0},
    {{"spsc", "none", "ck_ring"}, {{"mpmc", "none", "ck_ring"}}, "channel_vs_ck", 1.25},
    CONTINUATIONS,
    CONTINUATIONS,
    {{"mutexes", "biased", "ouro"}, {{"one thread", "biased", "ouro"}}, NULL, 0}};

const struct isolate_about *isolate_about(const struct workload *workload)
{
    return &about[workload - isolate_workloads];
}

static void add_beside(struct plan *plan, struct cell c, const struct isolate_beside *beside,
                       unsigned part)
{
    if (beside->program == NULL)
        return;
    c.worker = NULL;
    c.part = part;
    c.yardstick = part == 0;
    c.program = beside->program;
    c.counts = beside->counts;
    c.allocator = beside->allocator;
    plan_add(plan, c);
}

static bool is_built(const struct workload *workload)
{
    return OURO_BENCH_CK || !(workload->flags & CK);
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
        if (!plan_wants(plan, w) || !is_built(w))
            continue;
        plan_add(plan, c);
        c.base_of = plan->count;
        for (unsigned i = 0; i < 3; i++)
            add_beside(plan, c, &isolate_about(w)->part[i], i + 1);
        add_beside(plan, c, &isolate_about(w)->base, 0);
    }
    if (!OURO_BENCH_CK)
        plan_add_absent(
            plan, "Concurrency Kit",
            "not found when this was built (package libck-dev), or built without threads");
}

static const struct cell *ours(const struct plan *plan, const struct workload *workload)
{
    return plan_find(plan, workload->name, NULL, NULL, NULL, "ouro");
}

struct stats_ratio isolate_ratio(const struct plan *plan, const struct workload *workload)
{
    return cell_ratio(plan, ours(plan, workload), plan_yardstick(plan, workload), false);
}

/* The larger of two figures, of ours in the workloads that have one. */
static struct claim larger(const struct plan *plan, const char *name, double at_most, unsigned flag,
                           double (*figure)(const struct plan *, const struct cell *))
{
    struct claim c = claim_start(name, at_most);
    snprintf(c.reason, sizeof c.reason, "none of its workloads was run");
    for (const struct workload *w = isolate_workloads; w->name; w++) {
        const struct cell *cell = w->flags & flag ? ours(plan, w) : NULL;
        double value = cell && !cell->failure[0] ? figure(plan, cell) : NAN;
        if (isnan(value) || value <= c.value)
            continue;
        c.value = value;
        snprintf(c.reason, sizeof c.reason, "larger of two: %s", w->name);
    }
    return c;
}

/* What is said of a claim that has a value: the ratio to another peer. */
static void note_other(const struct plan *plan, const struct workload *w, struct claim *c,
                       const char *program)
{
    const struct cell *other = plan_find(plan, w->name, NULL, NULL, NULL, program);
    struct stats_ratio r = cell_ratio(plan, ours(plan, w), other, false);
    if (!isnan(c->value) && !isnan(r.mid))
        snprintf(c->reason, sizeof c->reason, "over %s %.2f", program, r.mid);
}

static void isolate_claims(const struct plan *plan, struct claims *claims)
{
    for (const struct workload *w = isolate_workloads; w->name; w++) {
        const struct isolate_about *of = isolate_about(w);
        if (of->claim == NULL)
            continue;
        claims_ratio(claims, plan, of->claim, of->at_most, ours(plan, w), plan_yardstick(plan, w),
                     CLAIM_TIME, w->name);
        if (w->flags & CK)
            note_other(plan, w, &claims->item[claims->count - 1], of->part[0].program);
    }
    claims_add(claims, larger(plan, "region_move_ns", 1000, REGION, cell_median));
    /* What memory rises by once a channel has been full: at most 1 KiB for each of its places. */
    claims_add(claims, larger(plan, "continuations_grown_kib", 1024, CK, cell_grown));
}

const struct suite suite_isolate = {.name = "isolate",
                                    .what = "graphs that change threads",
                                    .ratio = "to base",
                                    .rates = true,
                                    .workloads = isolate_workloads,
                                    .plan = plan_isolate,
                                    .claims = isolate_claims,
                                    .plot = isolate_plot,
                                    .claim_names = claim_names};
