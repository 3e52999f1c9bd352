/* SPDX-License-Identifier: MIT */
/* Running a plan: rounds, processes, and what they print. */
#include "bench/driver/run.h"
#include "bench/driver/process.h"
#include "bench/driver/programs.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void run_fail(struct cell *cell, const char *format, ...)
{
    va_list args;
    if (cell->failure[0])
        return; /* the first reason counts */
    va_start(args, format);
    vsnprintf(cell->failure, sizeof cell->failure, format, args);
    va_end(args);
}

struct worker_job {
    const struct plan *plan;
    const struct cell *cell;
};

static void become_worker(void *arg)
{
    const struct worker_job *job = arg;
    const struct options *o = job->plan->options;
    const struct cell *cell = job->cell;
    char path[4096], workload[128], repetitions[64], threads[64], dir[4096];
    snprintf(path, sizeof path, "%s/%s", o->workers, cell->worker);
    snprintf(workload, sizeof workload, "--workload=%s", cell->workload->name);
    snprintf(repetitions, sizeof repetitions, "--repetitions=%u", cell->workload->repetitions);
    snprintf(threads, sizeof threads, "--threads=%u", cell->workers);
    snprintf(dir, sizeof dir, "--dir=%s", o->dir);
    char *args[] = {path, workload, repetitions, threads, dir, o->quick ? "--quick" : NULL, NULL};
    if (cell->preload)
        setenv("LD_PRELOAD", cell->preload, 1);
    else
        unsetenv("LD_PRELOAD");
    execv(path, args);
    printf("%s: %s", path, strerror(errno));
    fflush(stdout);
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}
static const char *text_of(const cJSON *object, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return s ? s : "";
}

void run_compare(const struct plan *plan, struct cell *cell, const char *check)
{
    snprintf(cell->check, sizeof cell->check, "%s", check);
    for (size_t i = 0; i < plan->count; i++) {
        const struct cell *other = &plan->cells[i];
        if (other->workload == cell->workload && other->check[0] && strcmp(check, "0") != 0 &&
            strcmp(other->check, "0") != 0 && strcmp(other->check, check) != 0)
            run_fail(cell, "computed %s where %s/%s on %s computed %s", check, other->counts,
                     other->threads, other->allocator, other->check);
    }
}

/* What was measured beside ours: its base, or a part. */
static void take_beside(struct cell *cell, unsigned round, const cJSON *line)
{
    const cJSON *parts = cJSON_GetObjectItemCaseSensitive(line, "part_ns_per_op");
    const cJSON *part = cJSON_GetArrayItem(parts, (int)cell->part - 1);
    if (cell->part == 0)
        cell->ns[round] = number(line, "base_ns_per_op");
    else if (cJSON_IsNumber(part) && part->valuedouble > 0)
        cell->ns[round] = part->valuedouble;
    else
        run_fail(cell, "its worker did not tell it");
}

static void take_result(struct plan *plan, struct cell *cell, unsigned round, const cJSON *line)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(line, "ns_per_op"), *item;
    double ns[64];
    size_t n = 0;
    cJSON_ArrayForEach(item, list) if (n < 64 && cJSON_IsNumber(item)) ns[n++] = item->valuedouble;
    if (text_of(line, "error")[0])
        run_fail(cell, "%s", text_of(line, "error"));
    if (cell->preload && strcmp(text_of(line, "malloc"), cell->preload) != 0)
        run_fail(cell, "malloc came from %s", text_of(line, "malloc"));
    run_compare(plan, cell, text_of(line, "check"));
    if (n == 0)
        run_fail(cell, "the worker measured nothing");
    if (cell->failure[0])
        return;
    cell->ns[round] = stats_median(ns, n);
    cell->rss[round] = number(line, "peak_rss_kib");
    cell->grown[round] = number(line, "grown_kib");
    cell->idle_rss = number(line, "idle_rss_kib");
    for (size_t i = 0; i < plan->count; i++)
        if (plan->cells[i].base_of == (size_t)(cell - plan->cells) + 1)
            take_beside(&plan->cells[i], round, line);
}

/* The last line is the result; whatever else was said is the reason of a failure. */
static void run_worker(struct plan *plan, struct cell *cell, unsigned round)
{
    struct worker_job job = {plan, cell};
    struct process p;
    char why[192];
    process_run(&p, become_worker, &job);
    char *last = strrchr(p.text, '\n');
    cJSON *line = cJSON_Parse(last ? last + 1 : p.text);
    if (line)
        take_result(plan, cell, round, line);
    if (process_failed(&p, why, sizeof why))
        run_fail(cell, "%s", why);
    else if (line == NULL)
        run_fail(cell, "exit status 0: %.160s", p.text);
    cJSON_Delete(line);
}

static bool runs(const struct cell *cell)
{
    return cell->worker != NULL || cell->command != NULL;
}

static void run_cell(struct plan *plan, struct cell *cell, unsigned round)
{
    if (cell->command)
        program_run(plan, cell, round);
    else
        run_worker(plan, cell, round);
}

static void tell(const struct plan *plan, const struct cell *cell, size_t done, double begun)
{
    const struct options *o = plan->options;
    size_t all = 0;
    if (!o->progress)
        return;
    for (size_t i = 0; i < plan->count; i++)
        all += runs(&plan->cells[i]);
    all *= o->rounds;
    double left = done ? (process_now() - begun) / (double)done * (double)(all - done) : 0;
    fprintf(stderr, "\r\033[K[%zu/%zu] %s, %s counts, %s", done, all, cell->workload->name,
            cell->counts, cell->allocator);
    if (done)
        fprintf(stderr, "; about %d:%02d left", (int)left / 60, (int)left % 60);
    fflush(stderr);
}

size_t plan_run(struct plan *plan)
{
    double begun = process_now();
    size_t done = 0, failed = 0;
    for (unsigned round = 0; round < plan->options->rounds; round++)
        for (size_t first = 0, end; first < plan->count; first = end) {
            for (end = first; end < plan->count; end++)
                if (plan->cells[end].workload != plan->cells[first].workload)
                    break;
            for (size_t i = 0; i < end - first; i++) {
                /* Every other round backwards, so that drift favours nobody. */
                struct cell *cell = &plan->cells[round & 1 ? end - 1 - i : first + i];
                if (!runs(cell) || cell->failure[0])
                    continue;
                tell(plan, cell, done, begun);
                run_cell(plan, cell, round);
                done++;
            }
        }
    if (plan->options->progress)
        fputs("\r\033[K", stderr);
    for (size_t i = 0; i < plan->count; i++)
        failed += plan->cells[i].failure[0] != '\0';
    return failed;
}
