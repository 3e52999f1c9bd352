/* SPDX-License-Identifier: MIT */
/* JSON for machines. Fields: docs/benchmarks.md. */
#include "bench/driver/report.h"
#include "bench/driver/claims.h"
#include "alloc/config.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Six significant digits; null where there is no number. */
static void add_number(cJSON *to, const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", value);
    if (isfinite(value))
        cJSON_AddNumberToObject(to, name, strtod(text, NULL));
    else
        cJSON_AddNullToObject(to, name);
}

const char *machine_cpu(void)
{
    static char name[128];
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && !name[0] && fgets(line, sizeof line, f))
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':'))
            snprintf(name, sizeof name, "%.*s", (int)strcspn(strchr(line, ':') + 2, "\n"),
                     strchr(line, ':') + 2);
    if (f)
        fclose(f);
    return name[0] ? name : "unknown";
}

static cJSON *machine(void)
{
    cJSON *m = cJSON_CreateObject();
    struct utsname u;
    cJSON_AddStringToObject(m, "cpu", machine_cpu());
    add_number(m, "cores", (double)sysconf(_SC_NPROCESSORS_ONLN));
    add_number(m, "l3_kib", (double)sysconf(_SC_LEVEL3_CACHE_SIZE) / 1024);
    add_number(m, "memory_mib",
               (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / 1048576);
    if (uname(&u) == 0)
        cJSON_AddStringToObject(m, "kernel", u.release);
    cJSON_AddStringToObject(m, "compiler", OURO_BENCH_COMPILER);
    return m;
}

static cJSON *row(const struct plan *plan, const struct cell *c)
{
    const struct cell *off = plan_yardstick(plan, c->workload);
    struct stats_ratio r = cell_ratio(plan, c, off, false);
    cJSON *o = cJSON_CreateObject(), *rounds;
    cJSON_AddStringToObject(o, "workload", c->workload->name);
    cJSON_AddStringToObject(o, "counts", c->counts);
    cJSON_AddStringToObject(o, "threads", c->threads);
    cJSON_AddStringToObject(o, "allocator", c->allocator);
    cJSON_AddStringToObject(o, "program", c->program);
    add_number(o, "workers", c->workers);
    cJSON_AddStringToObject(o, "unit", c->workload->unit);
    cJSON_AddStringToObject(o, "status", c->failure[0] ? "failed" : "ok");
    if (c->failure[0])
        cJSON_AddStringToObject(o, "reason", c->failure);
    add_number(o, "median_ns_per_op", c->failure[0] ? NAN : cell_median(plan, c));
    add_number(o, "spread", c->failure[0] ? NAN : stats_spread(c->ns, plan->options->rounds));
    add_number(o, "millions_per_second", c->failure[0] ? NAN : 1e3 / cell_median(plan, c));
    add_number(o, "grown_kib", c->failure[0] ? NAN : cell_grown(plan, c));
    add_number(o, "peak_rss_kib", c->failure[0] ? NAN : cell_rss(plan, c));
    add_number(o, "idle_rss_kib", c->idle_rss > 0 ? c->idle_rss : NAN);
    add_number(o, "ratio_to_off", r.mid);
    add_number(o, "ratio_low", r.low);
    add_number(o, "ratio_high", r.high);
    add_number(o, "rss_ratio", cell_ratio(plan, c, off, true).mid);
    add_number(o, "ratio_coverage", r.pairs ? r.coverage : NAN);
    rounds = cJSON_AddArrayToObject(o, "ns_per_op_by_round");
    for (unsigned i = 0; i < plan->options->rounds; i++)
        cJSON_AddItemToArray(rounds, isfinite(c->ns[i]) ? cJSON_CreateNumber(c->ns[i])
                                                        : cJSON_CreateNull());
    return o;
}

static cJSON *claim(const struct claim *c)
{
    cJSON *o = cJSON_CreateObject();
    int holds = claim_holds(c);
    cJSON_AddStringToObject(o, "name", c->name);
    add_number(o, "value", c->value);
    add_number(o, "at_most", c->at_most);
    if (holds >= 0)
        cJSON_AddBoolToObject(o, "holds", holds);
    else
        cJSON_AddNullToObject(o, "holds");
    add_number(o, "low", c->low);
    add_number(o, "high", c->high);
    if (c->reason[0])
        cJSON_AddStringToObject(o, holds < 0 ? "reason" : "note", c->reason);
    return o;
}

static cJSON *document(const struct suite *suite, const struct plan *plan,
                       const struct claims *claims)
{
    cJSON *doc = cJSON_CreateObject(), *list;
    cJSON_AddStringToObject(doc, "suite", suite->name);
    cJSON_AddStringToObject(doc, "version", OURO_VERSION);
    add_number(doc, "rounds", plan->options->rounds);
    cJSON_AddBoolToObject(doc, "quick", plan->options->quick);
    cJSON_AddStringToObject(doc, "directory", plan->options->dir);
    cJSON_AddItemToObject(doc, "machine", machine());
    list = cJSON_AddArrayToObject(doc, "rows");
    for (size_t i = 0; i < plan->count; i++)
        cJSON_AddItemToArray(list, row(plan, &plan->cells[i]));
    list = cJSON_AddArrayToObject(doc, "claims");
    for (size_t i = 0; i < claims->count; i++)
        cJSON_AddItemToArray(list, claim(&claims->item[i]));
    list = cJSON_AddArrayToObject(doc, "absent");
    for (size_t i = 0; i < plan->absent_count; i++) {
        cJSON *a = cJSON_CreateObject();
        cJSON_AddStringToObject(a, "name", plan->absent[i].name);
        cJSON_AddStringToObject(a, "reason", plan->absent[i].reason);
        cJSON_AddItemToArray(list, a);
    }
    return doc;
}

const char *report_json(const char *file, const struct suite *suite, const struct plan *plan,
                        const struct claims *claims)
{
    cJSON *doc = document(suite, plan, claims);
    char *text = cJSON_Print(doc);
    FILE *f = strcmp(file, "-") == 0 ? stdout : fopen(file, "w");
    const char *error = NULL;
    if (f == NULL || text == NULL || fprintf(f, "%s\n", text) < 0 || fflush(f) != 0)
        error = strerror(errno);
    if (f && f != stdout && fclose(f) != 0)
        error = strerror(errno);
    cJSON_free(text);
    cJSON_Delete(doc);
    return error;
}
