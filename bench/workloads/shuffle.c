/* SPDX-License-Identifier: MIT */
/* shuffle, shuffle-cold: random pairs of references in one array change places by assignment:
 * t = a[i]; a[i] = a[j]; a[j] = t. Three increments and three decrements on two objects. */
#include "bench/ops.h"

struct cell {
    uint64_t value, rest;
};
OPS_LEAF(cell)

struct deck {
    ops_seq cards;
};
#define DECK_FIELDS(X) X(refs, struct deck, cards, cell)
OPS_TYPE(deck, DECK_FIELDS, OPS_ACYCLIC)

static void setup(struct bench_run *run, uint32_t count, size_t swaps)
{
    struct deck *deck = deck_new();
    memset(deck, 0, sizeof *deck);
    for (uint32_t i = 0; i < count; i++) {
        struct cell *c = cell_new();
        c->value = c->rest = i;
        cell_push(&deck->cards, c);
    }
    run->state = deck;
    run->ops = swaps;
}
static void setup_hot(struct bench_run *run)
{
    setup(run, 1000, run->quick ? 500000 : 3000000);
}
static void setup_cold(struct bench_run *run)
{
    setup(run, run->quick ? 200000 : 2000000, run->quick ? 200000 : 1000000);
}

static double repeat(struct bench_run *run)
{
    struct deck *deck = run->state;
    struct cell **a = cell_at(&deck->cards, 0);
    uint32_t n = (uint32_t)deck->cards.len;
    uint64_t seed = 42;
    double start = bench_now();
    for (size_t k = run->ops; k > 0; k--) {
        uint32_t i = bench_below(&seed, n), j = bench_below(&seed, n);
        struct cell *t = a[i];
        cell_keep(t);
        cell_copy(deck, &a[i], a[j]);
        cell_copy(deck, &a[j], t);
        cell_drop(t);
    }
    double end = bench_now();
    for (uint32_t i = 0; i < n; i++)
        run->check = run->check * 31 + a[i]->value;
    return end - start;
}

static void finish(struct bench_run *run)
{
    deck_drop(run->state);
}

const struct bench_workload work_shuffle = {"shuffle", setup_hot, repeat, finish, false};
const struct bench_workload work_shuffle_cold = {"shuffle-cold", setup_cold, repeat, finish, false};
