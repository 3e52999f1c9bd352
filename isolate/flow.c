/* SPDX-License-Identifier: MIT */
/* flow.c: the end of a task at which its result arrives. Rules: task.c.
 *
 * What a flow waits for, once done, stays so: a wake-up is never passed on. Where there are no
 * workers nobody but who asks would run the task: then each question runs it. */
#include "isolate/task_state.h"
#include "alloc/fail.h"
#include "orc/thread.h"

static struct ouro_task *task_of(const struct ouro_flow *flow)
{
    return (struct ouro_task *)(uintptr_t)&flow->task;
}

/* In the child of a fork: one that another thread ran will not end; the descriptor is the
 * parent's. */
OURO_COLD void ouro__flow_renew(struct ouro_task *task)
{
    task->generation = ouro__generation();
    task->waiting = (struct ouro__seats){NULL, NULL};
    task->seat.listed = false;
    if (task->event != 0 && !ouro__os_event_renew(task->event - 1))
        task->event = 0;
    if (task->state == OURO__TASK_RUNS && !ouro__task_is_mine(task)) {
        task->state = OURO__TASK_DONE;
        task->status = OURO_CANCELLED;
        ouro__slice_back(task);
    }
    if (task->event != 0 && task->state == OURO__TASK_DONE)
        ouro__os_event_raise(task->event - 1);
}

static void flow_lock(struct ouro_task *task)
{
    ouro__place_lock(task->place);
    if (OURO_UNLIKELY(task->generation != ouro__generation()))
        ouro__flow_renew(task);
}

static enum ouro__task_state state_of(struct ouro_task *task)
{
    flow_lock(task);
    enum ouro__task_state state = task->state;
    ouro__place_unlock(task->place);
    return state;
}

/* False: another thread was first. */
static bool take(struct ouro_task *task)
{
    flow_lock(task);
    bool mine = task->state == OURO__TASK_QUEUED;
    if (mine)
        ouro__task_take_this(task);
    ouro__place_unlock(task->place);
    return mine;
}

static void run_if_nobody_does(struct ouro_task *task)
{
    if (ouro_workers() == 0 && take(task))
        ouro__task_run(task);
}

/* -- waits ------------------------------------------------------------------------------------- */

struct wait {
    struct ouro_flow *const *flows;
    size_t count;
    size_t done;  /* `count`: none */
    size_t fresh; /* that nobody has begun; `count`: none */
    bool runs;    /* another thread runs one */
};

static void look(struct wait *w)
{
    w->done = w->fresh = w->count;
    w->runs = false;
    for (size_t i = 0; i < w->count; i++) {
        if (!w->flows[i])
            continue;
        enum ouro__task_state state = state_of(task_of(w->flows[i]));
        if (state == OURO__TASK_DONE) {
            w->done = i;
            return;
        }
        if (state == OURO__TASK_QUEUED && w->fresh == w->count)
            w->fresh = i;
        w->runs |= state == OURO__TASK_RUNS && !ouro__task_is_mine(task_of(w->flows[i]));
    }
}

/* False: it is done. */
static bool take_seat(struct ouro_task *task, struct ouro__sleeper *me)
{
    flow_lock(task);
    bool here = task->seat.listed && task->seat.who == me; /* the flow is there twice */
    bool twice = task->seat.listed && !here, sits = !twice && task->state != OURO__TASK_DONE;
    if (sits && !here) {
        task->seat.who = me;
        task->seat.why = 1;
        ouro__seats_add(&task->waiting, &task->seat);
    }
    ouro__place_unlock(task->place);
    if (OURO_UNLIKELY(twice))
        ouro_fail(OURO_FAIL_MISUSE, task, NULL, "a flow is awaited by two threads at a time");
    return sits;
}

static void leave_seat(struct ouro_task *task)
{
    flow_lock(task);
    ouro__seats_remove(&task->waiting, &task->seat);
    ouro__place_unlock(task->place);
}

static void sleep_for(const struct wait *w, uint64_t until)
{
    bool parked = ouro__wait_park();
    struct ouro__sleeper *me = ouro__sleeper_mine();
    bool all = true;
    size_t in = 0;
    for (; all && in < w->count; in++)
        if (w->flows[in])
            all = take_seat(task_of(w->flows[in]), me);
    if (all)
        ouro__sleep(me, until);
    else
        in--; /* it has no seat there */
    for (size_t i = 0; i < in; i++)
        if (w->flows[i])
            leave_seat(task_of(w->flows[i]));
    if (parked)
        ouro_unpark();
}

