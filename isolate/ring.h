/* SPDX-License-Identifier: MIT */
/* ring.h: Internal to isolate. The queue of a channel: pointers, first in, first out, bounded.
 *
 * One thread at a time puts and one takes, each with a lock of its own (channel.c); the two may do
 * so at once. */
#ifndef OURO_ISOLATE_RING_H
#define OURO_ISOLATE_RING_H

#include "alloc/platform.h"

struct ouro__ring;

/* So many it can be made for. */
#define OURO__RING_MOST ((size_t)1 << 30)

/* Bytes of one for `capacity` pointers, at a multiple of OURO__RING_ALIGN. */
#define OURO__RING_ALIGN 64
size_t ouro__ring_bytes(size_t capacity);
void ouro__ring_begin(struct ouro__ring *ring, size_t capacity);

/* With the lock of those who put, and room: fewer than `capacity` are in it. */
void ouro__ring_put(struct ouro__ring *ring, void *p);
/* With the lock of those who take; NULL: nothing is in it. */
void *ouro__ring_take(struct ouro__ring *ring);
/* How many are in it: at some instant of the call no more than `most`, no fewer than `least`. Who
 * holds the lock of those who put sees no fewer than there are, by either; who holds the other no
 * more. */
size_t ouro__ring_most(const struct ouro__ring *ring);
size_t ouro__ring_least(const struct ouro__ring *ring);

#endif
