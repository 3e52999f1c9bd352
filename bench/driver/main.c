/* SPDX-License-Identifier: MIT */
/* ouro-bench: the command line.
 *
 * Exit status: 0 all was measured; 1 a worker failed, or a file could not be written; 2 something
 * was asked for that does not exist. Whether claims hold is reported, not judged. */
#include "bench/driver/plan.h"
#include "bench/driver/process.h"
#include "bench/driver/report.h"

#include <argp.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct suite *const suites[] = {&suite_threads, &suite_values, &suite_malloc,
                                             &suite_isolate, NULL};

struct command {
    struct options options;
    const struct suite *suite;
    bool list, rounds_given;
};

enum {
    KEY_JSON = 256,
    KEY_PLOT,
    KEY_LIST,
    KEY_COUNTS,
    KEY_ALLOCATORS,
    KEY_DIR,
    KEY_QUICK,
    KEY_PROGRESS,
    KEY_WORKERS
};

static const struct argp_option keys[] = {
    {"json", KEY_JSON, "FILE", 0, "Write rows and claims as JSON ('-': standard output)", 0},
    {"plot", KEY_PLOT, "FILE.png", 0, "Draw the report with gnuplot", 0},
    {"list", KEY_LIST, NULL, 0, "List suites, or the workloads and claims of one", 0},
    {"filter", 'f', "REGEX", 0, "Only workloads whose name matches", 0},
    {"counts", KEY_COUNTS, "LIST", 0, "Only these: local,atomic,biased,plain", 0},
    {"allocators", KEY_ALLOCATORS, "LIST", 0,
     "Only these: ouro,libc,jemalloc,mimalloc,tcmalloc,nim", 0},
    {"dir", KEY_DIR, "DIR", 0, "Count the words of this directory (/usr/share/doc)", 0},
    {"rounds", 'r', "N", 0, "Run everything N times (7; with --quick 3)", 0},
    {"quick", KEY_QUICK, NULL, 0, "Small sizes and few rounds: for a look, not for figures", 0},
    {"progress", KEY_PROGRESS, NULL, 0, "Show progress although stderr is no terminal", 0},
    {"workers", KEY_WORKERS, "DIR", OPTION_HIDDEN, "Where the worker programs are", 0},
    {0}};

static const struct suite *find_suite(const char *name)
{
    for (size_t i = 0; suites[i]; i++)
        if (strcmp(suites[i]->name, name) == 0)
            return suites[i];
    return NULL;
}

static void check_list(struct argp_state *state, const char *list, const char *const *known,
                       const char *what)
{
    char *copy = strdup(list), *save = NULL;
    for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], w) != 0)
            i++;
        if (known[i] == NULL)
            argp_error(state, "no such %s: %s", what, w);
    }
    free(copy);
}

static error_t set_filter(struct options *o, const char *regex, struct argp_state *state)
{
    int bad = regcomp(&o->filter, regex, REG_EXTENDED | REG_NOSUB);
    if (bad) {
        char text[128];
        regerror(bad, &o->filter, text, sizeof text);
        argp_error(state, "bad filter '%s': %s", regex, text);
    }
    o->filtered = true;
    return 0;
}

