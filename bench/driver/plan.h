/* SPDX-License-Identifier: MIT */
/* plan.h: what a run of ouro-bench measures: suites, workloads, cells and claims.
 *
 * A suite names its workloads and puts cells into a plan, one for each combination to be measured.
 * The plan is run in rounds; each round runs each cell once, in a process of its own, the cells of
 * one workload right after another. Afterwards the suite works out its claims from the cells. */
#ifndef OURO_BENCH_PLAN_H
#define OURO_BENCH_PLAN_H

#include "bench/driver/stats.h"

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

struct options {
    unsigned rounds;
    bool quick, progress;
    const char *dir;         /* whose words are counted */
    const char *json, *plot; /* files, or NULL */
    const char *counts;      /* comma-separated lists, or NULL: the default of the suite */
    const char *allocators;
    const char *workers; /* the directory of the workers */
    bool filtered;
    regex_t filter; /* of workloads */
};

struct program;

struct workload {
    const char *name;
    const char *unit;     /* of one operation */
    const char *what;     /* one sentence */
    unsigned repetitions; /* of one process, without the warm-up */
    unsigned flags;       /* the suite's own */
};

/* One thing that is measured; the first words are columns of the report. */
struct cell {
    const struct workload *workload;
    const char *counts;    /* local, atomic, biased, plain, none */
    const char *threads;   /* off or on */
    const char *allocator; /* ouro, libc, jemalloc, .. */
    const char *
        program; /* ouro, c, c++, nim (on its own allocator or on ouro), kernel, or what ours is compared with */
    const char *worker;            /* the executable, or NULL: see command, base_of */
    const struct program *command; /* what is run in a worker's place (programs.h), or NULL */
    const char *preload;           /* a library, or NULL */
    unsigned workers;              /* threads that work */
    bool yardstick;                /* what ratio_to_off of its workload refers to */
    size_t base_of; /* 1 + index of the cell whose worker measures this one too, or 0 */
    unsigned part;  /* which of the parts that it tells (bench.h), from 1 on; 0: the base */
    /* Results, by round. */
    double *ns, *rss, *grown; /* grown: KiB by which the peak rose after the warm-up */
    double idle_rss;
    char check[32], failure[256];
};

struct plan {
    const struct options *options;
    struct cell *cells;
    size_t count, room;
    struct absent {
        char name[64], reason[192];
    } absent[16]; /* peers that are not installed */
    size_t absent_count;
};

struct claim {
    const char *name;
    double value; /* NAN: see reason */
    double low, high;
    double at_most;
    char reason[192]; /* why there is no value, or where a maximum comes from */
};
struct claims {
    struct claim item[64];
    size_t count;
};

struct suite {
    const char *name, *what;
    const char *ratio;                /* what ratios to the yardstick are called in the table */
    bool rss_ratio;                   /* the table has ratios of memory, too */
    bool rates;                       /* the table has millions a second, and wide names */
    bool has_counts;                  /* it measures several kinds of counts */
    const struct workload *workloads; /* name NULL at the end */
    void (*plan)(struct plan *plan);
    void (*claims)(const struct plan *plan, struct claims *claims);
    int (*plot)(const struct plan *plan, const char *file); /* may be NULL */
    const char *const *claim_names;                         /* for --list; NULL at the end */
};

extern const struct suite suite_threads, suite_values, suite_malloc, suite_isolate;

/* Whether the filter lets a workload pass, and whether a list (NULL: yes) has a word. */
bool plan_wants(const struct plan *plan, const struct workload *workload);
bool plan_listed(const char *list, const char *word);
/* Adds a cell (by copy, results empty) and returns it, valid until the next one. */
struct cell *plan_add(struct plan *plan, struct cell cell);
void plan_add_absent(struct plan *plan, const char *name, const char *reason);
void plan_free(struct plan *plan);

/* The cell with these columns (NULL: any), or NULL. */
const struct cell *plan_find(const struct plan *plan, const char *workload, const char *counts,
                             const char *threads, const char *allocator, const char *program);
/* The yardstick of a workload, or NULL. */
const struct cell *plan_yardstick(const struct plan *plan, const struct workload *workload);

double cell_median(const struct plan *plan, const struct cell *cell);
double cell_rss(const struct plan *plan, const struct cell *cell);   /* median of the rounds, KiB */
double cell_grown(const struct plan *plan, const struct cell *cell); /* the same; NAN: not told */
/* The paired ratio of two cells, of time or of peak memory; either may be NULL. */
struct stats_ratio cell_ratio(const struct plan *plan, const struct cell *a, const struct cell *b,
                              bool of_rss);

/* Runs all rounds; returns how many cells failed. */
size_t plan_run(struct plan *plan);

#endif
