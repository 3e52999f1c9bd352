/* SPDX-License-Identifier: MIT */
/* pair.h: two threads for a workload, and the bounded ring that goes from one to the other.
 *
 * One maker, one taker (Lamport's ring with cached indices). Pushing publishes by a release store
 * of the tail, taking acquires it; the other way round for the head. Who finds the ring full or
 * empty waits some pauses before it looks again, for each look takes the line of its index from the
 * other side; after many looks it yields. The same for every variant. */
#ifndef OURO_BENCH_PAIR_H
#define OURO_BENCH_PAIR_H

#include "bench/bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define PAIR_RING 1024 /* a power of two */

struct pair_ring {
    _Alignas(128) _Atomic size_t tail; /* written by the maker */
    size_t seen_head;                  /* the maker's copy of head */
    _Alignas(128) _Atomic size_t head; /* written by the taker */
    size_t seen_tail;
    _Alignas(128) void *item[PAIR_RING];
};

static inline void pair_wait(unsigned *spins)
{
    if (++*spins < 64) {
        for (int i = 0; i < 32; i++)
            bench_pause();
    } else {
        *spins = 0;
        sched_yield();
    }
}

static inline bool pair_try_push(struct pair_ring *r, void *item)
{
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (tail - r->seen_head == PAIR_RING) {
        r->seen_head = atomic_load_explicit(&r->head, memory_order_acquire);
        if (tail - r->seen_head == PAIR_RING)
            return false;
    }
    r->item[tail % PAIR_RING] = item;
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return true;
}

static inline void *pair_try_take(struct pair_ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (head == r->seen_tail) {
        r->seen_tail = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (head == r->seen_tail)
            return NULL;
    }
    void *item = r->item[head % PAIR_RING];
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return item;
}

/* A workload of two roles. `make` produces the i-th item; `take` consumes it and adds to *sum. */
struct pair_work {
    void *(*make)(void *arg, size_t i);
    void (*take)(void *item, uint64_t *sum);
    void *arg;
    size_t count;
};

/* Runs it, on two threads or, where threads are off, with both roles by turns on this one. Returns
 * nanoseconds from the first item to the last, everything settled; *sum is what take added. */
double pair_run(const struct pair_work *work, bool two_threads, uint64_t *sum);

#endif
