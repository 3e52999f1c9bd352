/* SPDX-License-Identifier: MIT */
/* received: one more and one less reference to each node of a graph that another thread made, and
 * handed over, beside the same to nodes of the caller's own. Nodes in cache; each is another one
 * than before, for counts of the same one would wait for each other. All are candidates of the
 * collector from the first pass on, and it is at rest. */
#include "bench/ops.h"
#include "bench/partner.h"
#include "bench/turns.h"
#include "bench/workloads/graphs.h"
#include "isolate/isolated.h"

#define NODES 256

static struct node *received[NODES], *own[NODES];
static struct node *received_root, *own_root;
static struct ouro_isolated *handle;

static void make_and_isolate(void *arg)
{
    (void)arg;
    if (ouro_isolate(graph_random(received, NODES), &handle, NULL) != OURO_OK)
        bench_die("a graph is not isolated");
}

static void setup(struct bench_run *run)
{
    (void)run;
    ouro_collect_pause();
    partner_begin(); /* it lives on: nobody may act for it */
    partner_do(make_and_isolate, NULL);
    received_root = ops_checked(ouro_extract(handle));
    own_root = graph_random(own, NODES);
}

/* Not inlined: the same instructions for both. */
__attribute__((noinline)) static double pairs(struct node *const *nodes, size_t n, uint64_t *check)
{
    double start = bench_now();
    for (size_t round = n / NODES; round > 0; round--) {
        for (size_t i = 0; i < NODES; i++)
            ouro_incref(nodes[i]);
        for (size_t i = 0; i < NODES; i++)
            ouro_decref(nodes[i]);
    }
    double ns = bench_now() - start;
    for (size_t i = 0; i < NODES; i++)
        *check += (uint64_t)ouro_count(nodes[i]);
    return ns;
}

static double pairs_received(size_t n, uint64_t *check)
{
    return pairs(received, n, check);
}
static double pairs_own(size_t n, uint64_t *check)
{
    return pairs(own, n, check);
}

static double repeat(struct bench_run *run)
{
    return bench_by_turns(run, pairs_received, pairs_own, run->quick ? 1024 * 100 : 1024 * 500);
}

static void end(struct bench_run *run)
{
    (void)run;
    ouro_decref(received_root);
    ouro_decref(own_root);
    ouro_collect(NULL);
    partner_end();
}

const struct bench_workload work_received = {"received", setup, repeat, end, false};
