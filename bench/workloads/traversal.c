/* SPDX-License-Identifier: MIT */
/* The traversal that handing over is measured by: what any walk over a graph that does not fit
 * into the cache has to do, and nothing else. In plain C, compiled like all else. */
#include "bench/workloads/graphs.h"

#define UNDER_WAY 32 /* references whose targets are being fetched */
#define AHEAD     8  /* a node is fetched so many before its turn */

struct walk {
    struct node **queue;
    size_t tail;
    uint64_t epoch;
};

static inline void arrive(struct walk *w, struct node *node)
{
    if (node->mark != w->epoch) {
        node->mark = w->epoch;
        w->queue[w->tail++] = node;
    }
}

size_t graph_traverse(struct node *root, uint64_t epoch, struct node **queue)
{
    struct node *ring[UNDER_WAY];
    unsigned first = 0, last = 0;
    struct walk w = {queue, 0, epoch};
    arrive(&w, root);
    for (size_t head = 0;;) {
        if (head < w.tail) {
            struct node *node = queue[head++];
            if (head + AHEAD < w.tail)
                __builtin_prefetch(queue[head + AHEAD]);
            for (unsigned k = 0; k < 3; k++) {
                struct node *next = node->to[k];
                if (next == NULL)
                    continue;
                __builtin_prefetch(&next->mark, 1);
                if (last - first == UNDER_WAY)
                    arrive(&w, ring[first++ % UNDER_WAY]);
                ring[last++ % UNDER_WAY] = next;
            }
        } else if (first != last) {
            arrive(&w, ring[first++ % UNDER_WAY]);
        } else {
            return w.tail;
        }
    }
}
