/* SPDX-License-Identifier: MIT */
/* Plans: adding cells, finding them again, figures of them. */
#include "bench/driver/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool plan_wants(const struct plan *plan, const struct workload *workload)
{
    const struct options *o = plan->options;
    return !o->filtered || regexec(&o->filter, workload->name, 0, NULL, 0) == 0;
}

bool plan_listed(const char *list, const char *word)
{
    size_t len = strlen(word);
    if (list == NULL)
        return true;
    while (*list) {
        size_t n = strcspn(list, ",");
        if (n == len && memcmp(list, word, n) == 0)
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

static double *nothing_yet(unsigned rounds)
{
    double *v = malloc(rounds * sizeof *v);
    if (v == NULL)
        abort();
    for (unsigned i = 0; i < rounds; i++)
        v[i] = NAN;
    return v;
}

struct cell *plan_add(struct plan *plan, struct cell cell)
{
    if (plan->count == plan->room) {
        plan->room = plan->room ? plan->room * 2 : 64;
        plan->cells = realloc(plan->cells, plan->room * sizeof *plan->cells);
        if (plan->cells == NULL)
            abort();
    }
    cell.ns = nothing_yet(plan->options->rounds);
    cell.rss = nothing_yet(plan->options->rounds);
    cell.grown = nothing_yet(plan->options->rounds);
    plan->cells[plan->count] = cell;
    return &plan->cells[plan->count++];
}

void plan_add_absent(struct plan *plan, const char *name, const char *reason)
{
    if (plan->absent_count == sizeof plan->absent / sizeof plan->absent[0])
        return;
    struct absent *a = &plan->absent[plan->absent_count++];
    snprintf(a->name, sizeof a->name, "%s", name);
    snprintf(a->reason, sizeof a->reason, "%s", reason);
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->cells[i].ns);
        free(plan->cells[i].rss);
        free(plan->cells[i].grown);
    }
    free(plan->cells);
}

static bool is(const char *column, const char *wanted)
{
    return wanted == NULL || strcmp(column, wanted) == 0;
}

const struct cell *plan_find(const struct plan *plan, const char *workload, const char *counts,
                             const char *threads, const char *allocator, const char *program)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct cell *c = &plan->cells[i];
        if (is(c->workload->name, workload) && is(c->counts, counts) && is(c->threads, threads) &&
            is(c->allocator, allocator) && is(c->program, program))
            return c;
    }
    return NULL;
}

const struct cell *plan_yardstick(const struct plan *plan, const struct workload *workload)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->cells[i].workload == workload && plan->cells[i].yardstick)
            return &plan->cells[i];
    return NULL;
}

double cell_median(const struct plan *plan, const struct cell *cell)
{
    return stats_median(cell->ns, plan->options->rounds);
}

double cell_rss(const struct plan *plan, const struct cell *cell)
{
    return stats_median(cell->rss, plan->options->rounds);
}

double cell_grown(const struct plan *plan, const struct cell *cell)
{
    return stats_median(cell->grown, plan->options->rounds);
}

struct stats_ratio cell_ratio(const struct plan *plan, const struct cell *a, const struct cell *b,
                              bool of_rss)
{
    if (a == NULL || b == NULL || a->failure[0] || b->failure[0])
        return (struct stats_ratio){NAN, NAN, NAN, 0, 0};
    return stats_paired_ratio(of_rss ? a->rss : a->ns, of_rss ? b->rss : b->ns,
                              plan->options->rounds);
}
