/* SPDX-License-Identifier: MIT */
/* scope.c: scopes of tasks: how they begin, what is waited for in them, how they end. Rules:
 * task.c. */
#include "isolate/task_state.h"
#include "alloc/fail.h"
#include "isolate/home.h"
#include "orc/thread.h"

#define LIMIT_MOST ((size_t)1 << 30)

bool ouro__scope_is_cancelled(const struct ouro_scope *scope)
{
    for (;;) { /* T6 */
        if (ouro__half_load(&scope->cancelled) || scope->generation != ouro__generation())
            return true;
        const struct ouro_task *opener = scope->opener;
        if (!opener)
            return false;
        if (ouro__half_load(&opener->cancelled))
            return true;
        scope = opener->scope;
    }
}

bool ouro__scope_below(const struct ouro_scope *scope, const struct ouro_scope *above)
{
    while (scope != above && scope->opener)
        scope = scope->opener->scope;
    return scope == above;
}

/* In the child of a fork: of tasks that had begun those of this thread are there still, others will
 * not end. */
static OURO_COLD void renew(struct ouro_scope *scope)
{
    scope->generation = ouro__generation();
    scope->in_flight = 0;
    for (struct ouro_task *task = scope->first; task; task = task->next)
        scope->in_flight++;
    for (struct ouro__running *at = ouro__running; at; at = at->below)
        scope->in_flight += at->task->scope == scope;
    scope->waiting = (struct ouro__seats){NULL, NULL};
    ouro__half_store(&scope->sleeps, 0);
    ouro__half_store(&scope->cancelled, 1);
    if (scope->error == OURO_OK)
        scope->error = OURO_CANCELLED;
}

/* Its tasks are counted by the thread that may be in one. The task of another thread that opened it
 * is nobody's any more, and soon gone: T6 holds no longer, so the path ends here. */
void ouro__scope_in_child(struct ouro_scope *scope)
{
    if (scope->opener && !ouro__task_is_mine(scope->opener))
        scope->opener = NULL;
    if (scope->generation != ouro__generation())
        renew(scope);
}

void ouro__scope_lock(struct ouro_scope *scope)
{
    ouro__place_lock(scope->place);
    if (OURO_UNLIKELY(scope->generation != ouro__generation()))
        renew(scope);
}

/* -- waits ------------------------------------------------------------------------------------- */

struct ouro__sleeper *ouro__scope_wake_one(struct ouro_scope *scope, size_t bits)
{
    if (OURO_LIKELY(!scope->waiting.first))
        return NULL;
    struct ouro__sleeper *who = ouro__wake_one_for(&scope->waiting, bits);
    ouro__half_store(&scope->sleeps, scope->waiting.first != NULL);
    return who;
}

void ouro__scope_wake_all(struct ouro_scope *scope)
{
    while (scope->waiting.first)
        ouro__sleeper_call(ouro__scope_wake_one(scope, SIZE_MAX));
}

/* With the lock: what is waited for. */
static bool is_over(const struct ouro_scope *scope, size_t why)
{
    if (why & OURO__FOR_END)
        return scope->in_flight == 0;
    return scope->in_flight < scope->limit || ouro__half_load(&scope->cancelled);
}

/* With the lock: takes the seat, and sleeps. True: it was woken, and sees that there is something
 * to do below that another may be woken for. */
static bool sleep_in(struct ouro_scope *scope, struct ouro__seat *seat)
{
    struct ouro__task_place *place = scope->place;
    ouro__seats_add(&scope->waiting, seat);
    ouro__half_store(&scope->sleeps, 1);
    ouro__place_unlock(place);
    bool some = (seat->why & OURO__FOR_END) && ouro__task_is_below(scope); /* K1 */
    if (!some)
        ouro__sleep(seat->who, 0);
    ouro__scope_lock(scope);
    bool woken = !seat->listed;
    ouro__seats_remove(&scope->waiting, seat);
    ouro__half_store(&scope->sleeps, scope->waiting.first != NULL);
    return some && woken;
}

