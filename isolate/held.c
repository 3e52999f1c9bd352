/* SPDX-License-Identifier: MIT */
/* held.c: the list of what a thread holds, how it waits for more, and what is said of misuse. */
#include "isolate/held.h"
#include "alloc/atomic.h"
#include "alloc/fail.h"
#include "alloc/text.h"
#include "orc/state.h"
#include "orc/thread.h"

OURO_TLS struct ouro_lock *ouro__held;

/* -- the list: L1 of lock.c -------------------------------------------------------------------- */

void ouro__held_insert(struct ouro_lock *lock)
{
    struct ouro_lock **place = &ouro__held;
    while (*place && (*place)->level < lock->level)
        place = &(*place)->next;
    lock->next = *place;
    *place = lock;
}

bool ouro__held_take_out(struct ouro_lock *lock)
{
    struct ouro_lock **place = &ouro__held;
    while (*place && *place != lock)
        place = &(*place)->next;
    if (!*place)
        return false;
    *place = lock->next;
    return true;
}

/* -- waits ------------------------------------------------------------------------------------- */

/* Not inside a hook or a collection: what those are at is not for others to go on with. */
bool ouro__wait_begin(void)
{
    struct ouro__thread *me = ouro__self;
    if (!OURO_THREADS || !me || me->park_depth > 0 || me->releasing || me->visited.collecting)
        return false;
    me->releasing = true; /* a death is only chained: the next poll carries it out */
    ouro_park();
    me->releasing = false;
    return true;
}

void ouro__wait_end(bool parked)
{
    if (parked)
        ouro__unpark_to(ouro__self, 0);
}

uint64_t ouro__deadline(uint64_t nanoseconds)
{
    uint64_t now = ouro__os_nanoseconds();
    return nanoseconds < UINT64_MAX - now ? now + nanoseconds : UINT64_MAX;
}

/* -- misuse ------------------------------------------------------------------------------------ */

/* lock 'name' (level 3) */
static void add_lock(struct ouro__text *t, const struct ouro_lock *lock)
{
    ouro__text_add(t, "lock '");
    ouro__text_add(t, lock->name ? lock->name : "");
    ouro__text_add(t, "' (level ");
    ouro__text_decimal(t, lock->level);
    ouro__text_add(t, ")");
}

static void add_site(struct ouro__text *t, const char *verb, const char *site)
{
    ouro__text_add(t, verb);
    ouro__text_add(t, " at ");
    ouro__text_add(t, site ? site : "a place that is not known");
}

/* lock 'b' (level 7) is taken at x.c:2 while lock 'a' (level 5) is held, taken at x.c:1: why */
OURO_NORETURN static void out_of_order(const struct ouro_lock *lock, const char *site,
                                       const struct ouro_lock *held, const char *why)
{
    char room[400];
    struct ouro__text t = {room, sizeof room, 0};
    add_lock(&t, lock);
    add_site(&t, " is taken", site);
    ouro__text_add(&t, " while ");
    if (held == lock)
        ouro__text_add(&t, "it");
    else
        add_lock(&t, held);
    add_site(&t, " is held, taken", held->site);
    ouro__text_add(&t, why);
    ouro_fail(OURO_FAIL_LOCK_ORDER, lock, NULL, room);
}

void ouro__already_held(const struct ouro_lock *lock, const char *site)
{
    out_of_order(lock, site, lock, ", by the same thread");
}

void ouro__named_twice(const struct ouro_lock *lock, const char *site)
{
    char room[400];
    struct ouro__text t = {room, sizeof room, 0};
    add_lock(&t, lock);
    add_site(&t, " is named twice in the call", site);
    ouro_fail(OURO_FAIL_LOCK_ORDER, lock, NULL, room);
}

static void check_below(const struct ouro_lock *lock, const struct ouro_lock *lowest,
                        const char *site)
{
    if (OURO_UNLIKELY(lowest && lock->level == lowest->level))
        out_of_order(lock, site, lowest, ": locks of one level are taken in one call");
    if (OURO_UNLIKELY(lowest && lock->level > lowest->level))
        out_of_order(lock, site, lowest, ": levels must fall");
}

void ouro__check_take(const struct ouro_lock *lock, const char *site)
{
    if (OURO_UNLIKELY(ouro__is_held(lock)))
        ouro__already_held(lock, site);
    if (OURO_CHECKED)
        check_below(lock, ouro__held, site);
}

void ouro__check_retake(const struct ouro_lock *lock, const char *site)
{
    if (OURO_CHECKED)
        check_below(lock, ouro__held == lock ? lock->next : ouro__held, site);
}

void ouro__not_held(const struct ouro_lock *lock, const char *what, const char *site,
                    const char *more, const char *other_site)
{
    char room[400];
    struct ouro__text t = {room, sizeof room, 0};
    add_lock(&t, lock);
    ouro__text_add(&t, " is ");
    add_site(&t, what, site);
    ouro__text_add(&t, more);
    if (other_site)
        add_site(&t, "", other_site);
    ouro_fail(OURO_FAIL_NOT_HELD, lock, NULL, room);
}

void ouro__nobodys(const struct ouro_lock *lock, const char *what, const char *site)
{
    ouro__not_held(lock, what, site, ", and this thread does not hold it", NULL);
}

void ouro__check_held(const struct ouro_lock *lock, const char *what, const char *site)
{
    if (OURO_UNLIKELY(!ouro__is_held(lock)))
        ouro__nobodys(lock, what, site);
}

/* -- a thread's end ---------------------------------------------------------------------------- */

/* POSIX promises four rounds of destructors of thread-local data: some may leave the lock. */
#define LAST_ROUND 3

static ouro_word watching; /* 0 or 1 */
static ouro__exit_key exit_key;
static OURO_TLS unsigned rounds;
static OURO_TLS bool watched;

OURO_NORETURN static void kept(const struct ouro_lock *lock)
{
    char room[400];
    struct ouro__text t = {room, sizeof room, 0};
    ouro__text_add(&t, "a thread ends and holds ");
    add_lock(&t, lock);
    add_site(&t, ", taken", lock->site);
    ouro_fail(OURO_FAIL_MISUSE, lock, NULL, room);
}

static void at_thread_exit(void *list)
{
    if (ouro__held && (++rounds == LAST_ROUND || !ouro__exit_key_arm(exit_key, list)))
        kept(ouro__held);
}

OURO_AT_LOAD static void begin_watching(void)
{
    if (OURO_CHECKED)
        ouro__store(&watching, ouro__exit_key_make(&exit_key, at_thread_exit));
}

/* A plugin with the static library may go before its threads. */
OURO_AT_UNLOAD static void end_watching(void)
{
    if (ouro__exchange_full(&watching, 0))
        ouro__exit_key_forget(exit_key);
}

void ouro__held_watch(void)
{
    if (!watched && ouro__load(&watching))
        watched = ouro__exit_key_arm(exit_key, &ouro__held);
}
