/* SPDX-License-Identifier: MIT */
/* bench_shape FILE SUITE [WORKLOAD COUNTS RATIO]: whether a report of ouro-bench has the fields
 * that docs/benchmarks.md names, and optionally whether one row (of Ouro, threads on) has a ratio.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int bad;

static void expect(int holds, const char *what, const char *where)
{
    if (!holds) {
        printf("%s: %s\n", where, what);
        bad++;
    }
}

static const cJSON *at(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}
static int is_text(const cJSON *object, const char *name)
{
    return cJSON_IsString(at(object, name));
}
static int is_figure(const cJSON *object, const char *name)
{
    return cJSON_IsNumber(at(object, name)) || cJSON_IsNull(at(object, name));
}
static int says(const cJSON *object, const char *name, const char *text)
{
    return is_text(object, name) && strcmp(at(object, name)->valuestring, text) == 0;
}

static void check_row(const cJSON *row)
{
    static const char *const texts[] = {"workload", "counts", "threads", "allocator",
                                        "program",  "unit",   "status"};
    static const char *const figures[] = {"median_ns_per_op", "spread",    "peak_rss_kib",
                                          "ratio_to_off",     "ratio_low", "ratio_high",
                                          "rss_ratio"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect(is_text(row, texts[i]), "not a text", texts[i]);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        expect(is_figure(row, figures[i]), "neither a number nor null", figures[i]);
    expect(says(row, "threads", "on") || says(row, "threads", "off"), "neither on nor off",
           "threads");
    if (says(row, "status", "ok"))
        expect(cJSON_IsNumber(at(row, "median_ns_per_op")) &&
                   at(row, "median_ns_per_op")->valuedouble > 0,
               "no figure in a good row", "median_ns_per_op");
    else
        expect(is_text(row, "reason") && cJSON_IsNull(at(row, "median_ns_per_op")),
               "a failed row without a reason, or with a figure", "status");
}

static void check_claim(const cJSON *claim)
{
    expect(is_text(claim, "name") && is_figure(claim, "value") &&
               cJSON_IsNumber(at(claim, "at_most")),
           "incomplete", "claim");
    if (cJSON_IsNull(at(claim, "value")))
        expect(is_text(claim, "reason"), "no value and no reason", at(claim, "name")->valuestring);
    else
        expect(cJSON_IsBool(at(claim, "holds")), "no verdict", at(claim, "name")->valuestring);
}

static void check_ratio(const cJSON *rows, const char *workload, const char *counts, double ratio)
{
    const cJSON *row;
    int found = 0;
    cJSON_ArrayForEach(row, rows) if (says(row, "workload", workload) &&
                                      says(row, "counts", counts) && says(row, "threads", "on") &&
                                      says(row, "allocator", "ouro") &&
                                      says(row, "program", "ouro"))
    {
        found++;
        expect(cJSON_IsNumber(at(row, "ratio_to_off")) &&
                   fabs(at(row, "ratio_to_off")->valuedouble - ratio) < 1e-3,
               "not the expected ratio", workload);
    }
    expect(found == 1, "not exactly one such row", workload);
}

int main(int argc, char **argv)
{
    static char text[1 << 20];
    FILE *f = argc > 2 ? fopen(argv[1], "r") : NULL;
    if (f == NULL || fread(text, 1, sizeof text - 1, f) == 0)
        return 2;
    fclose(f);
    cJSON *doc = cJSON_Parse(text);
    const cJSON *item;
    expect(says(doc, "suite", argv[2]), "not the suite", "suite");
    expect(cJSON_IsNumber(at(doc, "rounds")) && cJSON_IsBool(at(doc, "quick")), "missing",
           "rounds, quick");
    expect(cJSON_IsObject(at(doc, "machine")), "missing", "machine");
    expect(cJSON_GetArraySize(at(doc, "rows")) > 0, "empty", "rows");
    cJSON_ArrayForEach(item, at(doc, "rows")) check_row(item);
    expect(cJSON_GetArraySize(at(doc, "claims")) > 0, "empty", "claims");
    cJSON_ArrayForEach(item, at(doc, "claims")) check_claim(item);
    if (argc > 5)
        check_ratio(at(doc, "rows"), argv[3], argv[4], strtod(argv[5], NULL));
    cJSON_Delete(doc);
    return bad != 0;
}