static ouro_status wait_for(struct wait *w, int64_t timeout)
{
    uint64_t until = timeout == 0 ? 0 : ouro__late(timeout);
    for (;;) {
        look(w);
        if (w->done < w->count)
            return OURO_OK;
        bool alone = ouro_workers() == 0;
        if (w->fresh < w->count && (alone || (timeout < 0 && !w->runs))) {
            struct ouro_task *task = task_of(w->flows[w->fresh]);
            if (take(task))
                ouro__task_run(task); /* T7 */
            continue;
        }
        if (timeout == 0)
            return OURO_WOULD_BLOCK;
        if (!w->runs && w->fresh == w->count)
            ouro_fail(OURO_FAIL_MISUSE, NULL, NULL, "a task waits for its own end");
        if (until != 0 && ouro__os_nanoseconds() >= until)
            return OURO_TIMED_OUT;
        sleep_for(w, until);
    }
}

ouro_status ouro_flow_any(struct ouro_flow *const *flows, size_t count, int64_t timeout,
                          size_t *chosen)
{
    if (!flows || !chosen)
        return OURO_BAD_ARGUMENT;
    *chosen = count;
    bool some = false;
    for (size_t i = 0; i < count; i++)
        some |= flows[i] != NULL;
    if (!some)
        return OURO_BAD_ARGUMENT;
    struct wait w = {.flows = flows, .count = count};
    ouro_status status = wait_for(&w, timeout);
    *chosen = w.done;
    return status;
}

ouro_status ouro_flow_await_within(struct ouro_flow *flow, int64_t timeout,
                                   struct ouro_isolated **result)
{
    if (!result)
        return OURO_BAD_ARGUMENT;
    *result = NULL;
    if (!flow)
        return OURO_BAD_ARGUMENT;
    struct wait w = {.flows = &flow, .count = 1};
    ouro_status status = wait_for(&w, timeout);
    if (status != OURO_OK)
        return status;
    struct ouro_task *task = task_of(flow); /* nobody else has it any more */
    if (task->taken)
        return OURO_CLOSED;
    *result = task->result;
    task->result = NULL;
    task->taken = true;
    return task->status;
}

ouro_status ouro_flow_await(struct ouro_flow *flow, struct ouro_isolated **result)
{
    return ouro_flow_await_within(flow, -1, result);
}

bool ouro_flow_is_done(struct ouro_flow *flow)
{
    run_if_nobody_does(task_of(flow));
    return state_of(task_of(flow)) == OURO__TASK_DONE;
}

/* -- the rest ---------------------------------------------------------------------------------- */

void ouro_flow_cancel(struct ouro_flow *flow)
{
    struct ouro_task *task = task_of(flow);
    bool mine = take(task);
    ouro__half_store(&task->cancelled, 1); /* it is told, or finds it when it is run */
    if (mine)
        ouro__task_run(task);
}

ouro_status ouro_flow_descriptor(struct ouro_flow *flow, int *descriptor)
{
    if (!flow || !descriptor)
        return OURO_BAD_ARGUMENT;
    struct ouro_task *task = task_of(flow);
    run_if_nobody_does(task);
    flow_lock(task);
    int event = task->event;
    ouro__place_unlock(task->place);
    if (event == 0) { /* the flow's owner alone makes one */
        int fresh = ouro__os_event();
        if (fresh < 0)
            return OURO_NO_MEMORY;
        event = fresh + 1;
        flow_lock(task);
        task->event = event;
        if (task->state == OURO__TASK_DONE)
            ouro__os_event_raise(fresh);
        ouro__place_unlock(task->place);
    }
    *descriptor = event - 1;
    return OURO_OK;
}

void ouro_flow_drop(struct ouro_flow *flow)
{
    if (!flow)
        return;
    struct ouro_task *task = task_of(flow);
    flow_lock(task);
    bool done = task->state == OURO__TASK_DONE;
    task->wanted = false; /* else whoever runs it frees it */
    ouro__place_unlock(task->place);
    if (!done)
        return;
    ouro_isolated_drop(task->result);
    ouro__task_free(task);
}
