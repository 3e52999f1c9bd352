/* SPDX-License-Identifier: MIT */
/* The suite `threads`: what does turning threads on cost? Each workload with threads off (the
 * yardstick), with threads on and atomic or biased counts, on Ouro and over foreign mallocs, and
 * the same trees and cycles in C++, and the same programs in Nim, on its own runtime and on Ouro.
 * What is claimed of it: suite_threads_claims.c. */
#include "bench/driver/suite_threads.h"
#include "bench/driver/allocators.h"

#include <string.h>
#include <unistd.h>

#define ONE  THREADS_ONE
#define PAIR THREADS_PAIR

#define MALLOCS (PLAIN | ATOMIC)
#define ALL     (MALLOCS | BIASED)

const struct workload threads_workloads[] = {
    {"trees", "node", "binary trees are built, walked and dropped", 1, ONE | ALL | CXX | NIM},
    {"trees-acyclic", "node", "the same of a type that is said to be acyclic", 1, NIM},
    {"list", "node", "a doubly linked list is built, walked both ways and dropped", 4,
     ONE | MALLOCS | NIM},
    {"list-cyclic", "node", "the same of a type that can be in a cycle", 1, NIM},
    {"shuffle", "swap", "two references of a thousand change places, in cache", 1, ONE | ALL | NIM},
    {"shuffle-cold", "swap", "two references of two million change places", 2,
     COLD | MALLOCS | NIM},
    {"strings", "record", "strings and sequences grow, are copied and dropped", 1,
     ONE | MALLOCS | NIM},
    {"seqs", "element", "sequences and strings of a thousand are appended one by one and go", 1,
     NIM},
    {"words", "word", "all words under a directory, counted on one thread", 1, ONE | PLAIN | NIM},
    {"rings", "node", "a million rings of three are dropped and collected", 1, ONE | CXX | NIM},
    {"graph", "node", "a random graph of a million nodes is dropped and collected", 1,
     ONE | CXX | NIM},
    {"live", "node", "a live graph of a million nodes is searched from 1 % candidates", 1,
     ONE | NIM},
    {"closures", "closure", "async closures that refer to themselves, collected by triggers", 1,
     ONE | NIM},
    {"handover", "object", "continuations of 32 and 40 bytes made here and freed there", 1,
     PAIR | ATOMIC | NIM},
    {"tasks", "task", "a pool's task objects made here and freed there", 1, PAIR | ATOMIC},
    {"shared", "lookup", "two threads look up values in a tree that one of them changes", 1, PAIR},
    {"words-mt", "word", "all words under a directory, on all cores with striped locks", 1, MANY},
    {"typed-pair", "pair", "1000 blocks of 32 bytes are taken, then given back in that order", 1,
     KERNEL},
    {"count-pair", "pair", "one more and one less reference to an object in cache", 1, KERNEL},
    {"touch", "read", "an independent random read far beyond the last cache", 1, TOUCH},
    {"touch-heap", "read", "the same in an array as large as the heaps of graph and rings", 1,
     TOUCH},
    {0}};

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : (unsigned)n;
}

static unsigned workers_of(const struct workload *w)
{
    return w->flags & PAIR ? 2 : w->flags & MANY ? cores() : 1;
}

static bool wants_counts(const struct plan *plan, const char *counts, bool by_default)
{
    const char *list = plan->options->counts;
    return list ? plan_listed(list, counts) : by_default;
}

static void add_ouro(struct plan *plan, const struct workload *w)
{
    struct cell c = {.workload = w, .allocator = "ouro", .program = "ouro", .workers = 1};
    c.counts = "local";
    c.threads = "off";
    c.worker = "ouro-bench-worker-off";
    c.yardstick = true;
    plan_add(plan, c);
    c.yardstick = false;
    c.threads = "on";
    c.workers = workers_of(w);
    c.counts = "biased";
    c.worker = "ouro-bench-worker-biased";
    if (wants_counts(plan, "biased", true)) {
        plan_add(plan, c);
        if (w->flags & KERNEL) {
            c.base_of = plan->count;
            c.worker = NULL;
            c.counts = "plain";
            c.threads = "off";
            c.allocator = c.program = "kernel";
            plan_add(plan, c);
            c = plan->cells[plan->count - 2];
        }
    }
    c.counts = "atomic";
    c.worker = "ouro-bench-worker-atomic";
    if (wants_counts(plan, "atomic", true))
        plan_add(plan, c);
    c.counts = "local";
    c.worker = "ouro-bench-worker-local";
    if (wants_counts(plan, "local", false) && !(w->flags & (PAIR | MANY)))
        plan_add(plan, c);
}

