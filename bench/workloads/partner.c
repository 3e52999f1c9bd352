/* SPDX-License-Identifier: MIT */
/* The second thread of partner.h. */
#include "bench/partner.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

static struct {
    pthread_t thread;
    sem_t begin, done;
    partner_job *job; /* NULL: the end */
    void *arg;
} partner;

static void *work(void *arg)
{
    for (;;) {
        while (sem_wait(&partner.begin) != 0)
            ;
        if (partner.job == NULL)
            return arg;
        partner.job(partner.arg);
        sem_post(&partner.done);
    }
}

void partner_begin(void)
{
    if (sem_init(&partner.begin, 0, 0) != 0 || sem_init(&partner.done, 0, 0) != 0 ||
        pthread_create(&partner.thread, NULL, work, NULL) != 0)
        bench_die("no thread");
}

void partner_end(void)
{
    partner_start(NULL, NULL);
    pthread_join(partner.thread, NULL);
    sem_destroy(&partner.begin);
    sem_destroy(&partner.done);
}

void partner_start(partner_job *job, void *arg)
{
    partner.job = job;
    partner.arg = arg;
    sem_post(&partner.begin);
}

void partner_wait(void)
{
    while (sem_wait(&partner.done) != 0)
        ;
}

void partner_do(partner_job *job, void *arg)
{
    partner_start(job, arg);
    partner_wait();
}

struct meeting {
    partner_job *there;
    void *arg;
    atomic_int ready; /* relaxed: the semaphores order all else */
};

static void meet(struct meeting *m)
{
    atomic_fetch_add_explicit(&m->ready, 1, memory_order_relaxed);
    for (unsigned spins = 1; atomic_load_explicit(&m->ready, memory_order_relaxed) < 2; spins++) {
        bench_pause();
        if (spins % 1024 == 0)
            sched_yield();
    }
}

static void join_in(void *arg)
{
    struct meeting *m = arg;
    meet(m);
    m->there(m->arg);
}

double partner_both(partner_job *here, partner_job *there, void *arg)
{
    struct meeting m = {there, arg, 0};
    partner_start(join_in, &m);
    meet(&m);
    double start = bench_now();
    here(arg);
    partner_wait();
    return bench_now() - start;
}
