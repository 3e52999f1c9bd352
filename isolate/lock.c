/* SPDX-License-Identifier: MIT */
/* lock.c: locks with levels, one or many at a time.
 *
 * Problem: threads that hold locks and wait for others may wait for each other in a ring. Ordering
 * all locks of a program excludes that (Havender 1968, "Avoiding deadlock in multitasking
 * systems"); a level a lock is such an order that each part of a program can keep on its own, as in
 * Nim, and the order of addresses one for locks of the same level, which must then be known all at
 * once.
 *
 *  L1  A thread's list has the locks that it holds, levels rising from its head: the first has the
 *      lowest. It is changed by the thread alone, and only a holder writes its lock's members. So
 *      "held by me" needs neither an atomic operation nor an owner's name.
 *  L2  Order "<<" of all locks: a << b if a's level is higher; or the levels are the same, and a's
 *      address is lower. It is total.
 *  L3  A thread that waits for l alone (take, take_for, resume, the end of a wait for a condition)
 *      holds only locks with a level above l's. So h << l for each h that it holds.
 *  L4  A thread that waits for l in ouro_lock_all holds what it held before, all above each level
 *      of the call, and those of the call that come before l by "<<". So, again, h << l.
 *  L5  ouro_lock_try does not wait; what it took is among the held ones of L3 and L4 from then on.
 *
 * No deadlock: let T1 wait for l1, held by T2, who waits for l2, .., Tn for ln, held by T1. By L3
 * and L4 l1 << l2, since T2 holds l1 and waits for l2; .. ln-1 << ln, and ln << l1: so l1 << l1,
 * which no order allows. A park is no link of such a ring: ouro__wait_end waits for a merger, and
 * that waits for nobody while it is at it. Waits for anything but a lock (a condition, a thread's
 * end, a channel) are not covered.
 *
 * The checked library looks at L3 and L4 before it waits. The release library trusts the program,
 * but has to wait before it could go wrong, and finds then what is wrong for sure: that the lock is
 * the caller's own.
 *
 * Progress: that of the system's mutex. One try, and only if that fails a park and a wait. Memory
 * order: the mutex alone. */
#include "isolate/lock.h"
#include "alloc/fail.h"
#include "isolate/held.h"

/* Waits until the time is over; whether it has the mutex. */
static OURO_NOINLINE bool wait_for(struct ouro_lock *lock, const uint64_t *until, const char *site)
{
    if (ouro__is_held(lock))
        ouro__already_held(lock, site);
    bool parked = ouro__wait_begin(), taken = true;
    if (until)
        taken = ouro__lock_until(ouro__mutex_of(lock), *until);
    else
        ouro__lock(ouro__mutex_of(lock));
    ouro__wait_end(parked);
    return taken;
}

/* The order has been looked at. */
OURO_INLINE void take(struct ouro_lock *lock, const char *site)
{
    if (OURO_UNLIKELY(!ouro__try_lock(ouro__mutex_of(lock))))
        (void)wait_for(lock, NULL, site);
    ouro__held_add(lock, site);
}

void ouro_lock_init(struct ouro_lock *lock, const char *name, uint32_t level)
{
    *lock = (struct ouro_lock){.name = name, .level = level};
    ouro__mutex_reset(ouro__mutex_of(lock));
}

void ouro_lock_end(struct ouro_lock *lock)
{
    if (ouro__is_held(lock))
        ouro_fail(OURO_FAIL_MISUSE, lock, NULL, "a lock is ended by the thread that holds it");
    ouro__mutex_end(ouro__mutex_of(lock));
}

/* -- one --------------------------------------------------------------------------------------- */

OURO_NO_THREAD_SAFETY void ouro_lock_take(struct ouro_lock *lock, const char *site)
{
    if (OURO_CHECKED || !OURO_THREADS)
        ouro__check_take(lock, site);
    take(lock, site);
}

OURO_NO_THREAD_SAFETY bool ouro_lock_try(struct ouro_lock *lock, const char *site)
{
    if (!OURO_THREADS && ouro__is_held(lock))
        return false;
    if (!ouro__try_lock(ouro__mutex_of(lock)))
        return false;
    ouro__held_add(lock, site);
    return true;
}

