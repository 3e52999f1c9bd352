/* SPDX-License-Identifier: MIT */
/* select.c: waits in channels: for one thing, or for the first of several.
 *
 * A wait for one is a select of one case. What a thread does: it tries; it looks for some
 * microseconds, where there are other processors; then it parks, takes a seat in each channel's
 * list, looking once more whether nothing can be done (W1), sleeps, leaves all lists, tries again,
 * and, if it was woken by a channel and does not go with something of that one, passes the wake-up
 * on (W3). It is in `waits` of its channels all that time. It parks before and comes back after,
 * for both may run hooks: of what these call nothing finds it in a list (W4). */
#include "isolate/channel_state.h"
#include "orc/thread.h"

struct wait {
    struct ouro_channel_case *cases;
    size_t count;
    size_t first; /* the case that is tried first */
    size_t chosen;
};

OURO_STATIC_ASSERT(sizeof(struct ouro__seat) <= sizeof(uintptr_t[5]), "a case has room for it");
static struct ouro__seat *seat_of(struct ouro_channel_case *one)
{
    return (struct ouro__seat *)(void *)one->own;
}

static ouro_channel_end end_of(const struct ouro_channel_case *one)
{
    return one->send ? OURO_CHANNEL_SENDS : OURO_CHANNEL_RECEIVES;
}

/* Where what this case waits for is done. */
static struct ouro__end *other_end(const struct ouro_channel_case *one)
{
    return &one->channel->ends[one->send ? OURO_CHANNEL_RECEIVES : OURO_CHANNEL_SENDS];
}

static ouro_status try_all(struct wait *w)
{
    size_t i = w->first;
    for (size_t n = 0; n < w->count; n++, i = i + 1 < w->count ? i + 1 : 0) {
        struct ouro_channel_case *one = &w->cases[i];
        ouro_status status = one->channel
                                 ? ouro__channel_try(one->channel, end_of(one), &one->graph)
                                 : OURO_WOULD_BLOCK;
        if (status != OURO_WOULD_BLOCK) {
            w->chosen = i;
            return status;
        }
    }
    return OURO_WOULD_BLOCK;
}

/* Where there is another processor, that may do what is waited for. */
static ouro_status spin(struct wait *w)
{
    ouro_status status = OURO_WOULD_BLOCK;
    unsigned spins = 0;
    for (size_t i = 0; i < w->count; i++)
        if (w->cases[i].channel)
            spins = w->cases[i].channel->spins / (unsigned)w->count;
    for (; spins > 0 && status == OURO_WOULD_BLOCK; spins--) {
        OURO__PAUSE();
        status = try_all(w);
    }
    return status;
}

/* -- seats ------------------------------------------------------------------------------------- */

/* False: it can be done now (W1). */
static bool take_seat(struct ouro_channel_case *one, struct ouro__sleeper *me, size_t index)
{
    struct ouro__end *there = other_end(one);
    struct ouro__seat *seat = seat_of(one);
    ouro__short_lock(&there->lock);
    bool ready = ouro__channel_ready(one->channel, end_of(one));
    if (!ready) {
        seat->who = me;
        seat->why = index + 1;
        ouro__seats_add(&there->waiting, seat);
    }
    ouro__short_unlock(&there->lock);
    return !ready;
}

/* Sleeps, if nothing can be done, until something can or it is late. The case that the thread was
 * woken by; w->count: by none. */
static size_t sleep_in_lists(struct wait *w, uint64_t until)
{
    struct ouro__sleeper *me = ouro__sleeper_mine();
    bool all = true;
    size_t in = 0;
    for (; all && in < w->count; in++)
        if (w->cases[in].channel)
            all = take_seat(&w->cases[in], me, in);
    if (all)
        ouro__sleep(me, until);
    else
        in--; /* it has no seat there */
    for (size_t i = 0; i < in; i++) {
        if (!w->cases[i].channel)
            continue;
        struct ouro__end *there = other_end(&w->cases[i]);
        ouro__short_lock(&there->lock);
        ouro__seats_remove(&there->waiting, seat_of(&w->cases[i]));
        ouro__short_unlock(&there->lock);
    }
    ouro_half why = ouro__half_load(&me->why); /* nobody writes it any more */
    return why != 0 ? why - 1 : w->count;
}

/* W3. */
static void pass_on(const struct ouro_channel_case *one)
{
    struct ouro__end *there = other_end(one);
    struct ouro__sleeper *who = NULL;
    ouro__short_lock(&there->lock);
    if (ouro__channel_ready(one->channel, end_of(one)))
        who = ouro__wake_one(&there->waiting);
    ouro__short_unlock(&there->lock);
    ouro__sleeper_call(who);
}

/* -- waits ------------------------------------------------------------------------------------- */

static void count_in(const struct wait *w, ouro_word by)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->cases[i].channel)
            ouro__fetch_add_full(&w->cases[i].channel->waits, by);
}

