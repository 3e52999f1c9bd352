/* SPDX-License-Identifier: MIT */
/* shared: a search tree that two threads read and one changes now and then. Each lookup walks
 * borrowed, takes a reference to the value it found, reads it and drops it. Lookups come in chunks
 * that the threads take from one counter; after each phase, behind a barrier, the thread that built
 * the tree replaces some values. */
#include "bench/ops.h"

#include <pthread.h>
#include <stdatomic.h>

#define DEPTH   15 /* 65,535 nodes */
#define KEYS    (1u << (DEPTH + 1))
#define CHUNK   1024
#define PHASES  16
#define REPLACE 256

struct value {
    uint64_t number, version;
};
OPS_LEAF(value)

struct twig {
    struct twig *left, *right;
    struct value *value;
    uint64_t key;
};
#define TWIG_FIELDS(X)                                                                             \
    X(ref, struct twig, left, twig)                                                                \
    X(ref, struct twig, value, value) X(chain, struct twig, right, twig)
OPS_TYPE(twig, TWIG_FIELDS, OPS_ACYCLIC)

struct job {
    struct twig *root;
    size_t chunks; /* of one phase */
    unsigned threads;
    _Alignas(128) _Atomic size_t taken;
    _Alignas(128) _Atomic uint64_t sum;
    pthread_barrier_t turn;
};

static struct value *new_value(uint64_t number)
{
    struct value *v = value_new();
    *v = (struct value){number, 1};
    return v;
}

/* The tree of the odd multiples of `step` around `key`. */
static struct twig *build(uint64_t key, uint64_t step)
{
    struct twig *t = twig_new();
    *t = (struct twig){NULL, NULL, NULL, key};
    value_init(t, &t->value, new_value(key * 3));
    if (step > 1) {
        twig_init(t, &t->left, build(key - step / 2, step / 2));
        twig_init(t, &t->right, build(key + step / 2, step / 2));
    }
    return t;
}

static struct twig *find(struct twig *t, uint64_t key)
{
    while (t->key != key) {
        struct twig *next = key < t->key ? t->left : t->right;
        if (next == NULL)
            break;
        t = next;
    }
    return t;
}

static uint64_t look_up(struct twig *root, size_t chunk)
{
    uint64_t seed = chunk * 77 + 1, sum = 0;
    twig_keep(root);
    for (unsigned i = 0; i < CHUNK; i++) {
        struct value *v = find(root, bench_below(&seed, KEYS))->value;
        value_keep(v);
        sum += v->number;
        value_drop(v);
    }
    twig_drop(root);
    return sum;
}

static void replace_some(struct twig *root, uint64_t phase)
{
    uint64_t seed = phase;
    for (unsigned i = 0; i < REPLACE; i++) {
        struct twig *t = find(root, bench_below(&seed, KEYS));
        value_put(t, &t->value, new_value(t->key * 3 + 1));
    }
}

static void wait_turn(struct job *job)
{
    if (job->threads > 1)
        pthread_barrier_wait(&job->turn);
}

static void phases(struct job *job, bool builder)
{
    uint64_t sum = 0;
    for (size_t phase = 0; phase < PHASES; phase++) {
        wait_turn(job);
        for (size_t end = (phase + 1) * job->chunks, i;
             (i = atomic_fetch_add(&job->taken, 1)) < end;)
            sum += look_up(job->root, i);
        wait_turn(job);
        if (builder) {
            replace_some(job->root, phase);
            atomic_store(&job->taken, (phase + 1) * job->chunks);
        }
    }
    atomic_fetch_add(&job->sum, sum);
}

static void *reader(void *arg)
{
    phases(arg, false);
    return NULL;
}

static double repeat(struct bench_run *run)
{
    static struct job job;
    pthread_t thread;
    memset(&job, 0, sizeof job);
    job.root = build(KEYS / 2, KEYS / 2);
    job.chunks = run->quick ? 12 : 120;
    job.threads = run->threads > 1 ? 2 : 1;
    pthread_barrier_init(&job.turn, NULL, 2);
    double start = bench_now();
    if (job.threads > 1 && pthread_create(&thread, NULL, reader, &job) != 0)
        bench_die("no thread");
    phases(&job, true);
    if (job.threads > 1)
        pthread_join(thread, NULL);
    ops_poll();
    double end = bench_now();
    pthread_barrier_destroy(&job.turn);
    twig_drop(job.root);
    run->check = job.sum;
    run->ops = job.chunks * CHUNK * PHASES;
    return end - start;
}

const struct bench_workload work_shared = {.name = "shared", .repeat = repeat};
