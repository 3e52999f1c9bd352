/* SPDX-License-Identifier: MIT */
/* rings, graph, live: what the cycle collector is asked. Building is not timed; dropping what the
 * program held and one full collection are.
 *   rings  a million rings of three
 *   graph  a million nodes, three random edges each
 *   live   the same with one edge of each along one ring of all, held by one reference; one node in
 *          a hundred is a candidate; nothing is garbage */
#include "bench/ops.h"
#include "orc/weak.h"

#include <stdlib.h>

#define PROBES 1000

struct node {
    struct node *to[3];
    uint64_t id;
};
#define NODE_FIELDS(X)                                                                             \
    X(ref, struct node, to[0], node)                                                               \
    X(ref, struct node, to[1], node) X(ref, struct node, to[2], node)
OPS_TYPE(node, NODE_FIELDS, OPS_CYCLIC)

struct link {
    struct link *next;
    uint64_t id;
};
#define LINK_FIELDS(X) X(ref, struct link, next, link)
OPS_TYPE(link, LINK_FIELDS, OPS_CYCLIC)

struct state {
    uint32_t count;
    void **held; /* count of them */
    void *root;  /* of the live graph */
    uint32_t *order;
    struct ouro_weak *probe[PROBES];
};

static void setup(struct bench_run *run)
{
    struct state *s = calloc(1, sizeof *s);
    if (s == NULL)
        bench_die("no memory");
    s->count = run->quick ? 100000 : 1000000;
    s->held = calloc(s->count, sizeof *s->held);
    s->order = calloc(s->count, sizeof *s->order);
    if (s->held == NULL || s->order == NULL)
        bench_die("no memory");
    run->state = s;
    ouro_collect_pause(); /* the triggers' turn is in `closures` */
}

/* Weak references to some of what is held; only in the warm-up, for they change what deaths cost.
 */
static void probe(struct bench_run *run)
{
    struct state *s = run->state;
    uint64_t seed = 7;
    for (unsigned i = 0; run->warm_up && i < PROBES; i++) {
        s->probe[i] = ouro_weak_new(s->held[bench_below(&seed, s->count)]);
        if (s->probe[i] == NULL)
            bench_die("no memory for a weak reference");
    }
}
static void check_probes(struct bench_run *run, bool alive)
{
    struct state *s = run->state;
    for (unsigned i = 0; run->warm_up && i < PROBES; i++) {
        void *object = ouro_weak_upgrade(s->probe[i]);
        if ((object != NULL) != alive)
            run->error = alive ? "a live object was freed" : "garbage was not collected";
        ouro_decref(object);
        ouro_weak_decref(s->probe[i]);
    }
}

static void build_rings(struct state *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct link *a = link_new(), *b = link_new(), *c = link_new();
        *a = (struct link){NULL, i};
        *b = (struct link){c, i};
        *c = (struct link){NULL, i};
        a->next = b;
        link_copy(c, &c->next, a);
        s->held[i] = a;
    }
}

static void make_nodes(struct state *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct node *node = node_new();
        *node = (struct node){{NULL, NULL, NULL}, i};
        s->held[i] = node;
    }
}

static void build_graph(struct state *s)
{
    uint64_t seed = 12345;
    make_nodes(s);
    for (uint32_t i = 0; i < s->count; i++) {
        struct node *node = s->held[i];
        for (unsigned k = 0; k < 3; k++)
            node_copy(node, &node->to[k], s->held[bench_below(&seed, s->count)]);
    }
}

/* The first edges of all make one ring in random order; they take over the array's references, so
 * that building makes no candidate. What the array had is then borrowed. */
static void build_live(struct state *s)
{
    uint64_t seed = 12345;
    uint32_t n = s->count;
    make_nodes(s);
    for (uint32_t i = 0; i < n; i++)
        s->order[i] = i;
    for (uint32_t i = n - 1; i > 0; i--) {
        uint32_t j = bench_below(&seed, i + 1), t = s->order[i];
        s->order[i] = s->order[j];
        s->order[j] = t;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct node *node = s->held[s->order[i]];
        node_init(node, &node->to[0], s->held[s->order[(i + 1) % n]]);
        node_copy(node, &node->to[1], s->held[bench_below(&seed, n)]);
        node_copy(node, &node->to[2], s->held[bench_below(&seed, n)]);
    }
    s->root = s->held[0];
    ouro_incref(s->root);
}

static double collect_all(struct bench_run *run)
{
    struct state *s = run->state;
    probe(run);
    double start = bench_now();
    for (uint32_t i = 0; i < s->count; i++)
        ouro_decref(s->held[i]);
    ouro_collect(NULL);
    double end = bench_now();
    check_probes(run, false);
    if (ouro_candidates() != 0)
        run->error = "candidates are left after a collection";
    return end - start;
}

static double repeat_rings(struct bench_run *run)
{
    struct state *s = run->state;
    build_rings(s);
    run->ops = (size_t)s->count * 3;
    return collect_all(run);
}

static double repeat_graph(struct bench_run *run)
{
    struct state *s = run->state;
    build_graph(s);
    run->ops = s->count;
    return collect_all(run);
}

/* A fresh graph each time: a collector may remember what it found live. */
static double repeat_live(struct bench_run *run)
{
    struct state *s = run->state;
    uint64_t seed = 99;
    ouro_decref(s->root);
    ouro_collect(NULL);
    build_live(s);
    probe(run);
    for (uint32_t i = 0; i < s->count / 100; i++) {
        void *node = s->held[bench_below(&seed, s->count)];
        ouro_incref(node);
        ouro_decref(node);
    }
    struct ouro_collection did;
    double start = bench_now();
    ouro_collect(&did);
    double end = bench_now();
    if (did.freed != 0)
        run->error = "a live object was freed";
    if (did.candidates == 0)
        run->error = "there was no candidate";
    check_probes(run, true);
    run->ops = s->count;
    return end - start;
}

const struct bench_workload work_rings = {"rings", setup, repeat_rings, NULL, false};
const struct bench_workload work_graph = {"graph", setup, repeat_graph, NULL, false};
const struct bench_workload work_live = {"live", setup, repeat_live, NULL, false};
