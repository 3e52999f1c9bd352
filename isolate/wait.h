/* SPDX-License-Identifier: MIT */
/* wait.h: Internal to isolate. How threads wait for each other: a short lock, a thread's sleep, and
 * lists of those who sleep. Rules: wait.c. */
#ifndef OURO_ISOLATE_WAIT_H
#define OURO_ISOLATE_WAIT_H

#include "alloc/atomic.h"
#include "alloc/os.h"
#include "alloc/valgrind.h"

/* -- a lock for some dozens of instructions ---------------------------------------------------- */

/* 0: free. Nothing runs under it that may wait for another thread, but for another such lock. */
void ouro__short_lock_wait(ouro_half *lock);
static inline void ouro__short_lock(ouro_half *lock)
{
    ouro_half free = 0;
    /* Acquire: pairs with the release of who had it before. */
    if (OURO_UNLIKELY(!ouro__half_cas_acquire(lock, &free, 1)))
        ouro__short_lock_wait(lock);
    ouro__tool_acquire(lock);
}
static inline void ouro__short_unlock(ouro_half *lock)
{
    ouro__tool_release(lock);
    ouro__half_store_release(lock, 0);
}

/* -- a thread's sleep -------------------------------------------------------------------------- */

/* 0: it may sleep. Else whoever woke it says why: never 0. */
struct ouro__sleeper {
    ouro_half why;
};

/* The calling thread's; nobody is in a list with it. Its lists are left before anything else runs
 * on the thread, so one does. */
struct ouro__sleeper *ouro__sleeper_mine(void);
/* Sleeps until somebody says why, or it is that late (0: never). */
void ouro__sleep(struct ouro__sleeper *me, uint64_t until);
/* Without a lock, after ouro__wake_one: it may have gone meanwhile. */
void ouro__sleeper_call(const struct ouro__sleeper *who);
/* Parks (orc/thread.h) for a wait, but inside a hook, a collection or a park: false. It may run
 * hooks, as ouro_unpark, which ends it, may: before and after the time in lists (W4). */
bool ouro__wait_park(void);
/* The time at which so many nanoseconds are over: never 0; negative: 0. */
uint64_t ouro__late(int64_t timeout);

/* -- lists of sleepers ------------------------------------------------------------------------- */

/* A thread's seat in a list. It is in its thread's memory, and written with the list's lock. */
struct ouro__seat {
    struct ouro__seat *next, *before;
    struct ouro__sleeper *who;
    size_t why;
    bool listed;
};
struct ouro__seats {
    struct ouro__seat *first, *last;
};

/* All of them with the list's lock. */
void ouro__seats_add(struct ouro__seats *list, struct ouro__seat *seat);
/* Does nothing if somebody woke it, who took it out. */
void ouro__seats_remove(struct ouro__seats *list, struct ouro__seat *seat);
/* Takes the first out that nobody has woken by another list, and wakes it: to be called when the
 * lock is free. NULL: there is none. */
struct ouro__sleeper *ouro__wake_one(struct ouro__seats *list);
/* The same of those whose `why` has one of the bits: for lists in which it is bits. */
struct ouro__sleeper *ouro__wake_one_for(struct ouro__seats *list, size_t bits);

#endif
