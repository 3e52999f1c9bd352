/* SPDX-License-Identifier: MIT */
/* condition.c: waits for conditions. The mutex goes and comes back in the system's one call; what a
 * thread holds is told so before and after it. While it waits it holds the others of its list, all
 * of higher levels (lock.c, L3, for the retaking at the end). */
#include "isolate/condition.h"
#include "alloc/fail.h"
#include "alloc/valgrind.h"
#include "isolate/held.h"
#include "orc/state.h"

OURO_STATIC_ASSERT(sizeof(ouro__condition) <= sizeof(struct ouro_condition),
                   "a condition has room for the system's");

static ouro__condition *system_of(struct ouro_condition *condition)
{
    return (ouro__condition *)(void *)condition->system;
}

void ouro_condition_init(struct ouro_condition *condition)
{
    *condition = (struct ouro_condition){{0}};
    ouro__condition_reset(system_of(condition));
}

void ouro_condition_end(struct ouro_condition *condition)
{
    ouro__condition_end(system_of(condition));
}

/* until NULL: for ever. */
static bool wait_until(struct ouro_condition *condition, struct ouro_lock *lock,
                       const uint64_t *until, const char *site)
{
    ouro__check_held(lock, "waited with", site);
    ouro__check_retake(lock, site);
    if (!OURO_THREADS && !until)
        ouro_fail(OURO_FAIL_MISUSE, lock, NULL, "without threads nobody can end a wait");
    (void)ouro__held_remove(lock);
    bool parked = ouro__wait_begin(), signalled = true;
    /* glibc's wait may signal without the mutex, which helgrind finds dubious. A thread with
     * objects has seen whether a tool listens. */
    bool told = ouro__self != NULL;
    if (told)
        ouro__tool_hush();
    if (until)
        signalled = ouro__condition_wait_until(system_of(condition), ouro__mutex_of(lock), *until);
    else
        ouro__condition_wait(system_of(condition), ouro__mutex_of(lock));
    if (told)
        ouro__tool_speak();
    ouro__wait_end(parked);
    ouro__held_add(lock, site);
    return signalled;
}

OURO_NO_THREAD_SAFETY void ouro_condition_wait(struct ouro_condition *condition,
                                               struct ouro_lock *lock, const char *site)
{
    (void)wait_until(condition, lock, NULL, site);
}

OURO_NO_THREAD_SAFETY bool ouro_condition_wait_for(struct ouro_condition *condition,
                                                   struct ouro_lock *lock, uint64_t nanoseconds,
                                                   const char *site)
{
    uint64_t until = ouro__deadline(nanoseconds);
    return wait_until(condition, lock, &until, site);
}

void ouro_condition_signal(struct ouro_condition *condition)
{
    ouro__condition_signal(system_of(condition));
}

void ouro_condition_broadcast(struct ouro_condition *condition)
{
    ouro__condition_broadcast(system_of(condition));
}
