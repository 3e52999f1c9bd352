/* SPDX-License-Identifier: MIT */
/* task_kit.h: what the tests of tasks share. White-box: includes channel_kit.h. */
#ifndef OURO_TESTS_TASK_KIT_H
#define OURO_TESTS_TASK_KIT_H

#include "channel_kit.h"

#include <string.h>

static bool nobody __attribute__((unused)); /* there are no workers: only what waits runs tasks */

/* What tasks and tests tell each other: words that several threads write on purpose. */
static struct {
    ouro_word gate;             /* open: 1 */
    ouro_word ended, now, most; /* tasks: that have, that run, the most at a time */
    ouro_word born;             /* graphs */
    ouro_word steps[8];         /* reached: 1 */
} said __attribute__((unused));

static inline int task_setup(void **state)
{
    int status = kit_setup(state);
    KIT_CHECK(ouro_thread_attach() == OURO_OK); /* from now on tools are known */
    memset(&said, 0, sizeof said);
    ouro__tool_words(&said, sizeof said);
    return status;
}

static inline int task_teardown(void **state)
{
    ouro_workers_end(); /* what they free, they have freed */
    return kit_teardown(state);
}
#define task_test(name) cmocka_unit_test_setup_teardown(name, task_setup, task_teardown)

static inline struct ouro_scope *scope_new(size_t limit)
{
    struct ouro_scope *scope;
    KIT_CHECK(ouro_scope_open(limit, &scope) == OURO_OK);
    return scope;
}

static inline struct ouro_flow *spawn(struct ouro_scope *scope, ouro_task_run *run, int64_t id)
{
    struct ouro_flow *flow;
    KIT_CHECK(ouro_spawn(scope, run, graph_new(id), &flow) == OURO_OK);
    return flow;
}

/* Its argument's number, which is destroyed. */
static inline int64_t argument_of(struct ouro_task *task)
{
    return graph_end(ouro_task_argument(task));
}

/* The number of what the flow's task gives; the flow is gone. */
static inline int64_t flow_end(struct ouro_flow *flow)
{
    struct ouro_isolated *result;
    KIT_CHECK(ouro_flow_await(flow, &result) == OURO_OK);
    ouro_flow_drop(flow);
    return graph_end(result);
}

/* How the flow's task ended, without a result; the flow is gone. */
static inline ouro_status status_end(struct ouro_flow *flow)
{
    struct ouro_isolated *result;
    ouro_status status = ouro_flow_await(flow, &result);
    KIT_CHECK(result == NULL);
    ouro_flow_drop(flow);
    return status;
}

static inline ouro_status twice(struct ouro_task *task, struct ouro_isolated **result)
{
    *result = graph_new(2 * argument_of(task));
    return OURO_OK;
}

static inline ouro_status leave_it(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    return OURO_OK;
}

static inline void workers_set(int64_t count)
{
    KIT_CHECK(ouro_option_set("workers", count) == OURO_OK);
}
/* Local objects stay with their thread: without, then. */
#define with_and_without_workers(tests)                                                            \
    ({                                                                                             \
        nobody = true;                                                                             \
        workers_set(0);                                                                            \
        int failed = kit_run(tests);                                                               \
        nobody = !OURO_THREADS || OURO_RC == OURO_RC_LOCAL;                                        \
        for (int64_t count = 1; !nobody && failed == 0 && count <= 4; count += 3) {                \
            workers_set(count);                                                                    \
            failed = kit_run(tests);                                                               \
        }                                                                                          \
        failed;                                                                                    \
    })

#endif
