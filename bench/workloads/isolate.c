/* SPDX-License-Identifier: MIT */
/* Graphs are isolated by one thread and extracted by another, which had slept, then the other way:
 * the sum of the two times. By turns with that the graph is traversed in plain C, by the thread
 * that has it: the very same nodes. Of a big graph a deep copy is made, too, now and then.
 *   graph, tree, list                 a million nodes, of each shape
 *   handover-1, handover-10, handover-100   a thousand random graphs of so many nodes */
#include "bench/ops.h"
#include "bench/partner.h"
#include "bench/turns.h"
#include "bench/workloads/graphs.h"
#include "isolate/isolated.h"

#include <stdlib.h>

enum { ISOLATE, EXTRACT, DEEPCOPY, TRAVERSE, TIMES };

struct state {
    size_t graphs, nodes; /* so many graphs of so many nodes */
    struct node **root;
    struct ouro_isolated **handle;
    struct node **queue; /* room for the nodes of one */
    uint64_t epoch;
    size_t seen;
    const char *error;
    double now[TIMES]; /* the last of each, nanoseconds */
    double all[TIMES][TURNS_MAX];
    unsigned turns, copies;
};

/* -- what is done, by either thread ------------------------------------------------------------ */

static void isolate(void *arg)
{
    struct state *s = arg;
    if (ouro_candidates() != 0)
        s->error = "a collector would find something";
    double start = bench_now();
    for (size_t i = 0; i < s->graphs; i++)
        if (ouro_isolate(s->root[i], &s->handle[i], NULL) != OURO_OK)
            bench_die("a graph is not isolated");
    s->now[ISOLATE] = bench_now() - start;
    for (size_t i = 0; i < s->graphs; i++)
        if (ouro_isolated_objects(s->handle[i]) != s->nodes)
            s->error = "not all nodes were isolated";
}

static void extract(void *arg)
{
    struct state *s = arg;
    double start = bench_now();
    for (size_t i = 0; i < s->graphs; i++)
        s->root[i] = ops_checked(ouro_extract(s->handle[i]));
    s->now[EXTRACT] = bench_now() - start;
}

static void traverse(void *arg)
{
    struct state *s = arg;
    size_t seen = 0;
    s->epoch++;
    double start = bench_now();
    for (size_t i = 0; i < s->graphs; i++)
        seen += graph_traverse(s->root[i], s->epoch, s->queue);
    s->now[TRAVERSE] = bench_now() - start;
    s->seen = seen;
}

static void copy(struct state *s)
{
    struct ouro_isolated *fresh = NULL;
    double start = bench_now();
    if (ouro_deepcopy(s->root[0], &fresh, NULL) != OURO_OK)
        bench_die("no memory for a copy");
    s->now[DEEPCOPY] = bench_now() - start;
    if (ouro_isolated_objects(fresh) != s->nodes)
        s->error = "the copy is not whole";
    ouro_isolated_drop(fresh);
    ouro_collect(NULL);
    if (ouro_candidates() != 0)
        s->error = "candidates are left after a collection";
}

static void drop_all(struct state *s)
{
    for (size_t i = 0; i < s->graphs; i++)
        ouro_decref(s->root[i]);
    ouro_collect(NULL);
}

/* -- turns ------------------------------------------------------------------------------------- */

static void at(bool there, partner_job *job, struct state *s)
{
    if (there)
        partner_do(job, s);
    else
        job(s);
}

/* The graphs are `there` before it, and on the other side after it. */
static void turn(struct state *s, bool there, bool traverse_first)
{
    if (traverse_first)
        at(there, traverse, s);
    at(there, isolate, s);
    at(!there, extract, s);
    if (!traverse_first)
        at(!there, traverse, s);
    if (s->seen != s->graphs * s->nodes)
        s->error = "the traversal did not see all nodes";
}

static void note(struct state *s, unsigned which, unsigned i)
{
    s->all[which][i] = s->now[which];
}

