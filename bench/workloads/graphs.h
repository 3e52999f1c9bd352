/* SPDX-License-Identifier: MIT */
/* graphs.h: graphs that are handed over, and the yardstick of that: a traversal in plain C. */
#ifndef OURO_BENCH_GRAPHS_H
#define OURO_BENCH_GRAPHS_H

#include <stddef.h>
#include <stdint.h>

struct node {
    struct node *to[3];
    uint64_t mark; /* the traversal's */
};

/* Makes `n` nodes (1 at least) in the places of `nodes`, all reached from the one that is returned
 * (owned), which nothing else refers to. No node is a candidate afterwards.
 *   random  as in the workload `live`: one edge of each leads through all in random order, two
 *           more to random nodes
 *   tree    two children each, born parents first, level by level
 *   list    born in order */
typedef struct node *graph_maker(struct node **nodes, size_t n);
graph_maker graph_random, graph_tree, graph_list;

/* Breadth first through all that `root` reaches, with a queue (room for all of them) and a ring of
 * references under way whose targets were prefetched; who is marked with `epoch` was seen. Returns
 * how many there are. */
size_t graph_traverse(struct node *root, uint64_t epoch, struct node **queue);

#endif