static void sleep_for(struct ouro_scope *scope, size_t why)
{
    bool parked = ouro__wait_park(), more = false;
    struct ouro__seat seat = {.who = ouro__sleeper_mine(), .why = why};
    ouro__tool_words(&seat, sizeof seat);
    ouro__scope_lock(scope);
    if (!is_over(scope, why) && !((why & OURO__FOR_WORK) && scope->first)) /* W1 */
        more = sleep_in(scope, &seat);
    ouro__place_unlock(scope->place);
    ouro__tool_no_words(&seat, sizeof seat);
    if (more)
        ouro__task_tell(scope); /* W3 */
    if (parked)
        ouro_unpark();
}

/* Returns with the lock. */
static void wait_for(struct ouro_scope *scope, size_t why)
{
    ouro__scope_lock(scope);
    while (!is_over(scope, why)) {
        struct ouro_task *task = NULL;
        if (why & OURO__FOR_WORK)
            task = ouro__task_take(scope, scope->opener != NULL);
        ouro__place_unlock(scope->place);
        if (!task && (why & OURO__FOR_END))
            task = ouro__task_below(scope); /* T7 */
        if (task)
            ouro__task_run(task);
        else
            sleep_for(scope, why);
        ouro__scope_lock(scope);
    }
}

/* It sleeps: what it ran might wait for what the caller does next, by means of its own. Without
 * workers it may be the only one that runs anything. */
void ouro__scope_room(struct ouro_scope *scope)
{
    wait_for(scope, ouro_workers() == 0 ? OURO__FOR_ROOM | OURO__FOR_WORK : OURO__FOR_ROOM);
}

/* -- beginning and end ------------------------------------------------------------------------- */

ouro_status ouro_scope_open(size_t limit, struct ouro_scope **scope)
{
    if (!scope)
        return OURO_BAD_ARGUMENT;
    *scope = NULL;
    if (limit == 0 || limit > LIMIT_MOST)
        return OURO_BAD_ARGUMENT;
    struct ouro_scope *fresh = ouro__home_alloc(__alignof__(struct ouro_scope), sizeof *fresh);
    if (!fresh)
        return OURO_NO_MEMORY;
    ouro__workers_need();
    memset(fresh, 0, sizeof *fresh);
    ouro__tool_words(fresh, sizeof *fresh);
    fresh->place = ouro__place_mine();
    fresh->limit = limit;
    fresh->generation = ouro__generation();
    if (ouro__running) {
        fresh->opener = ouro__running->task;
        fresh->opener->open++;
    }
    *scope = fresh;
    return OURO_OK;
}

void ouro_scope_cancel(struct ouro_scope *scope)
{
    ouro__scope_lock(scope);
    if (scope->error == OURO_OK)
        scope->error = OURO_CANCELLED;
    ouro__half_store(&scope->cancelled, 1);
    ouro__scope_wake_all(scope);
    ouro__place_unlock(scope->place);
}

ouro_status ouro_scope_close(struct ouro_scope *scope)
{
    struct ouro_task *opener = scope->opener;
    if (opener != (ouro__running ? ouro__running->task : NULL))
        ouro_fail(OURO_FAIL_MISUSE, scope, NULL,
                  "a scope is closed in a task, or outside of tasks, and was not opened there");
    ouro__scope_lock(scope);
    bool waited_in = scope->waiting.first != NULL;
    scope->closing = !waited_in;
    ouro__place_unlock(scope->place);
    if (waited_in)
        ouro_fail(OURO_FAIL_MISUSE, scope, NULL, "a scope is closed while a thread spawns in it");
    wait_for(scope, OURO__FOR_WORK | OURO__FOR_END);
    ouro__place_unlock(scope->place);
    ouro_status error = scope->error;
    if (opener)
        opener->open--;
    ouro__lent_end(scope);
    ouro__tool_no_words(scope, sizeof *scope);
    ouro_free(scope);
    return error;
}
