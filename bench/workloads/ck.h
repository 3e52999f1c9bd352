/* SPDX-License-Identifier: MIT */
/* ck.h: Concurrency Kit's ring, with waiting: who finds it full or empty looks again after a pause,
 * and gives its processor up after many looks. */
#ifndef OURO_BENCH_CK_H
#define OURO_BENCH_CK_H

#include "bench/bench.h"

#include <ck_ring.h>
#include <sched.h>

#define CK_PLACES 1024 /* one of them stays empty */

struct ck {
    ck_ring_t ring;
    ck_ring_buffer_t buffer[CK_PLACES];
};

static inline void ck_begin(struct ck *ck)
{
    ck_ring_init(&ck->ring, CK_PLACES);
}

static inline void ck_wait(unsigned *spins)
{
    bench_pause();
    if (++*spins % 1024 == 0)
        sched_yield();
}

/* One producer, one consumer. */
static inline void ck_push(struct ck *ck, void *item)
{
    for (unsigned spins = 0; !ck_ring_enqueue_spsc(&ck->ring, ck->buffer, item);)
        ck_wait(&spins);
}
static inline void *ck_take(struct ck *ck)
{
    void *item;
    for (unsigned spins = 0; !ck_ring_dequeue_spsc(&ck->ring, ck->buffer, &item);)
        ck_wait(&spins);
    return item;
}

/* Many of both. A ring is used in one way only. */
static inline void ck_push_many(struct ck *ck, void *item)
{
    for (unsigned spins = 0; !ck_ring_enqueue_mpmc(&ck->ring, ck->buffer, item);)
        ck_wait(&spins);
}
static inline void *ck_take_many(struct ck *ck)
{
    void *item;
    for (unsigned spins = 0; !ck_ring_dequeue_mpmc(&ck->ring, ck->buffer, &item);)
        ck_wait(&spins);
    return item;
}

#endif
