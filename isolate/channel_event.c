/* SPDX-License-Identifier: MIT */
/* channel_event.c: a channel's descriptor, for event loops.
 *
 *  E1  Whoever changes what is in the channel, or closes it, with the lock of an end, looks at it
 *      afterwards with the event's lock, and makes the descriptor agree. Who does so last has seen
 *      all changes: its own, and those of who did so before. So when all calls have returned, the
 *      descriptor is raised if something can be received, or the channel is closed, and only then.
 *      While calls are under way it may be either.
 *  E2  `event` is written with the locks of both ends: who changes the channel after that, sees
 *      it. */
#include "isolate/channel_state.h"

void ouro__channel_signal(struct ouro_channel *channel)
{
    int event = (int)ouro__half_load(&channel->event) - 1;
    ouro__short_lock(&channel->event_lock);
    ouro_half raise = ouro__channel_ready(channel, OURO_CHANNEL_RECEIVES);
    if (raise != ouro__half_load(&channel->raised)) {
        ouro__half_store(&channel->raised, raise);
        if (raise)
            ouro__os_event_raise(event);
        else
            ouro__os_event_lower(event);
    }
    ouro__short_unlock(&channel->event_lock);
}

static void set_event(struct ouro_channel *channel, int fresh)
{
    struct ouro__end *ends = channel->ends;
    ouro__short_lock(&ends[OURO_CHANNEL_SENDS].lock);
    ouro__short_lock(&ends[OURO_CHANNEL_RECEIVES].lock);
    bool first = ouro__half_load(&channel->event) == 0;
    if (first) {
        ouro__half_store(&channel->event, (ouro_half)fresh + 1); /* E2 */
        ouro__channel_signal(channel);
    }
    ouro__short_unlock(&ends[OURO_CHANNEL_RECEIVES].lock);
    ouro__short_unlock(&ends[OURO_CHANNEL_SENDS].lock);
    if (!first)
        ouro__os_event_end(fresh);
}

ouro_status ouro_channel_descriptor(struct ouro_channel *channel, int *descriptor)
{
    if (!channel || !descriptor)
        return OURO_BAD_ARGUMENT;
    if (ouro__half_load(&channel->event) == 0) {
        int fresh = ouro__os_event();
        if (fresh < 0)
            return OURO_NO_MEMORY;
        set_event(channel, fresh);
    }
    *descriptor = (int)ouro__half_load(&channel->event) - 1;
    return OURO_OK;
}

void ouro__channel_event_end(struct ouro_channel *channel)
{
    ouro_half event = ouro__half_load(&channel->event);
    if (event != 0)
        ouro__os_event_end((int)event - 1);
}

/* What the parent's descriptor stands for is the parent's channel. */
void ouro__channel_event_in_child(struct ouro_channel *channel)
{
    ouro_half event = ouro__half_load(&channel->event);
    channel->event_lock = 0;
    channel->raised = 0;
    if (event == 0)
        return;
    if (ouro__os_event_renew((int)event - 1))
        ouro__channel_signal(channel);
    else
        ouro__half_store(&channel->event, 0);
}