static ouro_status wait_parked(struct wait *w, uint64_t until)
{
    for (;;) {
        size_t by = sleep_in_lists(w, until);
        ouro_status status = try_all(w);
        bool late = until != 0 && ouro__os_nanoseconds() >= until;
        if (status == OURO_WOULD_BLOCK && !late)
            continue; /* what it was woken for is done: by another thread */
        if (by < w->count && (status == OURO_WOULD_BLOCK || w->chosen != by))
            pass_on(&w->cases[by]);
        return status == OURO_WOULD_BLOCK ? OURO_TIMED_OUT : status;
    }
}

static ouro_status wait_for(struct wait *w, int64_t timeout)
{
    uint64_t until = ouro__late(timeout);
    count_in(w, 1);
    ouro_status status = wait_parked(w, until);
    count_in(w, (ouro_word)-1); /* a full barrier: pairs with the acquire of ouro_channel_drop */
    return status;
}

/* -- the calls --------------------------------------------------------------------------------- */

ouro_status ouro_channel_select(struct ouro_channel_case *cases, size_t count, int64_t timeout,
                                size_t *chosen)
{
    static OURO_TLS unsigned turn; /* each case has its turn */
    if (!cases || !chosen)
        return OURO_BAD_ARGUMENT;
    *chosen = count;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (!cases[i].channel)
            continue;
        any = true;
        if (cases[i].send && !cases[i].graph)
            return OURO_BAD_ARGUMENT;
    }
    if (!any)
        return OURO_BAD_ARGUMENT;
    struct wait w = {cases, count, turn++ % count, count};
    ouro_status status = try_all(&w);
    if (status == OURO_WOULD_BLOCK && timeout != 0 && OURO_THREADS)
        status = spin(&w);
    bool parked = false;
    if (status == OURO_WOULD_BLOCK && timeout != 0 && OURO_THREADS) {
        parked = ouro__wait_park();
        status = wait_for(&w, timeout);
    }
    *chosen = w.chosen; /* before a hook that may leave by a jump */
    if (parked)
        ouro_unpark();
    return status;
}

static OURO_NOINLINE ouro_status wait_for_one(struct ouro_channel *channel, ouro_channel_end end,
                                              struct ouro_isolated **graph, int64_t timeout)
{
    bool send = end == OURO_CHANNEL_SENDS;
    ouro_status status = OURO_WOULD_BLOCK;
    if (timeout == 0 || !OURO_THREADS)
        return status;
    for (unsigned spins = channel->spins; spins > 0 && status == OURO_WOULD_BLOCK; spins--) {
        OURO__PAUSE();
        if (ouro__channel_ready(channel, end))
            status = ouro__channel_try(channel, end, graph);
    }
    if (status != OURO_WOULD_BLOCK)
        return status;
    struct ouro_channel_case one = {.channel = channel, .graph = *graph, .send = send};
    struct wait w = {&one, 1, 0, 1};
    bool parked = ouro__wait_park();
    status = wait_for(&w, timeout);
    *graph = one.graph; /* before a hook that may leave by a jump */
    if (parked)
        ouro_unpark();
    return status;
}

OURO_INLINE ouro_status one_within(struct ouro_channel *channel, ouro_channel_end end,
                                   struct ouro_isolated **graph, int64_t timeout)
{
    ouro_status status = ouro__channel_try(channel, end, graph);
    if (OURO_LIKELY(status != OURO_WOULD_BLOCK))
        return status;
    return wait_for_one(channel, end, graph, timeout);
}

ouro_status ouro_channel_send_within(struct ouro_channel *channel, struct ouro_isolated *graph,
                                     int64_t timeout)
{
    if (!channel || !graph)
        return OURO_BAD_ARGUMENT;
    return one_within(channel, OURO_CHANNEL_SENDS, &graph, timeout);
}

ouro_status ouro_channel_send(struct ouro_channel *channel, struct ouro_isolated *graph)
{
    return ouro_channel_send_within(channel, graph, OURO_FOREVER);
}

ouro_status ouro_channel_try_send(struct ouro_channel *channel, struct ouro_isolated *graph)
{
    return ouro_channel_send_within(channel, graph, 0);
}

ouro_status ouro_channel_receive_within(struct ouro_channel *channel, struct ouro_isolated **graph,
                                        int64_t timeout)
{
    if (!graph)
        return OURO_BAD_ARGUMENT;
    *graph = NULL;
    if (!channel)
        return OURO_BAD_ARGUMENT;
    return one_within(channel, OURO_CHANNEL_RECEIVES, graph, timeout);
}

ouro_status ouro_channel_receive(struct ouro_channel *channel, struct ouro_isolated **graph)
{
    return ouro_channel_receive_within(channel, graph, OURO_FOREVER);
}

ouro_status ouro_channel_try_receive(struct ouro_channel *channel, struct ouro_isolated **graph)
{
    return ouro_channel_receive_within(channel, graph, 0);
}
