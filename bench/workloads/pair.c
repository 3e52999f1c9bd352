/* SPDX-License-Identifier: MIT */
/* The two roles of pair.h. */
#include "bench/pair.h"
#include "bench/ops.h"

struct job {
    struct pair_ring ring;
    const struct pair_work *work;
    pthread_barrier_t start;
    uint64_t sum;
};

static void *taker(void *arg)
{
    struct job *job = arg;
    unsigned spins = 0;
    uint64_t sum = 0;
    pthread_barrier_wait(&job->start);
    for (size_t left = job->work->count; left > 0;) {
        void *item = pair_try_take(&job->ring);
        if (item) {
            job->work->take(item, &sum);
            left--;
        } else {
            pair_wait(&spins);
        }
    }
    job->sum = sum;
    return NULL;
}

static double run_two(struct job *job)
{
    const struct pair_work *work = job->work;
    pthread_t thread;
    unsigned spins = 0;
    pthread_barrier_init(&job->start, NULL, 2);
    if (pthread_create(&thread, NULL, taker, job) != 0)
        bench_die("no thread");
    pthread_barrier_wait(&job->start);
    double start = bench_now();
    for (size_t i = 0; i < work->count; i++) {
        void *item = work->make(work->arg, i);
        while (!pair_try_push(&job->ring, item))
            pair_wait(&spins);
    }
    pthread_join(thread, NULL);
    ops_poll();
    double end = bench_now();
    pthread_barrier_destroy(&job->start);
    return end - start;
}

static double run_by_turns(struct job *job)
{
    const struct pair_work *work = job->work;
    double start = bench_now();
    for (size_t made = 0, taken = 0; taken < work->count;) {
        for (; made < work->count && made - taken < PAIR_RING; made++)
            pair_try_push(&job->ring, work->make(work->arg, made));
        for (; taken < made; taken++)
            work->take(pair_try_take(&job->ring), &job->sum);
    }
    ops_poll();
    return bench_now() - start;
}

double pair_run(const struct pair_work *work, bool two_threads, uint64_t *sum)
{
    static struct job job;
    memset(&job, 0, sizeof job);
    job.work = work;
    double ns = two_threads ? run_two(&job) : run_by_turns(&job);
    *sum = job.sum;
    return ns;
}
