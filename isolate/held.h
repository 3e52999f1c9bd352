/* SPDX-License-Identifier: MIT */
/* held.h: Internal to isolate. What locks a thread holds, and what it may not do with them.
 *
 * All of a lock's members but name and level are written with the mutex held, and read by who holds
 * it alone. Whether one holds it is seen from one's own list. */
#ifndef OURO_ISOLATE_HELD_H
#define OURO_ISOLATE_HELD_H

#include "alloc/os.h"
#include "isolate/lock.h"

/* The locks that the calling thread holds, by `next`, levels rising (lock.c, L1). */
extern OURO_TLS struct ouro_lock *ouro__held;

OURO_STATIC_ASSERT(sizeof(ouro__mutex) <= sizeof((struct ouro_lock *)0)->system,
                   "a lock has room for the system's mutex");
OURO_INLINE ouro__mutex *ouro__mutex_of(struct ouro_lock *lock)
{
    return (ouro__mutex *)(void *)lock->system;
}

OURO_INLINE bool ouro__is_held(const struct ouro_lock *lock)
{
    const struct ouro_lock *held = ouro__held;
    while (held && held != lock)
        held = held->next;
    return held != NULL;
}

/* Its place in the list, behind those of lower levels. */
void ouro__held_insert(struct ouro_lock *lock);
/* Takes it out, wherever it is; false: it is not in there. */
bool ouro__held_take_out(struct ouro_lock *lock);
/* Has the thread's end looked at, in the checked library. */
void ouro__held_watch(void);

/* The calling thread has it now. */
OURO_INLINE void ouro__held_add(struct ouro_lock *lock, const char *site)
{
    struct ouro_lock *first = ouro__held;
    lock->site = site;
    lock->section++;
    if (OURO_LIKELY(!first || first->level >= lock->level)) {
        lock->next = first;
        ouro__held = lock;
    } else { /* by try, or out of order */
        ouro__held_insert(lock);
    }
    if (OURO_CHECKED)
        ouro__held_watch();
}

/* It has it no more; false: it never had. */
OURO_INLINE bool ouro__held_remove(struct ouro_lock *lock)
{
    if (OURO_UNLIKELY(ouro__held != lock))
        return ouro__held_take_out(lock);
    ouro__held = lock->next;
    return true;
}

/* Around a wait of the calling thread: others settle for it meanwhile. No hook runs in either, for
 * it may hold locks that a hook takes. Whether it was parked, for the other. */
bool ouro__wait_begin(void);
void ouro__wait_end(bool parked);
/* The clock's value after so many nanoseconds. */
uint64_t ouro__deadline(uint64_t nanoseconds);

/* Fails where lock.h says. Taken: in the checked library, and without threads, beforehand. */
void ouro__check_take(const struct ouro_lock *lock, const char *site);
void ouro__check_retake(const struct ouro_lock *lock, const char *site);
void ouro__check_held(const struct ouro_lock *lock, const char *what, const char *site);
OURO_NORETURN void ouro__already_held(const struct ouro_lock *lock, const char *site);
OURO_NORETURN void ouro__named_twice(const struct ouro_lock *lock, const char *site);
OURO_NORETURN void ouro__nobodys(const struct ouro_lock *lock, const char *what, const char *site);
OURO_NORETURN void ouro__not_held(const struct ouro_lock *lock, const char *what, const char *site,
                                  const char *more, const char *other_site);

#endif