static void add_foreign(struct plan *plan, const struct workload *w)
{
    static const char *const counts[] = {"plain", "atomic", "biased"};
    static const unsigned flags[] = {PLAIN, ATOMIC, BIASED};
    static const char *const workers[] = {"ouro-bench-worker-malloc-plain",
                                          "ouro-bench-worker-malloc-atomic",
                                          "ouro-bench-worker-malloc-biased"};
    for (const struct allocator *a = allocators; a->name; a++) {
        const char *library = allocator_library(a);
        if (!plan_listed(plan->options->allocators, a->name) || (a->sonames[0] && !library))
            continue;
        for (int i = 0; i < 3; i++)
            if (w->flags & flags[i] && wants_counts(plan, counts[i], true))
                plan_add(plan, (struct cell){.workload = w,
                                             .counts = counts[i],
                                             .threads = i == 0 ? "off" : "on",
                                             .allocator = a->name,
                                             .program = "c",
                                             .worker = workers[i],
                                             .preload = library,
                                             .workers = workers_of(w)});
    }
}

static bool is_built(const struct plan *plan, const char *worker)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", plan->options->workers, worker);
    return access(path, X_OK) == 0;
}

static void add_cxx(struct plan *plan, const struct workload *w)
{
    struct cell c = {.workload = w, .workers = 1, .threads = "on"};
    if (w->flags & CXX && wants_counts(plan, "atomic", true)) {
        c.counts = "atomic";
        c.allocator = "libc";
        c.program = "c++";
        c.worker = "ouro-bench-worker-cxx";
        plan_add(plan, c);
    }
}

/* Nim's own runtime beside Ouro in its place; nothing is handed over where there is one thread. */
static void add_nim(struct plan *plan, const struct workload *w)
{
    static const char *const workers[2][2] = {{"ouro-bench-nim-off", "ouro-bench-nim-ouro-off"},
                                              {"ouro-bench-nim-on", "ouro-bench-nim-ouro-on"}};
    for (int on = w->flags & PAIR ? 1 : 0; on < 2; on++)
        for (int ours = 0; ours < 2; ours++) {
            struct cell c = {.workload = w,
                             .counts = ours ? "biased" : "plain",
                             .threads = on ? "on" : "off",
                             .allocator = ours ? "ouro" : "nim",
                             .program = "nim",
                             .worker = workers[on][ours],
                             .workers = workers_of(w),
                             .yardstick = w->flags == NIM && !on && !ours};
            if (wants_counts(plan, c.counts, true) && is_built(plan, c.worker))
                plan_add(plan, c);
        }
}

static void tell_absent(struct plan *plan)
{
    allocators_tell_absent(plan);
    if (!is_built(plan, "ouro-bench-nim-off"))
        plan_add_absent(plan, "nim", "nim was not found when this was built (package nim)");
}

static void plan_threads(struct plan *plan)
{
    for (const struct workload *w = threads_workloads; w->name; w++) {
        if (!plan_wants(plan, w))
            continue;
        if (w->flags & TOUCH) {
            plan_add(plan, (struct cell){.workload = w,
                                         .counts = "none",
                                         .threads = "off",
                                         .allocator = "none",
                                         .program = "kernel",
                                         .worker = "ouro-bench-worker-off",
                                         .workers = 1});
            continue;
        }
        if (w->flags != NIM && plan_listed(plan->options->allocators, "ouro"))
            add_ouro(plan, w);
        if (w->flags & ALL)
            add_foreign(plan, w);
        if (plan->options->allocators == NULL)
            add_cxx(plan, w);
        if (w->flags & NIM && plan_listed(plan->options->allocators, "nim"))
            add_nim(plan, w);
    }
    tell_absent(plan);
}

const struct suite suite_threads = {.name = "threads",
                                    .has_counts = true,
                                    .what = "what turning threads on costs",
                                    .ratio = "to off",
                                    .workloads = threads_workloads,
                                    .plan = plan_threads,
                                    .claims = threads_claims,
                                    .plot = threads_plot,
                                    .claim_names = threads_claim_names};
