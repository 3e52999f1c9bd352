/* SPDX-License-Identifier: MIT */
/* lock.h: locks that are taken in one order, so that threads never wait for each other in a ring.
 *
 * A lock has a level, for good. A thread that holds locks takes further ones only at lower levels:
 * strictly below all that it holds. Locks of the same level, or of any levels in no order that the
 * caller knows, are taken together, by one call (ouro_lock_all), below all that is held before. A
 * lock that is asked for without waiting (ouro_lock_try) may have any level. (The idea: lock levels
 * and multi-lock of Nim, where a compiler proves it. Why that excludes deadlock: lock.c.)
 *
 * Who breaks the order is named by the checked library, with the place where each of the two locks
 * was asked for; by either library who takes a lock again that it holds, and who leaves one that it
 * does not hold. In the release library a lock costs about what the system's mutex does.
 *
 * `site` says where in the program a call stands: OURO_HERE in C, any text from a compiler;
 * borrowed for as long as the lock is held, and for the process' life where that is not known;
 * may be NULL. `lock` is borrowed and not NULL, and of use from OURO_LOCK_INIT or ouro_lock_init
 * on; it must stay where it is. Calls run no hook of the program's, and do not fail, but for
 * programmer's errors (ouro_fail), which have changed nothing. Where one waits, the thread is
 * parked meanwhile (orc/thread.h), so that others settle for it what they drop: what dies then
 * is destroyed at the thread's next poll or birth, not inside the lock. For that a wait may
 * allocate; no call needs it. Held locks are known per thread: a coroutine that moves between
 * threads holds none over a move. clang's -Wthread-safety knows all of this but the levels. */
#ifndef OURO_ISOLATE_LOCK_H
#define OURO_ISOLATE_LOCK_H

#include "alloc/platform.h"

OURO_EXTERN_C_BEGIN

/* A lock, to be placed by the program. All members but name and level are Ouro's. */
struct OURO_CAPABILITY("lock") ouro_lock {
    const char *name;       /* for reports; borrowed; may be NULL */
    uint32_t level;         /* 0 is the lowest: nothing can be taken beside it */
    uint32_t reserved;      /* 0 */
    struct ouro_lock *next; /* what its holder holds besides, at its level or above */
    const char *site;       /* where it was taken */
    uint64_t section;       /* how often it was taken */
    uint64_t system[6];     /* the system's mutex */
};
/* Of a lock with static storage, or any other. */
#define OURO_LOCK_INIT(name, level)                                                                \
    {                                                                                              \
        (name), (level), 0, NULL, NULL, 0,                                                         \
        {                                                                                          \
            0, 0, 0, 0, 0, 0                                                                       \
        }                                                                                          \
    }

/* Makes `lock` (whatever is in it; nobody may hold it) one of that name (borrowed until its end;
 * may be NULL) and level. For one whose holder a fork's child does not have, too. Any thread;
 * allocates nothing; O(1). */
OURO_API void ouro_lock_init(struct ouro_lock *lock, const char *name, uint32_t level);

/* Ends a lock that nobody holds; its memory is the caller's. The system needs that for locks that
 * were waited for; of static ones there is no need. Held by the caller: OURO_FAIL_MISUSE. O(1). */
OURO_API void ouro_lock_end(struct ouro_lock *lock);

/* -- one --------------------------------------------------------------------------------------- */

/* Takes the lock; waits while another thread holds it. Held by the caller: OURO_FAIL_LOCK_ORDER. At
 * or above the level of one that it holds: the same, in the checked library. Any thread; O(1). */
OURO_API void ouro_lock_take(struct ouro_lock *lock, const char *site) OURO_ACQUIRES(lock);

/* Takes it if nobody holds it; whether it did. Any level, since it does not wait; what is taken
 * after it must be below it as well. Held by the caller: false. Any thread; O(locks held). */
OURO_API bool ouro_lock_try(struct ouro_lock *lock, const char *site)
    OURO_TRY_ACQUIRES(true, lock) OURO_MUST_CHECK;

/* As ouro_lock_take, but waits for at most so many nanoseconds; false: they are over. */
OURO_API bool ouro_lock_take_for(struct ouro_lock *lock, uint64_t nanoseconds, const char *site)
    OURO_TRY_ACQUIRES(true, lock) OURO_MUST_CHECK;

/* Leaves a lock; in any order. Not held by the calling thread: OURO_FAIL_NOT_HELD. O(1) for what
 * was taken last, else O(locks held). */
OURO_API void ouro_lock_release(struct ouro_lock *lock, const char *site) OURO_RELEASES(lock);

/* Leaves a lock within its section, to be retaken: others may have it in between, so what was
 * opened under it is void and must be opened anew after ouro_lock_resume (guard.h). As
 * ouro_lock_release. */
OURO_API void ouro_lock_pause(struct ouro_lock *lock, const char *site) OURO_RELEASES(lock);

/* Retakes it, by the rules of ouro_lock_take: what was taken meanwhile, or was taken below it
 * before, must be left first. */
OURO_API void ouro_lock_resume(struct ouro_lock *lock, const char *site) OURO_ACQUIRES(lock);

/* -- several ----------------------------------------------------------------------------------- */

/* Takes all of `count` locks (the array is borrowed for the call), in an order that is the same for
 * all threads whatever theirs is in the array: of any levels, below all that the caller held
 * before. The same lock twice, or one that it holds: OURO_FAIL_LOCK_ORDER; and as ouro_lock_take. 0
 * locks: nothing. O(count * count) comparisons, for which nothing is allocated or copied. */
OURO_API void ouro_lock_all(struct ouro_lock *const *locks, size_t count, const char *site);

/* Leaves all of them. One that the caller does not hold: OURO_FAIL_NOT_HELD, and all are held. */
OURO_API void ouro_lock_release_all(struct ouro_lock *const *locks, size_t count, const char *site);

/* The same of two, which -Wthread-safety can follow. */
OURO_API void ouro_lock_both(struct ouro_lock *one, struct ouro_lock *other, const char *site)
    OURO_ACQUIRES(one, other);
OURO_API void ouro_lock_release_both(struct ouro_lock *one, struct ouro_lock *other,
                                     const char *site) OURO_RELEASES(one, other);

/* -- questions --------------------------------------------------------------------------------- */

/* Whether the calling thread holds it. O(locks held). */
OURO_API bool ouro_lock_is_held(const struct ouro_lock *lock);

/* For a function that is called with the lock: not held by the calling thread is
 * OURO_FAIL_NOT_HELD. After ouro_lock_all it tells -Wthread-safety. O(locks held). */
OURO_API void ouro_lock_assert(const struct ouro_lock *lock, const char *site)
    OURO_ASSERTS_HELD(lock);

OURO_EXTERN_C_END

#endif
