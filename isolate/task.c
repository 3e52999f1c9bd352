/* SPDX-License-Identifier: MIT */
/* task.c: how a task comes to be, is run by one thread, and ends.
 *
 * Problem: functions are to be run by other threads, with graphs that change hands, as fast as a
 * lock of some dozens of instructions allows, and so that an argument suffices for its rightness.
 * The way: Cilk's (Blumofe and Leiserson 1999), a queue a worker, newest first for itself, oldest
 * first for thieves, but by scope: a scope keeps its tasks, a worker's place the scopes. So who
 * waits for a scope finds its tasks where it waits, and one lock guards all.
 *
 *  T1  All of a scope, of its tasks and of their flows is guarded by the lock of one place, the
 *      scope's. Places are there for good: who leaves a lock touches nothing that may be gone. No
 *      thread holds two places' locks.
 *  T2  A task is QUEUED, in its scope's list; RUNS, in nobody's list and one thread's hands; DONE.
 *      Only the thread that took it out of the list, with the lock, runs it, or finds it cancelled
 *      and does not, and ends it. So it runs at most once, and its argument is taken or dropped.
 *  T3  A scope is in its place's list while it has QUEUED tasks.
 *  T4  in_flight counts a scope's tasks that are not DONE. Where that is `limit`, who spawns
 *      outside of tasks waits, and who does in a task, or in a hook on a worker, makes room: it
 *      runs what is queued there, unless it is a task of the scope or of one below, and then the
 *      new one at once, in its own place, and goes on after it. So no task waits for room, which
 *      only its own end might make, or that of one that waits for it. Of such tasks at most DEEPEST
 *      lie one in the other on a thread; the last queues what it spawns though the scope be full,
 *      and in the next one that has less below it, a spawn runs of that first what is too much.
 *  T5  A task's hooks (of what it leaves of its argument, and of a result nobody wants) have run
 *      before it is DONE: so before ouro_scope_close returns.
 *  T6  A task that is RUNS is above its scope, and that above the task that opened it: what is on
 *      this path stays until the task is DONE. So it is followed without a lock.
 *  T7  Who waits runs only what it waits for: the task itself, or tasks of the scope that it closes
 *      and below (leapfrogging, Wagner and Calder 1993). So a thread's stack is as deep as scopes
 *      and awaits nest, and T4 allows, and no wait lasts longer for what it ran.
 *
 * Who waits sits in lists, guarded by the lock under which what it waits for is done (wait.c,
 * W1); a flow's list has one seat, in the task, for one thread awaits it. W3: who is woken for
 * room takes it, or finds it taken by a task whose end wakes the next, or may not spawn and
 * wakes the next; cancelling wakes all. Who is woken for work helps (OURO__FOR_WORK), and a
 * spawn wakes the next for what it leaves. The fences are the locks'. Progress: blocking, as
 * wait.c; a task that nobody has begun is begun by a worker, if one is not in a task, or by
 * whoever awaits it or closes its scope. Forks: worker.c. */
#include "isolate/task_state.h"
#include "alloc/fail.h"
#include "isolate/home.h"

enum { DEEPEST = 64 }; /* spawns that run tasks at once, one in the other (T4) */

OURO_TLS struct ouro__running *ouro__running;

bool ouro__task_is_mine(const struct ouro_task *task)
{
    const struct ouro__running *at = ouro__running;
    while (at && at->task != task)
        at = at->below;
    return at != NULL;
}

/* -- lists: with the lock ---------------------------------------------------------------------- */

static void scope_listed(struct ouro_scope *scope)
{
    struct ouro__task_place *place = scope->place;
    scope->next = NULL;
    scope->before = place->last;
    if (place->last)
        place->last->next = scope;
    else
        place->first = scope;
    place->last = scope;
    ouro__half_store(&place->count, ouro__half_load(&place->count) + 1);
}

static void scope_unlisted(struct ouro_scope *scope)
{
    struct ouro__task_place *place = scope->place;
    if (scope->next)
        scope->next->before = scope->before;
    else
        place->last = scope->before;
    if (scope->before)
        scope->before->next = scope->next;
    else
        place->first = scope->next;
    ouro__half_store(&place->count, ouro__half_load(&place->count) - 1);
}

static void queue(struct ouro_task *task)
{
    struct ouro_scope *scope = task->scope;
    task->state = OURO__TASK_QUEUED;
    task->next = NULL;
    task->before = scope->last;
    if (scope->last)
        scope->last->next = task;
    else
        scope->first = task;
    scope->last = task;
    if (scope->first == task)
        scope_listed(scope); /* T3 */
}

