/* SPDX-License-Identifier: MIT */
/* The suite `values`: what a compiler lowers values to, each beside a fixed kernel in plain C or
 * beside its counterpart in Ouro, by turns in one process. */
#include "bench/driver/suite_values.h"
#include "bench/driver/claims.h"

#include <math.h>
#include <stdio.h>

const struct values_claim values_claim_of[VALUES_CLAIMS] = {
    {"append_vs_kernel", 1.3, VALUES_APPEND, "kernel", NULL},
    {"string_vs_kernel", 1.3, VALUES_STRING, "kernel", NULL},
    {"filter_vs_plain", 1.1, VALUES_FILTER, "plain slots", NULL},
    {"context_vs_tls", 1.0, VALUES_CONTEXT, "TLS", NULL},
    {"reuse_vs_fresh", 0.6, VALUES_REUSE, "fresh", NULL}};

static const char *const claim_names[] = {"append_vs_kernel", "string_vs_kernel", "filter_vs_plain",
                                          "context_vs_tls",   "reuse_vs_fresh",   NULL};

const struct workload values_workloads[] = {
    {"append", "element", "sequences of 1000 integers grow from nothing and go", 1, VALUES_APPEND},
    {"append-long", "element", "a sequence of a million integers grows from nothing and goes", 1,
     VALUES_APPEND},
    {"append-char", "character", "strings of 1000 characters grow one by one and go", 1,
     VALUES_APPEND},
    {"concat", "string", "three short strings become one, a thousand live", 1, VALUES_STRING},
    {"slice", "slice", "parts of strings are looked at, as borrowed views", 1, VALUES_STRING},
    {"filter-tags", "node", "a live graph whose slots have tag bits is searched", 1, VALUES_FILTER},
    {"filter-boxes", "node", "a live graph whose slots are NaN boxes is searched", 1,
     VALUES_FILTER},
    {"context", "pair", "a thousand objects are counted up, then down, by explicit context", 1,
     VALUES_CONTEXT},
    {"reuse-insert", "insertion", "functional insertion into a search tree nobody shares", 1,
     VALUES_REUSE},
    {"reuse-map", "node", "a functional map over such a tree", 1, VALUES_REUSE},
    {"reuse-insert-moved", "insertion", "the same insertion, parts moved and not counted", 1,
     VALUES_REUSE},
    {"reuse-map-moved", "node", "the same map, parts moved and not counted", 1, VALUES_REUSE},
    {0}};

static const struct values_claim *claim_of(const struct workload *workload)
{
    size_t i = 0;
    while (!(values_claim_of[i].flag & workload->flags))
        i++;
    return &values_claim_of[i];
}

static void plan_values(struct plan *plan)
{
    const struct options *o = plan->options;
    if (!plan_listed(o->counts, "biased") || !plan_listed(o->allocators, "ouro"))
        return;
    for (const struct workload *w = values_workloads; w->name; w++) {
        const char *base = claim_of(w)->base;
        bool kernel = claim_of(w)->flag & (VALUES_APPEND | VALUES_STRING);
        struct cell c = {.workload = w,
                         .counts = "biased",
                         .threads = "on",
                         .allocator = "ouro",
                         .program = "ouro",
                         .worker = "ouro-bench-worker-biased",
                         .workers = 1};
        if (!plan_wants(plan, w))
            continue;
        plan_add(plan, c);
        c.base_of = plan->count;
        c.worker = NULL;
        c.yardstick = true;
        c.program = base;
        if (kernel) {
            c.counts = "plain";
            c.threads = "off";
            c.allocator = base;
        }
        plan_add(plan, c);
    }
}

struct stats_ratio values_ratio(const struct plan *plan, const struct workload *workload)
{
    return cell_ratio(plan, plan_find(plan, workload->name, NULL, NULL, NULL, "ouro"),
                      plan_yardstick(plan, workload), false);
}

/* The largest of the workloads that count for it; all that were not filtered out have to have a
 * result. */
static struct claim worst(const struct plan *plan, const struct values_claim *of)
{
    struct claim c = claim_start(of->name, of->at_most);
    unsigned count = 0;
    const char *where = "";
    snprintf(c.reason, sizeof c.reason, "none of its workloads was run");
    for (const struct workload *w = values_workloads; w->name; w++) {
        if (!(w->flags & of->flag) || plan_yardstick(plan, w) == NULL)
            continue;
        struct stats_ratio r = values_ratio(plan, w);
        count++;
        if (isnan(r.mid)) {
            c = claim_start(of->name, of->at_most);
            snprintf(c.reason, sizeof c.reason, "%s has no result", w->name);
            return c;
        }
        if (isnan(c.value) || r.mid > c.value) {
            c.value = r.mid;
            c.low = r.low;
            c.high = r.high;
            where = w->name;
        }
    }
    if (count > 0)
        snprintf(c.reason, sizeof c.reason, "largest of %u: %s", count, where);
    return c;
}

static void values_claims(const struct plan *plan, struct claims *claims)
{
    for (size_t i = 0; i < VALUES_CLAIMS; i++) {
        const struct values_claim *of = &values_claim_of[i];
        if (of->absent)
            claims_none(claims, of->name, of->at_most, of->absent);
        else
            claims_add(claims, worst(plan, of));
    }
}

const struct suite suite_values = {.name = "values",
                                   .what = "values as a compiler lowers them",
                                   .ratio = "to base",
                                   .workloads = values_workloads,
                                   .plan = plan_values,
                                   .claims = values_claims,
                                   .plot = values_plot,
                                   .claim_names = claim_names};
