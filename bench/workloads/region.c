/* SPDX-License-Identifier: MIT */
/* Regions go from one thread to another, which had slept, and back, some times in a row: isolated
 * without a look, then extracted, entered and left on the other side. By turns with that their
 * graphs are traversed in plain C, by the thread that has them, and proved to be isolated. Now and
 * then one more is made and dropped, and the same graph outside of any region by its counts.
 *   region        one, of a million nodes
 *   region-small  a thousand, of a thousand nodes each */
#include "bench/ops.h"
#include "bench/partner.h"
#include "bench/turns.h"
#include "bench/workloads/graphs.h"
#include "isolate/region.h"

#include <stdlib.h>

enum { PROOF, DROP, DROP_COUNTED, MOVE, TRAVERSE, TIMES };

struct state {
    size_t regions, nodes; /* so many regions of so many nodes */
    struct ouro_region **region;
    struct node **root;
    struct ouro_isolated **handle;
    struct node **queue, **all; /* room for the nodes of one */
    uint64_t epoch;
    size_t seen;
    const char *error;
    double now[TIMES]; /* the last of each, nanoseconds */
    double times[TIMES][TURNS_MAX];
};

/* -- what is done, by either thread ------------------------------------------------------------ */

static void isolate(void *arg)
{
    struct state *s = arg;
    double start = bench_now();
    for (size_t i = 0; i < s->regions; i++)
        if (ouro_region_isolate_unchecked(s->region[i], s->root[i], &s->handle[i]) != OURO_OK)
            bench_die("a region is not isolated");
    s->now[MOVE] += bench_now() - start;
}

static void extract(void *arg)
{
    struct state *s = arg;
    double start = bench_now();
    for (size_t i = 0; i < s->regions; i++) {
        void *root;
        s->region[i] = ouro_region_extract(s->handle[i], &root);
        if (s->region[i] == NULL || ouro_region_enter(s->region[i]) != OURO_OK)
            bench_die("a region cannot be entered");
        s->root[i] = root;
        ouro_region_leave(s->region[i]);
    }
    s->now[MOVE] += bench_now() - start;
}

static void prove(void *arg)
{
    struct state *s = arg;
    double start = bench_now();
    for (size_t i = 0; i < s->regions; i++)
        if (ouro_region_isolate(s->region[i], s->root[i], &s->handle[i], NULL) != OURO_OK)
            bench_die("a region is not isolated");
    s->now[PROOF] = bench_now() - start;
    for (size_t i = 0; i < s->regions; i++) {
        if (ouro_isolated_objects(s->handle[i]) != s->nodes)
            s->error = "not all nodes were proved isolated";
        (void)ouro_region_extract(s->handle[i], NULL);
    }
}

static void traverse(void *arg)
{
    struct state *s = arg;
    size_t seen = 0;
    s->epoch++;
    double start = bench_now();
    for (size_t i = 0; i < s->regions; i++)
        seen += graph_traverse(s->root[i], s->epoch, s->queue);
    s->now[TRAVERSE] = bench_now() - start;
    s->seen = seen;
}

static struct ouro_region *make(struct state *s, struct node **root)
{
    struct ouro_region *region;
    if (ouro_region_new(&region) != OURO_OK || ouro_region_enter(region) != OURO_OK)
        bench_die("no memory for a region");
    *root = graph_random(s->all, s->nodes);
    ouro_region_leave(region);
    return region;
}

static void drop(struct state *s)
{
    struct node *root;
    struct ouro_isolated *handle;
    struct ouro_region *region = make(s, &root);
    if (ouro_region_isolate_unchecked(region, root, &handle) != OURO_OK)
        bench_die("a region is not isolated");
    double start = bench_now();
    ouro_isolated_drop(handle);
    s->now[DROP] = bench_now() - start;
    root = graph_random(s->all, s->nodes);
    start = bench_now();
    ouro_decref(root);
    ouro_collect(NULL);
    s->now[DROP_COUNTED] = bench_now() - start;
}

/* -- turns ------------------------------------------------------------------------------------- */

static void at(bool there, partner_job *job, struct state *s)
{
    if (there)
        partner_do(job, s);
    else
        job(s);
}

/* The regions are `there` before it, and on the other side after it. */
#define MOVES 15 /* in a row, an odd number */
static void turn(struct state *s, bool there)
{
    s->now[MOVE] = 0;
    for (unsigned i = 0; i < MOVES; i++) {
        at(there != (i & 1), isolate, s);
        at(there == (i & 1), extract, s);
    }
    s->now[MOVE] /= MOVES;
    at(!there, traverse, s);
    at(!there, prove, s);
    if (s->seen != s->regions * s->nodes)
        s->error = "the traversal did not see all nodes";
}

static void setup(struct bench_run *run, size_t regions, size_t nodes)
{
    struct state *s = calloc(1, sizeof *s);
    if (s == NULL)
        bench_die("no memory");
    s->regions = regions;
    s->nodes = nodes;
    s->region = calloc(regions, sizeof(void *));
    s->root = calloc(regions, sizeof(void *));
    s->handle = calloc(regions, sizeof(void *));
    s->queue = calloc(nodes, sizeof(void *));
    s->all = calloc(nodes, sizeof(void *));
    if (!s->region || !s->root || !s->handle || !s->queue || !s->all)
        bench_die("no memory");
    run->state = s;
    ouro_collect_pause();
    for (size_t i = 0; i < regions; i++)
        s->region[i] = make(s, &s->root[i]);
    partner_begin();
    partner_do(traverse, s);
}

static void setup_big(struct bench_run *run)
{
    setup(run, 1, run->quick ? 100000 : 1000000);
}
static void setup_small(struct bench_run *run)
{
    setup(run, run->quick ? 100 : 1000, 1000);
}

/* An even number of turns: the regions are here again afterwards. */
static double run_turns(struct bench_run *run, unsigned turns)
{
    struct state *s = run->state;
    turn(s, false);
    turn(s, true); /* these two warm up */
    drop(s);
    for (unsigned i = 0; i < turns; i++) {
        turn(s, i & 1);
        if (i & 1)
            drop(s);
        for (unsigned k = 0; k < TIMES; k++)
            s->times[k][i] = s->now[k];
    }
    double n = (double)s->regions;
    run->ops = s->regions;
    run->part_ns[PROOF] = bench_median(s->times[PROOF], turns) / n;
    run->part_ns[DROP] = bench_median(s->times[DROP], turns);
    run->part_ns[DROP_COUNTED] = bench_median(s->times[DROP_COUNTED], turns);
    run->base_ns = bench_median(s->times[TRAVERSE], turns) / n;
    run->check = s->seen;
    run->error = s->error;
    return bench_median(s->times[MOVE], turns);
}

static double repeat(struct bench_run *run)
{
    return run_turns(run, 8);
}

static void end(struct bench_run *run)
{
    struct state *s = run->state;
    for (size_t i = 0; i < s->regions; i++) {
        struct ouro_isolated *handle;
        if (ouro_region_isolate(s->region[i], s->root[i], &handle, NULL) != OURO_OK)
            bench_die("a region is not isolated any more");
        ouro_isolated_drop(handle);
    }
    partner_end();
    free(s->region);
    free(s->root);
    free(s->handle);
    free(s->queue);
    free(s->all);
    free(s);
}

const struct bench_workload work_region = {"region", setup_big, repeat, end, true};
const struct bench_workload work_region_small = {"region-small", setup_small, repeat, end, true};