static void setup(struct bench_run *run, graph_maker *make, size_t graphs, size_t nodes)
{
    struct state *s = calloc(1, sizeof *s);
    struct node **all = calloc(nodes, sizeof *all);
    if (s == NULL || all == NULL)
        bench_die("no memory");
    s->graphs = graphs;
    s->nodes = nodes;
    s->root = calloc(graphs, sizeof(void *));
    s->handle = calloc(graphs, sizeof(void *));
    s->queue = calloc(nodes, sizeof(void *));
    if (s->root == NULL || s->handle == NULL || s->queue == NULL)
        bench_die("no memory");
    run->state = s;
    ouro_collect_pause();
    for (size_t i = 0; i < graphs; i++)
        s->root[i] = make(all, nodes);
    free(all);
    partner_begin();
    partner_do(traverse, s); /* all pages of the queue are there */
}

static void setup_graph(struct bench_run *run)
{
    setup(run, graph_random, 1, run->quick ? 100000 : 1000000);
}
static void setup_tree(struct bench_run *run)
{
    setup(run, graph_tree, 1, run->quick ? 100000 : 1000000);
}
static void setup_list(struct bench_run *run)
{
    setup(run, graph_list, 1, run->quick ? 100000 : 1000000);
}
static void setup_1(struct bench_run *run)
{
    setup(run, graph_random, 1000, 1);
}
static void setup_10(struct bench_run *run)
{
    setup(run, graph_random, 1000, 10);
}
static void setup_100(struct bench_run *run)
{
    setup(run, graph_random, 1000, 100);
}

static double finish(struct bench_run *run, struct state *s, size_t ops)
{
    double isolated = bench_median(s->all[ISOLATE], s->turns);
    double extracted = bench_median(s->all[EXTRACT], s->turns);
    run->ops = ops;
    run->part_ns[ISOLATE] = isolated / (double)ops;
    run->part_ns[EXTRACT] = extracted / (double)ops;
    if (s->copies > 0)
        run->part_ns[DEEPCOPY] = bench_median(s->all[DEEPCOPY], s->copies) / (double)ops;
    run->base_ns = bench_median(s->all[TRAVERSE], s->turns) / (double)ops;
    run->check = s->seen;
    run->error = s->error;
    return isolated + extracted;
}

/* An even number of turns: the graphs are here again afterwards. */
static double run_turns(struct bench_run *run, unsigned turns, unsigned copies)
{
    struct state *s = run->state;
    turn(s, false, true);
    turn(s, true, false); /* these two warm up */
    s->turns = s->copies = 0;
    for (unsigned i = 0; i < turns; i++) {
        turn(s, i & 1, i & 2);
        note(s, ISOLATE, i);
        note(s, EXTRACT, i);
        note(s, TRAVERSE, s->turns++);
        if (i & 1 && s->copies < copies) {
            copy(s);
            note(s, DEEPCOPY, s->copies++);
        }
    }
    return finish(run, s, s->graphs > 1 ? s->graphs : s->nodes);
}

static double repeat_big(struct bench_run *run)
{
    return run_turns(run, 8, 0);
}
static double repeat_graph(struct bench_run *run)
{
    return run_turns(run, 8, run->quick ? 1 : 3);
}
static double repeat_small(struct bench_run *run)
{
    return run_turns(run, run->quick ? 20 : 100, 0);
}

static void end(struct bench_run *run)
{
    struct state *s = run->state;
    drop_all(s);
    partner_end();
    free(s->root);
    free(s->handle);
    free(s->queue);
    free(s);
}

const struct bench_workload work_graph_over = {"graph", setup_graph, repeat_graph, end, true};
const struct bench_workload work_tree_over = {"tree", setup_tree, repeat_big, end, true};
const struct bench_workload work_list_over = {"list", setup_list, repeat_big, end, true};
const struct bench_workload work_over_1 = {"handover-1", setup_1, repeat_small, end, true};
const struct bench_workload work_over_10 = {"handover-10", setup_10, repeat_small, end, true};
const struct bench_workload work_over_100 = {"handover-100", setup_100, repeat_small, end, true};
