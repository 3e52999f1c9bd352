/* SPDX-License-Identifier: MIT */
/* trees: binary trees. One tree lives long; beside it, trees of every second depth from 4 on are
 * built, walked and dropped, as many of each depth as make the same number of nodes. */
#include "bench/ops.h"

struct node {
    struct node *left, *right;
};
#define NODE_FIELDS(X) X(ref, struct node, left, node) X(chain, struct node, right, node)
OPS_TYPE(node, NODE_FIELDS, OPS_ACYCLIC)

static struct node *build(unsigned depth)
{
    struct node *n = node_new();
    n->left = n->right = NULL;
    if (depth > 0) {
        node_init(n, &n->left, build(depth - 1));
        node_init(n, &n->right, build(depth - 1));
    }
    return n;
}

static uint64_t count(const struct node *n)
{
    return n->left ? 1 + count(n->left) + count(n->right) : 1;
}

static double repeat(struct bench_run *run)
{
    unsigned max = run->quick ? 12 : 16;
    double start = bench_now();
    struct node *long_lived = build(max);
    uint64_t nodes = 0;
    for (unsigned depth = 4; depth <= max; depth += 2)
        for (unsigned i = 1u << (max - depth + 3); i > 0; i--) {
            struct node *tree = build(depth);
            nodes += count(tree);
            node_drop(tree);
        }
    nodes += count(long_lived);
    node_drop(long_lived);
    double end = bench_now();
    run->check = run->ops = nodes;
    return end - start;
}

const struct bench_workload work_trees = {.name = "trees", .repeat = repeat};
