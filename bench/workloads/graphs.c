/* SPDX-License-Identifier: MIT */
/* Graphs to hand over. */
#include "bench/workloads/graphs.h"
#include "bench/ops.h"

#define NODE_FIELDS(X)                                                                             \
    X(ref, struct node, to[0], node)                                                               \
    X(ref, struct node, to[1], node) X(ref, struct node, to[2], node)
OPS_TYPE(node, NODE_FIELDS, OPS_CYCLIC)

static void make_nodes(struct node **nodes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        nodes[i] = node_new();
        *nodes[i] = (struct node){{NULL, NULL, NULL}, 0};
    }
}

struct node *graph_random(struct node **nodes, size_t n)
{
    uint64_t seed = 12345;
    make_nodes(nodes, n);
    for (size_t i = n - 1; i > 0; i--) {
        size_t j = bench_below(&seed, (uint32_t)i + 1);
        struct node *t = nodes[i];
        nodes[i] = nodes[j];
        nodes[j] = t;
    }
    for (size_t i = 0; i < n; i++) {
        struct node *node = nodes[i];
        if (i + 1 < n)
            node_init(node, &node->to[0], nodes[i + 1]);
        node_copy(node, &node->to[1], nodes[bench_below(&seed, (uint32_t)n)]);
        node_copy(node, &node->to[2], nodes[bench_below(&seed, (uint32_t)n)]);
    }
    return nodes[0];
}

struct node *graph_tree(struct node **nodes, size_t n)
{
    make_nodes(nodes, n);
    for (size_t i = 1; i < n; i++)
        node_init(nodes[(i - 1) / 2], &nodes[(i - 1) / 2]->to[(i - 1) % 2], nodes[i]);
    return nodes[0];
}

struct node *graph_list(struct node **nodes, size_t n)
{
    make_nodes(nodes, n);
    for (size_t i = 1; i < n; i++)
        node_init(nodes[i - 1], &nodes[i - 1]->to[0], nodes[i]);
    return nodes[0];
}
