/* SPDX-License-Identifier: MIT */
/* wait.c: how threads wait for each other.
 *
 * Problem: a thread waits until one of several things can be done, each guarded by a lock of its
 * own; who makes one possible wakes one thread that waits for it, and pays nothing where none does.
 * The usual way is a count of waiters that is looked at after the thing was done, with a full fence
 * in between; here the list is guarded by the lock that is held anyway.
 *
 *  W1  A list of sleepers is guarded by the lock under which things are made possible. Who wants to
 *      sleep looks once more under that lock, and takes its seat in the same hold. So either it
 *      sees what was done, or who does it sees the seat. There is no fence, and no thread is
 *      missed.
 *  W2  A sleeper is woken once: by a compare-and-swap of `why` from 0. Who finds it woken by
 *      another list takes it out all the same, and wakes the next.
 *  W3  No wake-up is lost: who was woken by a list, and goes without having done what it was woken
 *      for (it did something else, or it is late), looks whether that can be done still, and if so
 *      wakes the next. So while something can be done and somebody sleeps for it, a thread is
 *      awake that will do it, or wake another.
 *  W4  A thread that has left its lists is in nobody's hands, but for ouro__sleeper_call, which
 *      looks at no memory. It leaves them before it runs anything that may sleep, end or jump, and
 *      no call under way is a cancellation point; so a thread never ends in a list.
 *
 * Model: tests/models/channel.pml. The lock's holder runs some dozens of instructions; where it has
 * lost its processor the others give theirs up, and doze, so that even those of a higher priority
 * let it come to its end. */
#include "isolate/wait.h"
#include "orc/state.h"
#include "orc/thread.h"

enum { SPINS = 100, YIELDS = 10, DOZE = 100000 /* nanoseconds */ };

void ouro__short_lock_wait(ouro_half *lock)
{
    for (unsigned tries = 0;; tries++) {
        ouro_half free = 0;
        if (ouro__half_load(lock) == 0 && ouro__half_cas_acquire(lock, &free, 1))
            return;
        if (tries < SPINS)
            OURO__PAUSE();
        else if (tries < SPINS + YIELDS)
            ouro__os_yield();
        else
            (void)ouro__os_wait(lock, 1, ouro__late(DOZE)); /* nobody wakes it */
    }
}

struct ouro__sleeper *ouro__sleeper_mine(void)
{
    static OURO_TLS struct ouro__sleeper mine;
    ouro__tool_words(&mine, sizeof mine);
    ouro__half_store(&mine.why, 0);
    return &mine;
}

void ouro__sleep(struct ouro__sleeper *me, uint64_t until)
{
    while (ouro__half_load(&me->why) == 0)
        if (!ouro__os_wait(&me->why, 0, until))
            return;
}

void ouro__sleeper_call(const struct ouro__sleeper *who)
{
    if (OURO_UNLIKELY(who != NULL))
        ouro__os_wake(&who->why);
}

bool ouro__wait_park(void)
{
    const struct ouro__thread *me = ouro__self;
    if (!OURO_THREADS || !me || me->releasing || me->visited.collecting || me->park_depth > 0)
        return false;
    ouro_park();
    return true;
}

uint64_t ouro__late(int64_t timeout)
{
    if (timeout < 0)
        return 0;
    return ouro__os_nanoseconds() + (uint64_t)timeout; /* the clock counts from the start */
}

void ouro__seats_add(struct ouro__seats *list, struct ouro__seat *seat)
{
    seat->listed = true;
    seat->next = NULL;
    seat->before = list->last;
    if (list->last)
        list->last->next = seat;
    else
        list->first = seat;
    list->last = seat;
}

void ouro__seats_remove(struct ouro__seats *list, struct ouro__seat *seat)
{
    if (!seat->listed)
        return;
    seat->listed = false;
    if (seat->next)
        seat->next->before = seat->before;
    else
        list->last = seat->before;
    if (seat->before)
        seat->before->next = seat->next;
    else
        list->first = seat->next;
}

struct ouro__sleeper *ouro__wake_one_for(struct ouro__seats *list, size_t bits)
{
    struct ouro__seat *next;
    for (struct ouro__seat *seat = list->first; seat; seat = next) {
        struct ouro__sleeper *who = seat->who;
        ouro_half asleep = 0;
        next = seat->next;
        if (!(seat->why & bits))
            continue;
        ouro__seats_remove(list, seat);
        if (ouro__half_cas_full(&who->why, &asleep, (ouro_half)seat->why)) /* W2 */
            return who;
    }
    return NULL;
}

struct ouro__sleeper *ouro__wake_one(struct ouro__seats *list)
{
    return ouro__wake_one_for(list, SIZE_MAX);
}
