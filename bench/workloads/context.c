/* SPDX-License-Identifier: MIT */
/* context: one more and one less reference with an explicit thread context, beside the usual forms,
 * which find the thread by themselves. Each object is another one than before: counts of the same
 * one would wait for each other, and hide an instruction more or less. */
#include "bench/ops.h"
#include "bench/turns.h"
#include "orc/context.h"

#define OBJECTS 1000 /* in cache */

struct hot {
    uint64_t value;
};
OPS_LEAF(hot)

static void make(struct hot **object)
{
    for (size_t i = 0; i < OBJECTS; i++)
        object[i] = hot_new();
}
static uint64_t end(struct hot **object)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < OBJECTS; i++) {
        sum += (uint64_t)ouro_count(object[i]);
        hot_drop(object[i]);
    }
    return sum;
}

static double objects_in(size_t n, uint64_t *check)
{
    struct hot *object[OBJECTS];
    struct ouro_context *context = ouro_context_here();
    make(object);
    double start = bench_now();
    for (size_t round = n / OBJECTS; round > 0; round--) {
        for (size_t i = 0; i < OBJECTS; i++)
            ouro_incref_in(context, object[i]);
        for (size_t i = 0; i < OBJECTS; i++)
            ouro_decref_in(context, object[i]);
    }
    double ns = bench_now() - start;
    *check = end(object);
    return ns;
}

static double objects_tls(size_t n, uint64_t *check)
{
    struct hot *object[OBJECTS];
    make(object);
    double start = bench_now();
    for (size_t round = n / OBJECTS; round > 0; round--) {
        for (size_t i = 0; i < OBJECTS; i++)
            ouro_incref(object[i]);
        for (size_t i = 0; i < OBJECTS; i++)
            ouro_decref(object[i]);
    }
    double ns = bench_now() - start;
    *check = end(object);
    return ns;
}

static double repeat(struct bench_run *run)
{
    return bench_by_turns(run, objects_in, objects_tls, run->quick ? 100000 : 500000);
}

const struct bench_workload work_context = {.name = "context", .repeat = repeat};
