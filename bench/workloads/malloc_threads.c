/* SPDX-License-Identifier: MIT */
/* malloc and free on two threads. remote: one allocates, the other frees. remote-both: each
 * allocates, hands over, and frees what it is handed. larson: sets of blocks go round; who has one
 * frees its blocks and puts its own in their place (after Larson and Krishnan, Memory Allocation
 * for Long-Running Server Applications). random-mt: two threads that have nothing to do with each
 * other. Time is that from the start of both to the end of both, over the pairs of both. */
#include "bench/workloads/malloc_sizes.h"
#include "bench/pair.h"

#include <stdlib.h>

/* Two threads that start together. */
struct two {
    pthread_barrier_t start;
    void (*work)(void *half);
    void *half[2];
};

static void *second(void *arg)
{
    struct two *two = arg;
    pthread_barrier_wait(&two->start);
    two->work(two->half[1]);
    return NULL;
}

static double run_two(void (*work)(void *half), void *one, void *other)
{
    struct two two = {.work = work, .half = {one, other}};
    pthread_t thread;
    pthread_barrier_init(&two.start, NULL, 2);
    if (pthread_create(&thread, NULL, second, &two) != 0)
        bench_die("no thread");
    pthread_barrier_wait(&two.start);
    double start = bench_now();
    work(one);
    pthread_join(thread, NULL);
    double end = bench_now();
    pthread_barrier_destroy(&two.start);
    return end - start;
}

/* Blocks of 32 to 80 bytes, with a number that the taker adds up. */
static void *make_block(void *arg, size_t i)
{
    size_t *p = malloc_or_die(32 + (i & 3) * 16);
    (void)arg;
    *p = i;
    return p;
}
static void take_block(void *item, uint64_t *sum)
{
    *sum += *(size_t *)item;
    free(item);
}

static double repeat_remote(struct bench_run *run)
{
    struct pair_work work = {make_block, take_block, NULL, run->quick ? 150000 : 1500000};
    run->ops = work.count;
    return pair_run(&work, true, &run->check);
}

struct both {
    struct pair_ring *to, *from;
    size_t count;
    uint64_t sum;
};

static void work_both(void *half)
{
    struct both *b = half;
    unsigned spins = 0;
    uint64_t sum = 0;
    void *block = make_block(NULL, 0);
    for (size_t made = 0, taken = 0; made < b->count || taken < b->count;) {
        size_t before = made + taken;
        while (block && pair_try_push(b->to, block)) {
            made++;
            block = made < b->count ? make_block(NULL, made) : NULL;
            if (made % 64 == 0)
                break; /* the other one's blocks have their turn */
        }
        for (void *theirs; (theirs = pair_try_take(b->from)) != NULL; taken++)
            take_block(theirs, &sum);
        if (made + taken == before)
            pair_wait(&spins);
    }
    b->sum = sum;
}

static double repeat_both(struct bench_run *run)
{
    static struct pair_ring ring[2];
    size_t n = run->quick ? 80000 : 800000;
    struct both one = {&ring[0], &ring[1], n, 0}, other = {&ring[1], &ring[0], n, 0};
    run->ops = 2 * n;
    double ns = run_two(work_both, &one, &other);
    run->check = one.sum + other.sum;
    return ns;
}

#define SETS      8
#define SET_COUNT 500

struct larson {
    struct pair_ring *to, *from;
    const struct malloc_step *steps;
    size_t turns;
    uint64_t sum;
};

static void work_larson(void *half)
{
    struct larson *l = half;
    unsigned spins = 0;
    uint64_t sum = 0;
    for (size_t turn = 0; turn < l->turns;) {
        void **set = pair_try_take(l->from);
        if (set == NULL) {
            pair_wait(&spins);
            continue;
        }
        const size_t windows = MALLOC_STEPS / SET_COUNT;
        sum += malloc_replace(set, l->steps + turn % windows * SET_COUNT, SET_COUNT);
        while (!pair_try_push(l->to, set))
            pair_wait(&spins);
        turn++;
    }
    l->sum = sum;
}

static void setup_larson(struct bench_run *run)
{
    run->state = malloc_sizes_make(2, SET_COUNT, MALLOC_SIZE_MIN, MALLOC_SIZE_MAX);
}

static double repeat_larson(struct bench_run *run)
{
    static struct pair_ring ring[2];
    static void *set[SETS][SET_COUNT];
    size_t turns = run->quick ? 300 : 2000;
    struct larson one = {&ring[0], &ring[1], run->state, turns, 0};
    struct larson other = {&ring[1], &ring[0], run->state, turns, 0};
    for (size_t i = 0; i < SETS; i++)
        pair_try_push(&ring[i & 1], set[i]);
    run->ops = 2 * turns * SET_COUNT;
    double ns = run_two(work_larson, &one, &other);
    run->check = one.sum + other.sum;
    for (size_t i = 0; i < 2; i++)
        while (pair_try_take(&ring[i]))
            continue;
    for (size_t i = 0; i < SETS; i++)
        malloc_clear(set[i], SET_COUNT);
    return ns;
}

#define LIVE_COUNT 10000

struct apart {
    void *live[LIVE_COUNT];
    const struct malloc_step *steps;
    size_t count;
    uint64_t sum;
};

static void work_apart(void *half)
{
    struct apart *a = half;
    a->sum = malloc_replace(a->live, a->steps, a->count);
    malloc_clear(a->live, LIVE_COUNT);
}

static void setup_apart(struct bench_run *run)
{
    run->state = malloc_sizes_make(1, LIVE_COUNT, MALLOC_SIZE_MIN, MALLOC_SIZE_MAX);
}

static double repeat_apart(struct bench_run *run)
{
    static struct apart half[2];
    for (size_t i = 0; i < 2; i++) {
        half[i].steps = run->state;
        half[i].count = run->quick ? 200000 : 1000000;
    }
    run->ops = half[0].count + half[1].count;
    double ns = run_two(work_apart, &half[0], &half[1]);
    run->check = half[0].sum + half[1].sum;
    return ns;
}

static void end(struct bench_run *run)
{
    free(run->state);
}

const struct bench_workload work_remote = {.name = "remote", .repeat = repeat_remote};
const struct bench_workload work_remote_both = {.name = "remote-both", .repeat = repeat_both};
const struct bench_workload work_larson_sets = {
    .name = "larson", .setup = setup_larson, .repeat = repeat_larson, .end = end};
const struct bench_workload work_random_mt = {
    .name = "random-mt", .setup = setup_apart, .repeat = repeat_apart, .end = end};