void ouro__task_take_this(struct ouro_task *task)
{
    struct ouro_scope *scope = task->scope;
    if (task->next)
        task->next->before = task->before;
    else
        scope->last = task->before;
    if (task->before)
        task->before->next = task->next;
    else
        scope->first = task->next;
    if (!scope->first)
        scope_unlisted(scope);
    task->state = OURO__TASK_RUNS; /* T2 */
}

struct ouro_task *ouro__task_take(struct ouro_scope *scope, bool newest)
{
    struct ouro_task *task = newest ? scope->last : scope->first;
    if (task)
        ouro__task_take_this(task);
    return task;
}

/* -- the end of a task ------------------------------------------------------------------------- */

/* With the lock: what the flow's owner may wait for. */
static struct ouro__sleeper *flow_done(struct ouro_task *task)
{
    task->state = OURO__TASK_DONE;
    if (task->event != 0)
        ouro__os_event_raise(task->event - 1);
    return ouro__wake_one(&task->waiting);
}

/* With the lock. Whether the scope's task failed, or the scope was cancelled under it. */
static bool is_scopes_error(const struct ouro_task *task, ouro_status status)
{
    if (status == OURO_OK)
        return false;
    return status != OURO_CANCELLED || !ouro__half_load(&task->cancelled);
}

/* With the lock; who is to be called without it. */
static struct ouro__sleeper *scope_done(struct ouro_task *task, ouro_status status)
{
    struct ouro_scope *scope = task->scope;
    ouro__slice_back(task);
    scope->in_flight--;
    if (is_scopes_error(task, status)) {
        if (scope->error == OURO_OK)
            scope->error = status;
        ouro__half_store(&scope->cancelled, 1);
        ouro__scope_wake_all(scope);
    } else if (scope->in_flight == 0 && scope->closing) {
        return ouro__scope_wake_one(scope, OURO__FOR_END);
    } else if (scope->in_flight < scope->limit) {
        return ouro__scope_wake_one(scope, OURO__FOR_ROOM);
    }
    return NULL;
}

/* Its thread has done with it (T5). */
static void finish(struct ouro_task *task, ouro_status status, struct ouro_isolated *result)
{
    struct ouro__task_place *place = task->place;
    ouro_isolated_drop(ouro_task_argument(task));
    if (status != OURO_OK) {
        ouro_isolated_drop(result);
        result = NULL;
    }
    ouro__scope_lock(task->scope);
    if (result && !task->wanted) {
        ouro__place_unlock(place);
        ouro_isolated_drop(result);
        result = NULL;
        ouro__scope_lock(task->scope);
    }
    bool wanted = task->wanted;
    task->result = result;
    task->status = status;
    struct ouro__sleeper *awaits = flow_done(task), *waits = scope_done(task, status);
    ouro__place_unlock(place); /* a flow's task, and the scope, may be gone from now on */
    ouro__sleeper_call(awaits);
    ouro__sleeper_call(waits);
    if (!wanted)
        ouro__task_free(task);
}

static ouro_status call(struct ouro_task *task, struct ouro_isolated **result)
{
    struct ouro__slice *s = &task->slice;
    struct ouro_runtime *home = ouro_runtime_default();
    bool away = ouro_runtime_current() != home;
    if (away && ouro_runtime_enter(home) != OURO_OK)
        return OURO_NO_MEMORY;
    ouro_status status = s->lent ? s->run(task, ouro__slice_of(task), s->count, s->context)
                                 : task->run(task, result);
    if (OURO_UNLIKELY(task->open > 0))
        ouro_fail(OURO_FAIL_MISUSE, task, NULL, "a task ended and left a scope open");
    if (away)
        ouro_runtime_leave(home);
    return status;
}

static unsigned deep(void)
{
    return ouro__running ? ouro__running->deep : 0;
}

/* `more`: 1, in a spawn. A thread that is cancelled while it waits does not end in a task. */
static void run_in(struct ouro_task *task, unsigned more)
{
    struct ouro__running running = {task, ouro__running, deep() + more};
    struct ouro_isolated *result = NULL;
    ouro_status status = OURO_CANCELLED;
    int was = ouro__os_cancel_off();
    ouro__running = &running;
    if (!ouro_task_is_cancelled(task))
        status = call(task, &result);
    finish(task, status, result);
    ouro__running = running.below;
    ouro__os_cancel_back(was);
}

void ouro__task_run(struct ouro_task *task)
{
    run_in(task, 0);
}

/* -- spawning ---------------------------------------------------------------------------------- */

struct ouro_task *ouro__task_new(struct ouro_scope *scope)
{
    struct ouro_task *task =
        ouro__home_alloc(__alignof__(struct ouro_flow), sizeof(struct ouro_flow));
    if (!task)
        return NULL;
    memset(task, 0, sizeof(struct ouro_flow));
    ouro__tool_words(task, sizeof(struct ouro_flow));
    task->scope = scope;
    task->place = scope->place;
    task->generation = ouro__generation();
    return task;
}