OURO_NO_THREAD_SAFETY bool ouro_lock_take_for(struct ouro_lock *lock, uint64_t nanoseconds,
                                              const char *site)
{
    if (OURO_CHECKED || !OURO_THREADS)
        ouro__check_take(lock, site);
    if (OURO_UNLIKELY(!ouro__try_lock(ouro__mutex_of(lock)))) {
        uint64_t until = ouro__deadline(nanoseconds);
        if (!wait_for(lock, &until, site))
            return false;
    }
    ouro__held_add(lock, site);
    return true;
}

OURO_NO_THREAD_SAFETY void ouro_lock_release(struct ouro_lock *lock, const char *site)
{
    if (OURO_UNLIKELY(!ouro__held_remove(lock)))
        ouro__nobodys(lock, "released", site);
    ouro__unlock(ouro__mutex_of(lock));
}

OURO_NO_THREAD_SAFETY void ouro_lock_pause(struct ouro_lock *lock, const char *site)
{
    if (OURO_UNLIKELY(!ouro__held_remove(lock)))
        ouro__nobodys(lock, "paused", site);
    ouro__unlock(ouro__mutex_of(lock));
}

OURO_NO_THREAD_SAFETY void ouro_lock_resume(struct ouro_lock *lock, const char *site)
{
    ouro_lock_take(lock, site);
}

/* -- several ----------------------------------------------------------------------------------- */

/* L2 */
static bool precedes(const struct ouro_lock *a, const struct ouro_lock *b)
{
    return a->level != b->level ? a->level > b->level : (uintptr_t)a < (uintptr_t)b;
}

/* The first of them that comes after `last` (NULL: of all). */
static struct ouro_lock *next_after(const struct ouro_lock *last, struct ouro_lock *const *locks,
                                    size_t count)
{
    struct ouro_lock *next = NULL;
    for (size_t i = 0; i < count; i++) {
        if ((!last || precedes(last, locks[i])) && (!next || precedes(locks[i], next)))
            next = locks[i];
    }
    return next;
}

/* Before any is taken: an error changes nothing. */
static void check_all(struct ouro_lock *const *locks, size_t count, const char *site)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (OURO_UNLIKELY(locks[i] == locks[j]))
                ouro__named_twice(locks[i], site);
        }
        if (OURO_CHECKED || !OURO_THREADS)
            ouro__check_take(locks[i], site);
        else if (OURO_UNLIKELY(ouro__is_held(locks[i])))
            ouro__already_held(locks[i], site);
    }
}

void ouro_lock_all(struct ouro_lock *const *locks, size_t count, const char *site)
{
    check_all(locks, count, site);
    struct ouro_lock *last = NULL;
    for (size_t i = 0; i < count; i++) { /* L4 */
        last = next_after(last, locks, count);
        take(last, site);
    }
}

void ouro_lock_release_all(struct ouro_lock *const *locks, size_t count, const char *site)
{
    for (size_t i = 0; i < count; i++) {
        ouro__check_held(locks[i], "released", site);
        for (size_t j = 0; j < i; j++) {
            if (OURO_UNLIKELY(locks[i] == locks[j]))
                ouro__named_twice(locks[i], site);
        }
    }
    for (size_t i = 0; i < count; i++) {
        (void)ouro__held_remove(locks[i]);
        ouro__unlock(ouro__mutex_of(locks[i]));
    }
}

OURO_NO_THREAD_SAFETY void ouro_lock_both(struct ouro_lock *one, struct ouro_lock *other,
                                          const char *site)
{
    struct ouro_lock *const both[] = {one, other};
    ouro_lock_all(both, 2, site);
}

OURO_NO_THREAD_SAFETY void ouro_lock_release_both(struct ouro_lock *one, struct ouro_lock *other,
                                                  const char *site)
{
    struct ouro_lock *const both[] = {one, other};
    ouro_lock_release_all(both, 2, site);
}

/* -- questions --------------------------------------------------------------------------------- */

bool ouro_lock_is_held(const struct ouro_lock *lock)
{
    return ouro__is_held(lock);
}

void ouro_lock_assert(const struct ouro_lock *lock, const char *site)
{
    ouro__check_held(lock, "needed", site);
}
