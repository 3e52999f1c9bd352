/* SPDX-License-Identifier: MIT */
/* task_thread_kit.h: what tests of tasks on workers share. White-box: looks into scopes to know who
 * waits, and includes task_kit.h. */
#ifndef OURO_TESTS_TASK_THREAD_KIT_H
#define OURO_TESTS_TASK_THREAD_KIT_H

#include "task_kit.h"
#include "start_kit.h"

#include "isolate/task_state.h"

#include <pthread.h>
#include <sched.h>

/* Words that tasks and the test wait for, one after the other. */
static inline void reach(size_t step)
{
    ouro__tool_release(&said.steps[step]);
    ouro__store_release(&said.steps[step], 1);
}
static inline void until(size_t step)
{
    while (!ouro__load_acquire(&said.steps[step]))
        sched_yield();
    ouro__tool_acquire(&said.steps[step]);
}

/* Somebody waits in the scope: for room, or for its end. */
static inline void until_someone_waits(struct ouro_scope *scope)
{
    bool waits = false;
    while (!waits) {
        ouro__scope_lock(scope);
        waits = scope->waiting.first != NULL;
        ouro__place_unlock(scope->place);
        sched_yield();
    }
}

static inline void until_all_are_begun(struct ouro_scope *scope)
{
    bool some = true;
    while (some) {
        ouro__scope_lock(scope);
        some = scope->first != NULL;
        ouro__place_unlock(scope->place);
        sched_yield();
    }
}

static inline ouro_status reach_0_wait_for_1(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    reach(0);
    until(1);
    return OURO_OK;
}

static inline ouro_status reach_1(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    reach(1);
    return OURO_OK;
}

/* Garbage that the worker finds when it has nothing to do. */
static inline ouro_status leave_a_ring(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    struct hooked *a = hooked_new(1);
    a->a = a;
    ouro_incref(a);
    ouro_decref(a);
    return OURO_OK;
}

#endif