void ouro__task_free(struct ouro_task *task)
{
    if (task->event != 0)
        ouro__os_event_end(task->event - 1);
    ouro__tool_no_words(task, sizeof(struct ouro_flow));
    ouro_free(task);
}

/* T4: whether the thread is in a task of the scope, or of one below. */
static bool inside(const struct ouro_scope *scope)
{
    for (const struct ouro__running *at = ouro__running; at; at = at->below)
        if (ouro__scope_below(at->task->scope, scope))
            return true;
    return false;
}

/* With the lock. */
static ouro_status may_spawn(struct ouro_task *task)
{
    if (ouro__scope_is_cancelled(task->scope))
        return OURO_CANCELLED;
    return ouro__slice_out(task);
}

/* Above the scope there is nobody to be woken but who closes one (T7). */
void ouro__task_tell(struct ouro_scope *scope)
{
    struct ouro__sleeper *who = NULL;
    if (ouro__workers_wake())
        return;
    size_t bits = OURO__FOR_WORK;
    while (scope && !who) {
        if (ouro__half_load(&scope->sleeps)) {
            ouro__scope_lock(scope);
            who = ouro__scope_wake_one(scope, bits);
            ouro__place_unlock(scope->place);
        }
        scope = scope->opener ? scope->opener->scope : NULL; /* T6 */
        bits = OURO__FOR_END;
    }
    ouro__sleeper_call(who);
}

/* With the lock: W3, who may have been woken does not spawn. */
static struct ouro__sleeper *pass_on(struct ouro_scope *scope)
{
    if (scope->in_flight < scope->limit)
        return ouro__scope_wake_one(scope, OURO__FOR_ROOM);
    return scope->first ? ouro__scope_wake_one(scope, OURO__FOR_WORK) : NULL;
}

/* T4: makes room in a full scope, or waits for it; with the lock, which it gives up meanwhile.
 * Whether the new task is to be run at once; else it is queued, or the scope is cancelled. */
static bool make_room(struct ouro_scope *scope)
{
    bool mine = inside(scope);
    if (!mine && !ouro__running && !ouro__is_worker()) {
        ouro__place_unlock(scope->place);
        ouro__scope_room(scope);
        return false;
    }
    while (scope->in_flight >= scope->limit && deep() < DEEPEST) {
        struct ouro_task *task = NULL;
        if (!mine || scope->in_flight - scope->limit >= DEEPEST)
            task = ouro__task_take(scope, scope->opener != NULL);
        if (!task)
            return true;
        ouro__place_unlock(scope->place);
        run_in(task, 1);
        ouro__scope_lock(scope);
    }
    return false;
}

ouro_status ouro__task_spawn(struct ouro_task *task, struct ouro_flow **flow)
{
    struct ouro_scope *scope = task->scope;
    struct ouro__sleeper *next = NULL;
    bool at_once = false;
    task->wanted = flow != NULL;
    ouro__scope_lock(scope);
    if (OURO_UNLIKELY(scope->in_flight >= scope->limit))
        at_once = make_room(scope);
    ouro_status status = may_spawn(task);
    if (status == OURO_OK) {
        scope->in_flight++;
        if (at_once)
            task->state = OURO__TASK_RUNS;
        else
            queue(task);
        if (flow)
            *flow = (struct ouro_flow *)task;
    } else {
        next = pass_on(scope);
    }
    ouro__place_unlock(scope->place);
    ouro__sleeper_call(next);
    if (status != OURO_OK)
        ouro__task_free(task);
    else if (at_once)
        run_in(task, 1);
    else
        ouro__task_tell(scope);
    return status;
}

ouro_status ouro_spawn(struct ouro_scope *scope, ouro_task_run *run, struct ouro_isolated *argument,
                       struct ouro_flow **flow)
{
    if (flow)
        *flow = NULL;
    if (!scope || !run)
        return OURO_BAD_ARGUMENT;
    struct ouro_task *task = ouro__task_new(scope);
    if (!task)
        return OURO_NO_MEMORY;
    task->run = run;
    task->argument = argument;
    return ouro__task_spawn(task, flow);
}

/* -- what a task knows of itself --------------------------------------------------------------- */

struct ouro_isolated *ouro_task_argument(struct ouro_task *task)
{
    struct ouro_isolated *argument = task->argument;
    task->argument = NULL;
    return argument;
}

struct ouro_scope *ouro_task_scope(const struct ouro_task *task)
{
    return task->scope;
}

bool ouro_task_is_cancelled(const struct ouro_task *task)
{
    return ouro__half_load(&task->cancelled) || ouro__scope_is_cancelled(task->scope);
}
