/* SPDX-License-Identifier: MIT */
/* The suite `malloc`: libouro-malloc.so beside libc's malloc (the yardstick) and its peers, each
 * preloaded into the same programs: kernels of malloc and free alone, and programs found on the
 * machine. What is claimed of it: suite_malloc_claims.c. */
#include "bench/driver/suite_malloc.h"
#include "bench/driver/allocators.h"
#include "bench/driver/programs.h"

#include <string.h>

#define KERNEL MALLOC_KERNEL
#define TWO    MALLOC_TWO

const struct workload malloc_workloads[] = {
    {"lifo", "pair", "a block of 32 bytes is taken and given back", 11, KERNEL},
    {"fifo", "pair", "1000 blocks of 32 bytes are taken, then given back in that order", 11,
     KERNEL},
    {"random", "pair", "blocks of 16 to 1024 bytes take each other's place, 10,000 live", 11,
     KERNEL},
    {"remote", "pair", "one thread takes blocks, another gives them back", 11, KERNEL | TWO},
    {"remote-both", "pair", "two threads take blocks and give back each other's", 11, KERNEL | TWO},
    {"larson", "pair", "sets of blocks go round two threads, who replace them", 11, KERNEL | TWO},
    {"random-mt", "pair", "two threads do as in random, each for itself", 11, KERNEL | TWO},
    {"startup", "run", "a program that takes one block and ends", 1, 0},
    {"lua", "run", "Lua: tables and strings are made and dropped", 1, 0},
    {"python", "run", "CPython on malloc: dicts, lists, strings, objects, JSON", 1, 0},
    {"perl", "run", "Perl: hashes of hashes, strings that are split and joined", 1, 0},
    {"compile", "run", "a C compiler optimizes tables of many types", 1, 0},
    {"git", "run", "git shows a history with its differences", 1, 0},
    {"sort", "run", "sort, by two threads, of a text", 1, TWO},
    {"xz", "run", "xz compresses a text by two threads", 1, TWO},
    {"maps", "run", "C++: trees and hash tables of strings, on two threads", 1, TWO},
    {0}};

/* Texts to sort and to compress, and a history of a file, by tools that every system has. */
#define LINES                                                                                      \
    "awk -v n=$SIZE 'BEGIN { x = 1; while (n-- > 0) { x = (x * 16807) % 2147483647; "              \
    "printf \"%d line %d of %s text\\n\", x, n, x % 3 ? \"some\" : \"other\" } }'"
#define HISTORY                                                                                    \
    "rm -rf repo && \"$TOOL\" init -q repo && awk -v n=$SIZE 'BEGIN { for (c = 1; c <= n; c++) { " \
    "print \"commit refs/heads/main\\ncommitter A <a@b.c> \" c \" +0000\\ndata 1\\nc\"; "          \
    "for (f = c % 4; f < 40; f += 4) { t = \"\"; for (i = 0; i < 300; i++) "                       \
    "t = t \"line \" (i * f + (i % 50 == c % 50 ? c : 0)) \"\\n\"; "                               \
    "print \"M 644 inline f\" f \"\\ndata \" length(t) \"\\n\" t } } }' | "                        \
    "\"$TOOL\" -C repo fast-import --quiet"

/* python3 may be a script that looks for the interpreter, at half a run's cost. */
#define INTERPRETER "ln -sf \"$(\"$TOOL\" -c 'import sys; print(sys.executable)')\" python3"

static const struct program programs[] = {
    {"lua", "lua5.4 lua5.3 lua", "lua5.4", {150, 10}, NULL, "$TOOL $PROGRAMS/churn.lua $SIZE"},
    {"python",
     "python3",
     "python3",
     {60, 5},
     INTERPRETER,
     "PYTHONMALLOC=malloc PYTHONHASHSEED=0 ./python3 -S $PROGRAMS/churn.py $SIZE"},
    {"perl", "perl", "perl", {80, 5}, NULL, "PERL_HASH_SEED=0 $TOOL $PROGRAMS/churn.pl $SIZE"},
    {"compile",
     "gcc cc",
     "gcc",
     {1, 0},
     NULL,
     "$TOOL -O2 -DTIMES=$SIZE -S -o - $PROGRAMS/compile.c"},
    {"git", "git", "git", {120, 12}, HISTORY, "$TOOL -C repo --no-pager log -p --stat main"},
    {"sort",
     "sort",
     "coreutils",
     {500000, 20000},
     LINES " >sort.txt",
     "$TOOL --parallel=2 -S 64M -k 3 sort.txt"},
    {"xz",
     "xz",
     "xz-utils",
     {250000, 20000},
     LINES " >xz.txt",
     "$TOOL -1 -c -T2 --block-size=1MiB xz.txt"},
    {"maps", NULL, NULL, {800, 50}, NULL, "$PROGRAMS/maps $SIZE"}};

static const struct program *program_of(const struct workload *w)
{
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (strcmp(programs[i].workload, w->name) == 0)
            return &programs[i];
    return NULL;
}

const struct cell *malloc_cell(const struct plan *plan, const char *workload, const char *allocator)
{
    return plan_find(plan, workload, NULL, NULL, allocator, NULL);
}

static void add(struct plan *plan, const struct workload *w, const char *name, const char *preload)
{
    const struct program *program = program_of(w);
    if (plan_listed(plan->options->allocators, name))
        plan_add(plan,
                 (struct cell){.workload = w,
                               .counts = "none",
                               .threads = w->flags & MALLOC_TWO ? "on" : "off",
                               .allocator = name,
                               .program = program ? "program" : "c",
                               .worker = program                    ? NULL
                                         : w->flags & MALLOC_KERNEL ? "ouro-bench-worker-pairs"
                                                                    : "ouro-bench-worker-startup",
                               .command = program,
                               .preload = preload,
                               .workers = w->flags & MALLOC_TWO ? 2 : 1,
                               .yardstick = !preload});
}

static void add_all(struct plan *plan, const struct workload *w)
{
    const char *ours = allocator_ours();
    for (const struct allocator *a = allocators; a->name; a++) {
        const char *library = allocator_library(a);
        if (library || !a->sonames[0])
            add(plan, w, a->name, library);
        if (a == allocators && ours) /* ours and libc's are neighbours in time */
            add(plan, w, "ouro", ours);
    }
}

static void plan_malloc(struct plan *plan)
{
    for (const struct workload *w = malloc_workloads; w->name; w++) {
        const struct program *program = program_of(w);
        if (plan_wants(plan, w) && (program == NULL || program_ready(plan, program)))
            add_all(plan, w);
    }
    if (allocator_ours() == NULL && plan_listed(plan->options->allocators, "ouro"))
        plan_add_absent(plan, "ouro", "libouro-malloc.so was not built");
    allocators_tell_absent(plan);
}

const struct suite suite_malloc = {.name = "malloc",
                                   .what = "malloc and free, in kernels and in programs",
                                   .ratio = "to libc",
                                   .rss_ratio = true,
                                   .workloads = malloc_workloads,
                                   .plan = plan_malloc,
                                   .claims = malloc_claims,
                                   .plot = malloc_plot,
                                   .claim_names = malloc_claim_names};
