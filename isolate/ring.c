/* SPDX-License-Identifier: MIT */
/* ring.c: the queue is Concurrency Kit's ck_ring (S. Al Bahra), headers only.
 *
 * Which of its forms: the one for a single producer and a single consumer, under a short lock at
 * each end, and not the one for many. That one lets a producer take its place by compare-and-swap,
 * and then spin until all who came before have written theirs: where one of them has lost its
 * processor, all others spin until it has it again. Four producers and four consumers on two
 * processors took 30 to 50 ns an item with either form, and once 125 us with that one. Two threads
 * that pass a pointer to and fro on two rings took 230 to 270 ns a round with it, 180 to 200 with
 * locks, 150 to 215 bare; with whole channels 200 to 215 (AMD EPYC, 2 cores, shared). A lock also
 * lets a channel have the capacity that was asked for, not the next power of two, close at one
 * instant (channel.c), and give a waiter its seat without a fence on anybody's way.
 *
 *  R1  One store makes an item visible (p_tail, after its slot), and one makes its slot free again
 *      (c_head, after it was read). So at every instant the ring is whole: in the child of a fork
 *      too, whatever another thread was at.
 *
 * ck_ring's stores and loads are assembly, which ThreadSanitizer does not follow: this file is
 * compiled without it, and channel.c says what orders what. */
#include "isolate/ring.h"

#include <ck_ring.h>

struct ouro__ring {
    struct ck_ring ring;
    struct ck_ring_buffer slots[] __attribute__((aligned(OURO__RING_ALIGN)));
};

/* A power of two; one slot stays empty. */
static unsigned slots_for(size_t capacity)
{
    unsigned slots = 2;
    while (slots <= capacity)
        slots *= 2;
    return slots;
}

size_t ouro__ring_bytes(size_t capacity)
{
    return sizeof(struct ouro__ring) + slots_for(capacity) * sizeof(struct ck_ring_buffer);
}

void ouro__ring_begin(struct ouro__ring *ring, size_t capacity)
{
    ck_ring_init(&ring->ring, slots_for(capacity));
}

void ouro__ring_put(struct ouro__ring *ring, void *p)
{
    (void)ck_ring_enqueue_spsc(&ring->ring, ring->slots, p);
}

void *ouro__ring_take(struct ouro__ring *ring)
{
    void *p;
    return ck_ring_dequeue_spsc(&ring->ring, ring->slots, (void *)&p) ? p : NULL;
}

/* Not ck_ring_size, which takes the difference modulo the slots: of two looks, with a whole ring's
 * worth going by in between, it would say that there is nothing. Which is read first tells on which
 * side the answer may err: where `most` says 0 it was empty, where `least` says full it was full.
 */
size_t ouro__ring_most(const struct ouro__ring *ring)
{
    unsigned head = ck_pr_load_uint(&ring->ring.c_head);
    ck_pr_fence_load();
    return ck_pr_load_uint(&ring->ring.p_tail) - head;
}

size_t ouro__ring_least(const struct ouro__ring *ring)
{
    unsigned tail = ck_pr_load_uint(&ring->ring.p_tail);
    ck_pr_fence_load();
    unsigned head = ck_pr_load_uint(&ring->ring.c_head);
    return (int)(tail - head) > 0 ? tail - head : 0;
}
