/* SPDX-License-Identifier: MIT */
/* guard.c: guarded locations, which open with their lock (guard.h).
 *
 *  G1  pointer of a guarded location is read and written by the holder of its lock alone, or while
 *      there is no other thread: plain accesses, ordered by the mutex, or by the thread's creation.
 *  G2  section of a lock grows with each taking (held.c), and with nothing else. So an opening
 *      holds if its lock is held by this thread and its section is the opening's. */
#include "isolate/guard.h"
#include "isolate/held.h"
#include "orc/rc.h"

/* Nobody else can be at it. */
static bool is_alone(void)
{
    return OURO_ONLY_THREAD() || (!OURO__TELLS_ONLY_THREAD && ouro__os_threads() == 1);
}

static OURO_NOINLINE void open_unguarded(const struct ouro_lock *lock, const char *site)
{
    if (!is_alone())
        ouro__nobodys(lock, "needed", site);
}

/* Whether the lock is held; else it need not be. */
static bool check(const struct ouro_lock *lock, const char *site)
{
    if (OURO_LIKELY(ouro__is_held(lock)))
        return true;
    open_unguarded(lock, site);
    return false;
}

OURO_NO_THREAD_SAFETY void ouro_guard_check(const struct ouro_lock *lock, const char *site)
{
    (void)check(lock, site);
}

OURO_NO_THREAD_SAFETY void *ouro_guard_open(const struct ouro_guarded *guarded,
                                            struct ouro_opening *opening, const char *site)
{
    bool held = check(guarded->lock, site);
    if (opening) {
        uint64_t section = held ? guarded->lock->section : 0;
        *opening = (struct ouro_opening){guarded->pointer, guarded, section, site};
    }
    return guarded->pointer;
}

static void check_opening(const struct ouro_opening *opening, const char *site)
{
    const struct ouro_guarded *guarded = opening->guarded;
    const char *wrong = NULL;
    if (!ouro__is_held(guarded->lock))
        wrong = opening->section != 0 || !is_alone() ? ", and not held any more: opened" : NULL;
    else if (guarded->lock->section != opening->section && /* G2 */
             !(opening->section == 0 && is_alone()))
        wrong = ", and was left and retaken since: opened";
    if (!wrong && guarded->pointer != opening->pointer)
        wrong = ", and what it guards was exchanged since: opened";
    if (OURO_UNLIKELY(wrong != NULL)) {
        const char *opened = opening->site ? opening->site : "a place that is not known";
        ouro__not_held(guarded->lock, "needed for a stale opening", site, wrong, opened);
    }
}

void *ouro_opening_pointer(const struct ouro_opening *opening, const char *site)
{
    if (OURO_CHECKED)
        check_opening(opening, site);
    return opening->pointer;
}

OURO_NO_THREAD_SAFETY void *ouro_guard_exchange(struct ouro_guarded *guarded, void *pointer,
                                                const char *site)
{
    (void)check(guarded->lock, site);
    void *was = guarded->pointer;
    guarded->pointer = pointer;
    return was;
}

OURO_NO_THREAD_SAFETY void ouro_guard_set(struct ouro_guarded *guarded, void *object,
                                          const char *site)
{
    ouro_decref(ouro_guard_exchange(guarded, object, site));
}
