/* SPDX-License-Identifier: MIT */
/* reuse-*: functional updates of a search tree that nobody else refers to, as a compiler of a
 * functional language lowers them: a function owns its arguments, takes a node apart and builds the
 * new one. Two lowerings, each with reuse tokens (Reinking et al. 2021) and without; all of them
 * are right for shared trees too:
 *
 *   the plain one    the parts are counted up and the node is dropped: ouro_drop_reuse beside a
 *                    decref and a fresh node (reuse-insert, reuse-map)
 *   the careful one  the parts of a unique node are moved out: ouro_take_reuse beside a decref of
 *                    the emptied node and a fresh one (reuse-insert-moved, reuse-map-moved) */
#include "bench/ops.h"
#include "bench/turns.h"

struct node {
    struct node *left, *right;
    int64_t key, value;
};
#define NODE_FIELDS(X) X(ref, struct node, left, node) X(chain, struct node, right, node)
OPS_TYPE(node, NODE_FIELDS, OPS_ACYCLIC)

#define KEYS 4096 /* different ones; a tree of some 200 KiB, some 28 deep */

/* The parts of a node that was taken apart are the caller's; `cell` is what remains. */
struct parts {
    struct node *left, *right;
    int64_t key, value;
    ouro_reuse cell;
};

OURO_INLINE struct node *old_cell(ouro_reuse cell)
{
    return ops_checked(ouro_new_reuse(cell, &node_type, sizeof(struct node)));
}
OURO_INLINE struct node *fresh_cell(ouro_reuse cell)
{
    (void)cell;
    return node_new();
}

OURO_INLINE struct parts dropped_open(struct node *n)
{
    struct parts p = {n->left, n->right, n->key, n->value, {NULL}};
    node_keep(p.left);
    node_keep(p.right);
    p.cell = ouro_drop_reuse(n);
    return p;
}
OURO_INLINE struct parts fresh_open(struct node *n)
{
    struct parts p = {n->left, n->right, n->key, n->value, {NULL}};
    node_keep(p.left);
    node_keep(p.right);
    node_drop(n);
    return p;
}

OURO_INLINE struct parts taken_open(struct node *n)
{
    struct parts p = {n->left, n->right, n->key, n->value, ouro_take_reuse(n, &node_type)};
    if (OURO_UNLIKELY(p.cell.cell == NULL)) {
        node_keep(p.left);
        node_keep(p.right);
        node_drop(n);
    }
    return p;
}
OURO_INLINE struct parts moved_open(struct node *n)
{
    struct parts p = {n->left, n->right, n->key, n->value, {NULL}};
    if (OURO_LIKELY(ouro_is_unique(n))) {
        n->left = n->right = NULL;
    } else {
        node_keep(p.left);
        node_keep(p.right);
    }
    node_drop(n);
    return p;
}

static uint64_t sum(const struct node *n)
{
    return n ? (uint64_t)n->value + 3 * sum(n->left) + 5 * sum(n->right) : 0;
}

/* The tree that is mapped, built in place. */
static struct node *plant(struct node *root, int64_t key)
{
    struct node **at = &root;
    while (*at && (*at)->key != key)
        at = key < (*at)->key ? &(*at)->left : &(*at)->right;
    if (*at == NULL) {
        *at = node_new();
        **at = (struct node){NULL, NULL, key, key};
    }
    return root;
}

/* One operation is an insertion: a path is copied. */
static double inserts(size_t n, uint64_t *check, struct node *(*insert)(struct node *, int64_t))
{
    uint64_t seed = 7;
    struct node *root = NULL;
    double start = bench_now();
    for (size_t i = 0; i < n; i++)
        root = insert(root, bench_below(&seed, KEYS));
    double end = bench_now();
    *check = sum(root);
    node_drop(root);
    return end - start;
}

/* One operation is a node: all of them are, again and again. */
static double maps(size_t n, uint64_t *check, struct node *(*map)(struct node *, int64_t))
{
    uint64_t seed = 7;
    struct node *root = NULL;
    for (size_t i = 0; i < 3 * KEYS; i++)
        root = plant(root, bench_below(&seed, KEYS));
    double start = bench_now();
    for (size_t i = 0; i < n / KEYS; i++)
        root = map(root, 3);
    double end = bench_now();
    *check = sum(root);
    node_drop(root);
    return end - start;
}

#define UPDATES(HOW, CELL)                                                                         \
    OURO_INLINE struct node *HOW##_build(const struct parts *p)                                    \
    {                                                                                              \
        struct node *n = CELL(p->cell);                                                            \
        *n = (struct node){p->left, p->right, p->key, p->value};                                   \
        return n;                                                                                  \
    }                                                                                              \
    static struct node *HOW##_insert(struct node *n, int64_t key)                                  \
    {                                                                                              \
        struct parts p = {NULL, NULL, key, 0, {NULL}};                                             \
        if (n != NULL)                                                                             \
            p = HOW##_open(n);                                                                     \
        if (key < p.key)                                                                           \
            p.left = HOW##_insert(p.left, key);                                                    \
        else if (key > p.key)                                                                      \
            p.right = HOW##_insert(p.right, key);                                                  \
        else                                                                                       \
            p.value++;                                                                             \
        return HOW##_build(&p);                                                                    \
    }                                                                                              \
    static struct node *HOW##_map(struct node *n, int64_t factor)                                  \
    {                                                                                              \
        if (n == NULL)                                                                             \
            return NULL;                                                                           \
        struct parts p = HOW##_open(n);                                                            \
        p.left = HOW##_map(p.left, factor);                                                        \
        p.value = p.value * factor + p.key;                                                        \
        p.right = HOW##_map(p.right, factor);                                                      \
        return HOW##_build(&p);                                                                    \
    }                                                                                              \
    static double HOW##_inserts(size_t n, uint64_t *check)                                         \
    {                                                                                              \
        return inserts(n, check, HOW##_insert);                                                    \
    }                                                                                              \
    static double HOW##_maps(size_t n, uint64_t *check)                                            \
    {                                                                                              \
        return maps(n, check, HOW##_map);                                                          \
    }

UPDATES(dropped, old_cell)
UPDATES(fresh, fresh_cell)
UPDATES(taken, old_cell)
UPDATES(moved, fresh_cell)

static double repeat_insert(struct bench_run *run)
{
    return bench_by_turns(run, dropped_inserts, fresh_inserts, run->quick ? 10000 : 50000);
}
static double repeat_insert_moved(struct bench_run *run)
{
    return bench_by_turns(run, taken_inserts, moved_inserts, run->quick ? 10000 : 50000);
}
static double repeat_map(struct bench_run *run)
{
    return bench_by_turns(run, dropped_maps, fresh_maps, (run->quick ? 10 : 50) * KEYS);
}
static double repeat_map_moved(struct bench_run *run)
{
    return bench_by_turns(run, taken_maps, moved_maps, (run->quick ? 10 : 50) * KEYS);
}

const struct bench_workload work_reuse_insert = {.name = "reuse-insert", .repeat = repeat_insert};
const struct bench_workload work_reuse_map = {.name = "reuse-map", .repeat = repeat_map};
const struct bench_workload work_reuse_insert_moved = {.name = "reuse-insert-moved",
                                                       .repeat = repeat_insert_moved};
const struct bench_workload work_reuse_map_moved = {.name = "reuse-map-moved",
                                                    .repeat = repeat_map_moved};
