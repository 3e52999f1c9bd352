/* SPDX-License-Identifier: MIT */
/* condition.h: waiting, with a lock, for what another thread does with it.
 *
 * The lock is left and retaken, so what was opened under it before (guard.h) is void. It is retaken
 * by the rules of lock.h, so it must be strictly below all other locks that the caller holds; those
 * stay held over the wait. Levels cannot tell whether who is to signal needs one of them: hold none
 * that it does. */
#ifndef OURO_ISOLATE_CONDITION_H
#define OURO_ISOLATE_CONDITION_H

#include "isolate/lock.h"

OURO_EXTERN_C_BEGIN

/* A condition, to be placed by the program; it must stay where it is. */
struct ouro_condition {
    uint64_t system[6]; /* the system's */
};
#define OURO_CONDITION_INIT                                                                        \
    {                                                                                              \
        {                                                                                          \
            0, 0, 0, 0, 0, 0                                                                       \
        }                                                                                          \
    }

/* Makes one; ends one that nobody waits for. `condition` (here and below): borrowed, not NULL. */
OURO_API void ouro_condition_init(struct ouro_condition *condition);
OURO_API void ouro_condition_end(struct ouro_condition *condition);

/* Leaves `lock` (borrowed; held by the caller), waits for a signal, and retakes it. It may also
 * come back without a signal: call it in a loop that looks at what is waited for. `site` as in
 * lock.h: the lock counts as taken there afterwards. The thread is parked meanwhile.
 *
 * Not held: OURO_FAIL_NOT_HELD. At or above the level of another that is held: in the checked
 * library OURO_FAIL_LOCK_ORDER. In a library without threads nobody signals: OURO_FAIL_MISUSE. Any
 * thread; runs no hook. */
OURO_API void ouro_condition_wait(struct ouro_condition *condition, struct ouro_lock *lock,
                                  const char *site) OURO_REQUIRES(lock);

/* The same for at most so many nanoseconds; false: they are over. The lock is held either way. */
OURO_API bool ouro_condition_wait_for(struct ouro_condition *condition, struct ouro_lock *lock,
                                      uint64_t nanoseconds, const char *site) OURO_REQUIRES(lock);

/* Has one, or all, who wait go on. Best with the lock held. Any thread; O(1), O(who wait). */
OURO_API void ouro_condition_signal(struct ouro_condition *condition);
OURO_API void ouro_condition_broadcast(struct ouro_condition *condition);

OURO_EXTERN_C_END

#endif
