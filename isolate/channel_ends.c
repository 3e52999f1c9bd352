/* SPDX-License-Identifier: MIT */
/* channel_ends.c: all channels, and who said that it sends or receives.
 *
 * One lock guards the list of channels and all notes of who joined. Each note stands in its
 * channel's list, and in its thread's, which the thread's end goes through: a key of the system's
 * tells of it, however it comes.
 *
 * Fork: that lock is held over it. Of other threads nothing is left in the child: whatever they
 * were at, rings are whole (R1), so locks are made free, lists of sleepers empty, the notes of
 * others go, as if they had ended, and descriptors become the child's own. The thread that forks
 * has no seat in a list, for no hook runs while it has one. Handlers of others may use channels
 * meanwhile (alloc/own.h). */
#include "isolate/channel_state.h"
#include "alloc/own.h"
#include "alloc/pool.h"
#include "isolate/home.h"

struct ouro__joined {
    struct ouro_channel *channel;
    ouro_channel_end end;
    struct ouro__joined *next, **link;           /* of the channel's */
    struct ouro__joined *next_mine, **link_mine; /* of the thread's */
};

static OURO_TLS struct ouro__joined *mine;

static struct {
    ouro__mutex lock;
    bool told; /* there is a key */
    ouro__exit_key key;
    struct ouro_channel *first;
} all = {.lock = OURO__MUTEX_INIT};

static void lock_all(void)
{
    ouro__lock_unless(ouro__own.channels_fork, &all.lock);
}
static void unlock_all(void)
{
    ouro__unlock_unless(ouro__own.channels_fork, &all.lock);
}

/* -- notes ------------------------------------------------------------------------------------- */

/* With the lock. Out of the channel's list; the last of its end closes the channel. */
static void unjoin(struct ouro__joined *note)
{
    struct ouro_channel *channel = note->channel;
    *note->link = note->next;
    if (note->next)
        note->next->link = note->link;
    if (--channel->joins[note->end] == 0)
        ouro_channel_close(channel);
}

/* The same, and out of the thread's. */
static void unlink_note(struct ouro__joined *note)
{
    *note->link_mine = note->next_mine;
    if (note->next_mine)
        note->next_mine->link_mine = note->link_mine;
    unjoin(note);
}

static void link_note(struct ouro__joined *note)
{
    struct ouro_channel *channel = note->channel;
    note->next = channel->joined;
    note->link = &channel->joined;
    if (note->next)
        note->next->link = &note->next;
    channel->joined = note;
    note->next_mine = mine;
    note->link_mine = &mine;
    if (mine)
        mine->link_mine = &note->next_mine;
    mine = note;
    channel->joins[note->end]++;
}

/* The first of a list that is to go, taken out with the lock; freed without it. */
static bool end_first(struct ouro__joined **list)
{
    lock_all();
    struct ouro__joined *note = *list;
    if (note)
        unlink_note(note);
    unlock_all();
    ouro_free(note);
    return note != NULL;
}

/* POSIX promises four rounds of destructors of thread-local data. Who joins after the last would
 * be missed by nobody. */
#define LAST_ROUND 3
static OURO_TLS unsigned rounds;

static void thread_ends(void *unused)
{
    (void)unused;
    rounds++;
    while (end_first(&mine))
        continue;
}

/* Threads that come to their end later must not come here then. */
OURO_AT_UNLOAD static void forget_threads(void)
{
    lock_all();
    if (all.told)
        ouro__exit_key_forget(all.key);
    all.told = false;
    unlock_all();
}

ouro_status ouro_channel_join(struct ouro_channel *channel, ouro_channel_end end)
{
    if (!channel || (unsigned)end > OURO_CHANNEL_RECEIVES)
        return OURO_BAD_ARGUMENT;
    if (rounds >= LAST_ROUND)
        return OURO_TOO_LATE;
    struct ouro__joined *note = ouro__home_alloc(16, sizeof *note);
    if (!note)
        return OURO_NO_MEMORY;
    *note = (struct ouro__joined){.channel = channel, .end = end};
    lock_all();
    if (!all.told)
        all.told = ouro__exit_key_make(&all.key, thread_ends);
    bool noted = all.told && ouro__exit_key_arm(all.key, &all);
    if (noted)
        link_note(note);
    unlock_all();
    if (!noted)
        ouro_free(note);
    return noted ? OURO_OK : OURO_NO_MEMORY;
}

void ouro_channel_leave(struct ouro_channel *channel, ouro_channel_end end)
{
    lock_all();
    struct ouro__joined *note = mine;
    while (note && (note->channel != channel || note->end != end))
        note = note->next_mine;
    if (note)
        unlink_note(note);
    unlock_all();
    ouro_free(note);
}

/* -- all channels ------------------------------------------------------------------------------ */

static void before_fork(void)
{
    ouro__lock_for_fork(&ouro__own.channels_fork, &all.lock);
}
static void parent_after_fork(void)
{
    ouro__unlock_after_fork(&ouro__own.channels_fork, &all.lock, false);
}

/* Notes of other threads go, whose lists are not there any more. What they lie in is not freed. */
static void notes_in_child(struct ouro_channel *channel)
{
    for (struct ouro__joined *note = channel->joined, *next; note; note = next) {
        next = note->next;
        bool is_mine = false;
        for (struct ouro__joined *own = mine; own && !is_mine; own = own->next_mine)
            is_mine = own == note;
        if (!is_mine)
            unjoin(note);
    }
}

static void child_after_fork(void)
{
    for (struct ouro_channel *channel = all.first; channel; channel = channel->next) {
        for (int end = 0; end < 2; end++) {
            channel->ends[end].lock = 0;
            channel->ends[end].waiting = (struct ouro__seats){NULL, NULL};
        }
        channel->waits = 0;
        ouro__channel_event_in_child(channel);
        notes_in_child(channel);
    }
    ouro__unlock_after_fork(&ouro__own.channels_fork, &all.lock, true);
}

/* Before there is a channel: a fork meanwhile would find the lock taken, and nobody to free it. */
OURO_AT_LOAD static void watch_forks(void)
{
    ouro__os_at_fork(before_fork, parent_after_fork, child_after_fork);
}

void ouro__channel_listed(struct ouro_channel *channel)
{
    lock_all();
    channel->before = NULL;
    channel->next = all.first;
    if (all.first)
        all.first->before = channel;
    all.first = channel;
    unlock_all();
}

void ouro__channel_unlisted(struct ouro_channel *channel)
{
    while (end_first(&channel->joined))
        continue;
    lock_all();
    if (channel->next)
        channel->next->before = channel->before;
    if (channel->before)
        channel->before->next = channel->next;
    else
        all.first = channel->next;
    unlock_all();
}
