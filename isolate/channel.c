/* SPDX-License-Identifier: MIT */
/* channel.c: a bounded queue of handles between many threads.
 *
 * The queue is a ring for one producer and one consumer (ring.c, which says why), with a short lock
 * at each end: producers have the one, consumers the other, and the two ends touch no common line
 * but the ring's own. What a thread waits for is done at the other end, so it waits in a list that
 * the other end's lock guards (wait.c, W1).
 *
 *  C1  Something is sent with the lock of the sending end, if the channel is not closed and fewer
 *      than `capacity` are seen to be in it. Who has that lock sees no fewer than there are, so
 *      there are never more.
 *  C2  Closing holds both locks. So what was sent before is in the ring, nothing comes after, and a
 *      receiver that, with its lock, finds the ring empty and the channel closed has seen all.
 *  C3  Each send wakes at most one receiver, each receive one sender; closing wakes all. With W3 no
 *      thread sleeps while what it waits for can be done, unless another is on its way to do it.
 *  C4  With its lock an end sees the other's work no later than the other's lock is free again: W1
 *      holds, for who looks once more has the lock under which that work was done. What it sees of
 *      its own end may be old: it may find too little room, or too much in the ring, and look
 *      again; never the other way.
 *  C5  The last that a send or receive touches of the channel is the lock that it frees, but for
 *      waits, which are counted.
 *
 * Order: who is sent to sees all that the sender did before (the ring's stores, R1). TSan and
 * Valgrind, which do not see those, are told so, handle by handle. Locks are taken in this order:
 * the list of channels, the sending end, the receiving end, the event's. Progress: blocking, for as
 * long as the holder of an end's lock runs; see wait.c. Fork: channel_ends.c. */
#include "isolate/channel_state.h"
#include "alloc/fail.h"
#include "alloc/pool.h"
#include "isolate/home.h"

/* Looks for so long, some microseconds, before it sleeps: about what a wake-up takes. */
enum { SPINS = 128 };

static ouro_status send(struct ouro_channel *channel, struct ouro_isolated **graph)
{
    if (ouro__half_load(&channel->closed))
        return OURO_CLOSED;
    if (ouro__ring_most(channel->ring) >= channel->capacity) /* C1 */
        return OURO_WOULD_BLOCK;
    ouro__tool_release(*graph);
    OURO__TSAN_GIVES(*graph);
    ouro__ring_put(channel->ring, *graph);
    *graph = NULL;
    return OURO_OK;
}

static ouro_status receive(struct ouro_channel *channel, struct ouro_isolated **graph)
{
    struct ouro_isolated *taken = ouro__ring_take(channel->ring);
    if (!taken)
        return ouro__half_load(&channel->closed) ? OURO_CLOSED : OURO_WOULD_BLOCK; /* C2 */
    OURO__TSAN_TAKES(taken);
    ouro__tool_acquire(taken);
    *graph = taken;
    return OURO_OK;
}

/* Inlined for each end. */
OURO_INLINE ouro_status try_at(struct ouro_channel *channel, ouro_channel_end end,
                               struct ouro_isolated **graph)
{
    /* Who looks again and again leaves the lock where it is. Who sends has something to send, and
     * would only wait twice for the line that receivers write. */
    if (end == OURO_CHANNEL_RECEIVES && !ouro__channel_ready(channel, end))
        return OURO_WOULD_BLOCK;
    struct ouro__end *here = &channel->ends[end];
    struct ouro__sleeper *who = NULL;
    ouro__short_lock(&here->lock);
    ouro_status status = end == OURO_CHANNEL_SENDS ? send(channel, graph) : receive(channel, graph);
    if (OURO_LIKELY(status == OURO_OK)) {
        if (OURO_UNLIKELY(here->waiting.first != NULL))
            who = ouro__wake_one(&here->waiting); /* C3 */
        if (OURO_UNLIKELY(ouro__half_load(&channel->event) != 0))
            ouro__channel_signal(channel);
    }
    ouro__short_unlock(&here->lock); /* C5 */
    if (OURO_UNLIKELY(who != NULL))
        ouro__sleeper_call(who);
    return status;
}