static void set_rounds(struct command *c, const char *text, struct argp_state *state)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || end == text || n < 1 || n > 200)
        argp_error(state, "rounds: '%s' is not a number from 1 to 200", text);
    c->options.rounds = (unsigned)n;
    c->rounds_given = true;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    static const char *const counts[] = {"local", "atomic", "biased", "plain", NULL};
    static const char *const mallocs[] = {"ouro",     "libc", "jemalloc", "mimalloc",
                                          "tcmalloc", "nim",  NULL};
    struct command *c = state->input;
    struct options *o = &c->options;
    switch (key) {
    case KEY_JSON:
        o->json = arg;
        break;
    case KEY_PLOT:
        o->plot = arg;
        break;
    case KEY_LIST:
        c->list = true;
        break;
    case 'f':
        return set_filter(o, arg, state);
    case KEY_COUNTS:
        check_list(state, o->counts = arg, counts, "kind of counts");
        break;
    case KEY_ALLOCATORS:
        check_list(state, o->allocators = arg, mallocs, "allocator");
        break;
    case KEY_DIR:
        o->dir = arg;
        break;
    case 'r':
        set_rounds(c, arg, state);
        break;
    case KEY_QUICK:
        o->quick = true;
        break;
    case KEY_PROGRESS:
        o->progress = true;
        break;
    case KEY_WORKERS:
        o->workers = arg;
        break;
    case ARGP_KEY_ARG:
        if (c->suite)
            argp_error(state, "one suite at a time");
        c->suite = find_suite(arg);
        if (c->suite == NULL)
            argp_error(state, "no such suite: %s (ouro-bench --list names them)", arg);
        break;
    case ARGP_KEY_END:
        if (c->suite == NULL && !c->list)
            argp_error(state, "which suite? (ouro-bench --list names them)");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void list(const struct suite *suite)
{
    if (suite == NULL) {
        for (size_t i = 0; suites[i]; i++)
            printf("%-10s %s\n", suites[i]->name, suites[i]->what);
        return;
    }
    printf("workloads of %s:\n", suite->name);
    for (const struct workload *w = suite->workloads; w->name; w++)
        printf("  %-18s %s; per %s\n", w->name, w->what, w->unit);
    printf("claims of %s:\n", suite->name);
    for (size_t i = 0; suite->claim_names[i]; i++)
        printf("  %s\n", suite->claim_names[i]);
}

/* Where the workers are: beside this program, or, when it is installed, in libexec. */
static const char *workers_directory(void)
{
    static char path[4096 + 64 + sizeof OURO_BENCH_LIBEXEC];
    ssize_t n = readlink("/proc/self/exe", path, 4095);
    if (n <= 0)
        return ".";
    path[n] = '\0';
    char *name = strrchr(path, '/') + 1;
    strcpy(name, "ouro-bench-worker-off");
    bool beside = access(path, X_OK) == 0;
    strcpy(name, beside ? "." : OURO_BENCH_LIBEXEC);
    return path;
}

/* Whether FILE can be written, or made: told before minutes of measuring, not after. */
static bool can_write(const char *file)
{
    char path[4096];
    struct stat is;
    int bad = 0;
    snprintf(path, sizeof path, "%s", file);
    if (stat(file, &is) == 0 && S_ISDIR(is.st_mode))
        bad = EISDIR;
    else if (access(access(file, F_OK) == 0 ? file : dirname(path), W_OK) != 0)
        bad = errno;
    if (bad)
        fprintf(stderr, "ouro-bench: cannot write %s: %s\n", file, strerror(bad));
    return bad == 0;
}

static void say_why_nothing(const struct command *c)
{
    const struct plan plan = {.options = &c->options};
    const struct workload *w = c->suite->workloads;
    while (w->name && !plan_wants(&plan, w))
        w++;
    if (w->name == NULL)
        fprintf(stderr, "ouro-bench: the filter leaves nothing: %s --list names the workloads\n",
                c->suite->name);
    else
        fprintf(stderr,
                "ouro-bench: the filters leave nothing to measure: what %s measures is not "
                "installed, or in none of the lists\n",
                w->name);
}

/* What a suite does not have is refused, and not passed over. */
static bool can_do(const struct command *c)
{
    const char *plot = c->options.plot, *ending = plot ? strrchr(plot, '.') : NULL;
    if (plot && c->suite->plot == NULL) {
        fprintf(stderr, "ouro-bench: %s has no picture\n", c->suite->name);
        return false;
    }
    if (plot && (ending == NULL || strcmp(ending, ".png") != 0)) {
        fprintf(stderr, "ouro-bench: --plot draws a FILE.png, not %s\n", plot);
        return false;
    }
    if (c->options.counts && !c->suite->has_counts) {
        fprintf(stderr, "ouro-bench: %s has one kind of counts: no --counts\n", c->suite->name);
        return false;
    }
    char gnuplot[4096];
    if (plot && !process_find("gnuplot", gnuplot, sizeof gnuplot)) {
        fprintf(stderr, "ouro-bench: --plot needs gnuplot (package gnuplot-nox)\n");
        return false;
    }
    if (access(c->options.dir, R_OK | X_OK) != 0) {
        fprintf(stderr, "ouro-bench: cannot read the directory %s (--dir)\n", c->options.dir);
        return false;
    }
    return true;
}

static int measure(const struct command *c)
{
    struct plan plan = {.options = &c->options};
    struct claims claims = {.count = 0};
    c->suite->plan(&plan);
    if (plan.count == 0) {
        say_why_nothing(c);
        return 2;
    }
    int status = plan_run(&plan) > 0;
    c->suite->claims(&plan, &claims);
    bool json_first = c->options.json && strcmp(c->options.json, "-") == 0;
    report_table(json_first ? stderr : stdout, c->suite, &plan, &claims);
    if (c->options.json) {
        const char *error = report_json(c->options.json, c->suite, &plan, &claims);
        if (error) {
            fprintf(stderr, "ouro-bench: %s: %s\n", c->options.json, error);
            status = 1;
        }
    }
    if (c->options.plot && c->suite->plot(&plan, c->options.plot) != 0)
        status = 1;
    plan_free(&plan);
    return status;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        keys,
        parse,
        "SUITE",
        "Measures Ouro beside its yardsticks and peers.\vFigures are medians of interleaved runs; "
        "compare only what one run measured. How they are made: docs/benchmarks.md.",
        NULL,
        NULL,
        NULL};
    struct command c = {.options = {.rounds = 7, .dir = "/usr/share/doc"}};
    argp_err_exit_status = 2;
    c.options.progress = isatty(STDERR_FILENO);
    c.options.workers = workers_directory();
    argp_parse(&argp, argc, argv, 0, NULL, &c);
    if (c.list) {
        list(c.suite);
        return 0;
    }
    if (c.options.quick && !c.rounds_given)
        c.options.rounds = 3;
    if (!can_do(&c))
        return 2;
    if ((c.options.json && strcmp(c.options.json, "-") != 0 && !can_write(c.options.json)) ||
        (c.options.plot && !can_write(c.options.plot)))
        return 1;
    process_stop_in_order();
    return measure(&c);
}
