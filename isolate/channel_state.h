/* SPDX-License-Identifier: MIT */
/* channel_state.h: Internal to isolate. What a channel is made of; the rules stand in channel.c. */
#ifndef OURO_ISOLATE_CHANNEL_STATE_H
#define OURO_ISOLATE_CHANNEL_STATE_H

#include "isolate/channel.h"
#include "isolate/ring.h"
#include "isolate/wait.h"

struct ouro__joined;

/* One end: who sends, or receives, has its lock. On a line of its own. */
struct ouro__end {
    ouro_half lock;
    struct ouro__seats waiting; /* at the other end, for what is done at this one (W1) */
} __attribute__((aligned(64)));

struct ouro_channel {
    size_t capacity;
    struct ouro__ring *ring;
    ouro_half closed; /* written with both locks */
    ouro_half event;  /* its descriptor + 1; written with both locks */
    ouro_half raised; /* with event_lock */
    ouro_half event_lock;
    unsigned spins;
    ouro_word waits; /* threads in a wait, from before the first look until after the last */
    /* channel_ends.c, with the list's lock: */
    struct ouro_channel *next, *before; /* of all channels */
    struct ouro__joined *joined;
    size_t joins[2];
    struct ouro__end ends[2]; /* by ouro_channel_end */
};

/* Something is done at that end, now or not at all: *graph goes, or comes. */
ouro_status ouro__channel_try(struct ouro_channel *channel, ouro_channel_end end,
                              struct ouro_isolated **graph);
/* Whether that can be done, or says OURO_CLOSED. A no was true at some instant of the call; and is,
 * for who has the lock of the other end (C4). */
OURO_INLINE bool ouro__channel_ready(const struct ouro_channel *channel, ouro_channel_end end)
{
    if (OURO_UNLIKELY(ouro__half_load(&channel->closed)))
        return true;
    return end == OURO_CHANNEL_SENDS ? ouro__ring_least(channel->ring) < channel->capacity
                                     : ouro__ring_most(channel->ring) > 0;
}

/* -- channel_event.c --------------------------------------------------------------------------- */

/* With the lock of either end, after each change, where there is a descriptor. */
void ouro__channel_signal(struct ouro_channel *channel);
void ouro__channel_event_end(struct ouro_channel *channel);
void ouro__channel_event_in_child(struct ouro_channel *channel);

/* -- channel_ends.c ---------------------------------------------------------------------------- */

/* All channels, for forks. */
void ouro__channel_listed(struct ouro_channel *channel);
/* It is being dropped: nobody is at its ends. */
void ouro__channel_unlisted(struct ouro_channel *channel);

#endif