ouro_status ouro__channel_try(struct ouro_channel *channel, ouro_channel_end end,
                              struct ouro_isolated **graph)
{
    return end == OURO_CHANNEL_SENDS ? try_at(channel, OURO_CHANNEL_SENDS, graph)
                                     : try_at(channel, OURO_CHANNEL_RECEIVES, graph);
}

/* With the end's lock. */
static void wake_all(struct ouro__end *end)
{
    struct ouro__sleeper *who;
    while ((who = ouro__wake_one(&end->waiting)) != NULL)
        ouro__sleeper_call(who);
}

void ouro_channel_close(struct ouro_channel *channel)
{
    struct ouro__end *senders = &channel->ends[OURO_CHANNEL_SENDS];
    struct ouro__end *receivers = &channel->ends[OURO_CHANNEL_RECEIVES];
    ouro__short_lock(&senders->lock);
    ouro__short_lock(&receivers->lock);
    ouro__half_store(&channel->closed, 1);
    wake_all(senders);
    wake_all(receivers);
    if (ouro__half_load(&channel->event) != 0)
        ouro__channel_signal(channel);
    ouro__short_unlock(&receivers->lock);
    ouro__short_unlock(&senders->lock);
}

size_t ouro_channel_count(const struct ouro_channel *channel)
{
    size_t count = ouro__ring_most(channel->ring);
    return count < channel->capacity ? count : channel->capacity;
}

size_t ouro_channel_capacity(const struct ouro_channel *channel)
{
    return channel->capacity;
}

/* -- beginning and end ------------------------------------------------------------------------- */

static size_t bytes_of(size_t capacity)
{
    return sizeof(struct ouro_channel) + ouro__ring_bytes(capacity);
}

/* It is asked for once: some systems tell by a file. */
static unsigned spins(void)
{
    static ouro_half processors;
    if (!ouro__half_load(&processors))
        ouro__half_store(&processors, ouro__os_processors());
    return ouro__half_load(&processors) > 1 ? SPINS : 0;
}

ouro_status ouro_channel_new(size_t capacity, struct ouro_channel **channel)
{
    if (!channel)
        return OURO_BAD_ARGUMENT;
    *channel = NULL;
    if (capacity == 0 || capacity > OURO__RING_MOST)
        return OURO_BAD_ARGUMENT;
    struct ouro_channel *fresh =
        ouro__home_alloc(__alignof__(struct ouro_channel), bytes_of(capacity));
    if (!fresh)
        return OURO_NO_MEMORY;
    memset(fresh, 0, sizeof *fresh);
    fresh->capacity = capacity;
    fresh->ring = (struct ouro__ring *)(void *)(fresh + 1);
    fresh->spins = spins();
    ouro__ring_begin(fresh->ring, capacity);
    ouro__tool_words(fresh, bytes_of(capacity));
    ouro__channel_listed(fresh);
    *channel = fresh;
    return OURO_OK;
}

/* Nobody else is in a call with it: who has just sent or received may be about to free the lock,
 * and no more (C5). */
static void calls_over(struct ouro_channel *channel)
{
    for (int end = 0; end < 2; end++) {
        ouro__short_lock(&channel->ends[end].lock);
        ouro__short_unlock(&channel->ends[end].lock);
    }
}

void ouro_channel_drop(struct ouro_channel *channel)
{
    if (!channel)
        return;
    calls_over(channel);
    if (ouro__load_acquire(&channel->waits) != 0)
        ouro_fail(OURO_FAIL_MISUSE, channel, NULL,
                  "a channel was dropped while threads wait in it");
    ouro__channel_unlisted(channel);
    struct ouro_isolated *graph;
    while ((graph = ouro__ring_take(channel->ring)) != NULL) {
        OURO__TSAN_TAKES(graph);
        ouro_isolated_drop(graph);
    }
    ouro__channel_event_end(channel);
    ouro__tool_no_words(channel, bytes_of(channel->capacity));
    ouro_free(channel);
}
