/* SPDX-License-Identifier: MIT */
/* White-box: includes task_thread_kit.h. Tasks on workers: who runs what, who is woken, and what
 * others see of it. */
#include "task_thread_kit.h"

#include <poll.h>
#include <unistd.h>

/* -- who runs what ----------------------------------------------------------------------------- */

/* Its worker does not come to the task that it spawned. */
static ouro_status spawn_and_be_busy(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    struct ouro_scope *scope = scope_new(4);
    KIT_CHECK(ouro_spawn(scope, reach_1, NULL, NULL) == OURO_OK);
    until(1);
    reach(2);
    return ouro_scope_close(scope);
}

static void idle_workers_steal_from_one_that_is_busy(void **state)
{
    (void)state;
    workers_set(2);
    struct ouro_scope *scope = scope_new(4);
    KIT_CHECK(ouro_spawn(scope, spawn_and_be_busy, NULL, NULL) == OURO_OK);
    until(2); /* nobody waits for a scope yet */
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

/* The only worker is in the task that spawns; the test sleeps in the scope above. */
static ouro_status spawn_when_the_other_sleeps(struct ouro_task *task,
                                               struct ouro_isolated **result)
{
    (void)result;
    until_someone_waits(ouro_task_scope(task));
    return spawn_and_be_busy(task, result);
}

static void who_closes_a_scope_is_woken_for_tasks_below(void **state)
{
    (void)state;
    workers_set(1);
    struct ouro_scope *scope = scope_new(4);
    struct ouro_flow *flow;
    KIT_CHECK(ouro_spawn(scope, reach_0_wait_for_1, NULL, &flow) == OURO_OK);
    until(0); /* the worker has that */
    reach(1);
    assert_int_equal(status_end(flow), OURO_OK);
    ouro__store(&said.steps[1], 0);
    KIT_CHECK(ouro_spawn(scope, spawn_when_the_other_sleeps, NULL, &flow) == OURO_OK);
    until_all_are_begun(scope); /* by the worker */
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    assert_int_equal(status_end(flow), OURO_OK);
}

static void who_awaits_a_task_that_nobody_began_runs_it(void **state)
{
    (void)state;
    workers_set(1);
    struct ouro_scope *scope = scope_new(4);
    KIT_CHECK(ouro_spawn(scope, reach_0_wait_for_1, NULL, NULL) == OURO_OK);
    until(0);
    struct ouro_flow *flows[] = {spawn(scope, twice, 3), spawn(scope, twice, 4)};
    struct ouro_isolated *result;
    size_t chosen;
    /* One that does not wait for ever leaves it to the worker. */
    assert_int_equal(ouro_flow_await_within(flows[0], 0, &result), OURO_WOULD_BLOCK);
    assert_int_equal(ouro_flow_await_within(flows[0], 1000000, &result), OURO_TIMED_OUT);
    assert_int_equal(ouro_flow_any(flows, 2, 1000000, &chosen), OURO_TIMED_OUT);
    assert_int_equal(chosen, 2);
    assert_false(ouro_flow_is_done(flows[0]));
    assert_int_equal(ouro_flow_any(flows, 2, -1, &chosen), OURO_OK);
    assert_int_equal(chosen, 0);
    assert_int_equal(flow_end(flows[0]), 6);
    assert_int_equal(flow_end(flows[1]), 8);
    reach(1);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

/* -- room -------------------------------------------------------------------------------------- */

static pthread_t tester;
static struct ouro_scope *above;

static ouro_status not_the_tester(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    return pthread_equal(pthread_self(), tester) ? OURO_BUSY : OURO_OK;
}

static void who_spawns_outside_of_tasks_sleeps_until_there_is_room(void **state)
{
    (void)state;
    workers_set(2);
    tester = pthread_self();
    struct ouro_scope *scope = scope_new(1);
    struct ouro_flow *last = NULL;
    for (size_t i = 0; i < kit_scaled(5000); i++) {
        ouro_flow_drop(last);
        KIT_CHECK(ouro_spawn(scope, not_the_tester, NULL, &last) == OURO_OK);
    }
    while (!ouro_flow_is_done(last))
        sched_yield();
    ouro_flow_drop(last);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static ouro_status spawn_above(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    KIT_CHECK(ouro_spawn(above, reach_1, NULL, NULL) == OURO_OK);
    return OURO_OK;
}

/* What is below is run by another worker, for this one waits for what that spawns. */
static ouro_status spawn_below_and_be_busy(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    struct ouro_scope *scope = scope_new(1);
    KIT_CHECK(ouro_spawn(scope, spawn_above, NULL, NULL) == OURO_OK);
    until(1);
    return ouro_scope_close(scope);
}

static void a_task_below_a_full_scope_does_not_wait_for_room_in_it(void **state)
{
    (void)state;
    workers_set(2);
    above = scope_new(1);
    KIT_CHECK(ouro_spawn(above, spawn_below_and_be_busy, NULL, NULL) == OURO_OK);
    until(1);
    assert_int_equal(ouro_scope_close(above), OURO_OK);
}

static void *spawn_in_the_full(void *scope)
{
    struct ouro_isolated *graph = graph_new(1);
    ouro_status status = ouro_spawn(scope, twice, graph, NULL);
    if (status != OURO_OK)
        ouro_isolated_drop(graph); /* still its own */
    return (void *)(intptr_t)status;
}

static void cancelling_wakes_who_waits_for_room(void **state)
{
    (void)state;
    workers_set(1);
    struct ouro_scope *scope = scope_new(1);
    KIT_CHECK(ouro_spawn(scope, reach_0_wait_for_1, NULL, NULL) == OURO_OK);
    pthread_t threads[] = {start(spawn_in_the_full, scope), start(spawn_in_the_full, scope)};
    until_someone_waits(scope);
    ouro_scope_cancel(scope);
    for (int i = 0; i < 2; i++)
        assert_int_equal((intptr_t)end_of(threads[i]), OURO_CANCELLED);
    reach(1);
    assert_int_equal(ouro_scope_close(scope), OURO_CANCELLED);
}

/* -- cancelling -------------------------------------------------------------------------------- */

static ouro_status run_until_cancelled(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)result;
    reach(0);
    while (!ouro_task_is_cancelled(task))
        sched_yield();
    return OURO_CANCELLED;
}

static ouro_status run_below_until_cancelled(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    struct ouro_scope *scope = scope_new(2);
    struct ouro_flow *flow = spawn(scope, run_until_cancelled, 1);
    KIT_CHECK(status_end(flow) == OURO_CANCELLED);
    return ouro_scope_close(scope);
}

static ouro_status fail_after_0(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    until(0);
    return OURO_STATUS_USER;
}

static void a_task_that_runs_is_told_that_it_is_cancelled(void **state)
{
    (void)state;
    workers_set(3); /* the task, one below it, and one that fails */
    static ouro_task_run *const runs[] = {run_until_cancelled, run_below_until_cancelled};
    for (int how = 0; how < 6; how++) {
        ouro__store(&said.steps[0], 0);
        struct ouro_scope *scope = scope_new(2);
        struct ouro_flow *flow = spawn(scope, runs[how % 2], 1);
        until(0);
        ouro_status want = OURO_OK;
        if (how / 2 == 0) {
            ouro_flow_cancel(flow);
        } else if (how / 2 == 1) {
            ouro_scope_cancel(scope);
            want = OURO_CANCELLED;
        } else {
            KIT_CHECK(ouro_spawn(scope, fail_after_0, NULL, NULL) == OURO_OK);
            want = OURO_STATUS_USER;
        }
        assert_int_equal(status_end(flow), OURO_CANCELLED);
        assert_int_equal(ouro_scope_close(scope), want);
    }
    assert_int_equal(kit_destroyed, 6 * 2 + 3 * 2);
}

static void a_task_that_nobody_began_is_cancelled_at_once(void **state)
{
    (void)state;
    workers_set(1);
    struct ouro_scope *scope = scope_new(4);
    KIT_CHECK(ouro_spawn(scope, reach_0_wait_for_1, NULL, NULL) == OURO_OK);
    until(0);
    struct ouro_flow *flow = spawn(scope, twice, 3);
    ouro_flow_cancel(flow);
    assert_int_equal(kit_destroyed, 2);
    assert_true(ouro_flow_is_done(flow));
    assert_int_equal(status_end(flow), OURO_CANCELLED);
    reach(1);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

/* -- many
 * ------------------------------------------------------------------------------------------ */

/* A flat scope: all ends meet at one place. */
static ouro_status sum_up(struct ouro_task *task, void *elements, size_t count, void *context)
{
    (void)task;
    for (size_t i = 0; i < count; i++)
        ouro__fetch_add_full(context, ((ouro_word *)elements)[i]);
    return OURO_OK;
}

static void slices_are_each_seen_once(void **state)
{
    (void)state;
    enum { N = 4000, EACH = 3 };
    workers_set(3);
    ouro_word *numbers = calloc(N, sizeof *numbers), sum = 0;
    ouro__tool_words(&sum, sizeof sum);
    for (size_t i = 0; i < N; i++)
        numbers[i] = i;
    struct ouro_scope *scope = scope_new(32);
    struct ouro_lent *lent;
    KIT_CHECK(ouro_lend(scope, numbers, N, sizeof *numbers, &lent) == OURO_OK);
    for (size_t at = 0; at < N; at += EACH)
        KIT_CHECK(ouro_spawn_slice(lent, at, N - at < EACH ? N - at : EACH, sum_up, &sum, NULL) ==
                  OURO_OK);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    assert_int_equal(sum, (ouro_word)N * (N - 1) / 2);
    ouro__tool_no_words(&sum, sizeof sum);
    free(numbers);
}

/* -- workers ----------------------------------------------------------------------------------- */

static struct hooked *lent_object;

static ouro_status lend_object(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    lent_object = hooked_new(1);
    return OURO_OK;
}

/* What a worker made, and others drop while it has nothing to do, is destroyed by them. */
static void others_settle_for_a_worker_that_sleeps(void **state)
{
    (void)state;
    workers_set(1);
    struct ouro_scope *scope = scope_new(1);
    struct ouro_flow *flow;
    KIT_CHECK(ouro_spawn(scope, lend_object, NULL, &flow) == OURO_OK);
    while (!ouro_flow_is_done(flow))
        sched_yield();
    ouro_flow_drop(flow);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    usleep(200000); /* it has parked, and collected what it had: what comes now it would not see */
    ouro_decref(lent_object);
    for (int i = 0; i < 20000 && ouro__load_acquire(&kit_destroyed) == 0; i++)
        usleep(1000);
    assert_int_equal(kit_destroyed, 1);
}

static ouro_status lend_object_and_leave_a_ring(struct ouro_task *task,
                                                struct ouro_isolated **result)
{
    lent_object = hooked_new(2);
    return leave_a_ring(task, result);
}

static void wait_in_hooks(struct hooked *dying)
{
    reach(dying->id == 1 ? 0 : 2);
    until(dying->id == 1 ? 1 : 3);
}

/* A worker has found nothing and collected, and runs a hook as it parks, when a task is spawned:
 * nobody sleeps yet that could be woken. */
static void a_worker_looks_once_more_before_it_sleeps(void **state)
{
    (void)state;
    workers_set(1);
    struct ouro_scope *scope = scope_new(2);
    kit_on_destroy = wait_in_hooks;
    KIT_CHECK(ouro_spawn(scope, lend_object_and_leave_a_ring, NULL, NULL) == OURO_OK);
    until(0);
    ouro_decref(lent_object); /* which waits for the worker: that collects */
    reach(1);
    until(2);
    struct ouro_flow *flow;
    KIT_CHECK(ouro_spawn(scope, leave_it, NULL, &flow) == OURO_OK);
    reach(3);
    while (!ouro_flow_is_done(flow))
        sched_yield();
    ouro_flow_drop(flow);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static void a_worker_that_has_slept_for_a_while_collects(void **state)
{
    (void)state;
    workers_set(1);
    struct ouro_scope *scope = scope_new(1);
    struct ouro_flow *flow;
    KIT_CHECK(ouro_spawn(scope, leave_a_ring, NULL, &flow) == OURO_OK);
    while (!ouro_flow_is_done(flow))
        sched_yield();
    ouro_flow_drop(flow);
    for (int i = 0; i < 20000 && ouro__load_acquire(&kit_destroyed) == 0; i++)
        usleep(1000);
    assert_int_equal(kit_destroyed, 1);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static void workers_end_and_are_made_again(void **state)
{
    (void)state;
    for (unsigned count = 0; count < 4; count++) {
        workers_set(count);
        struct ouro_scope *scope = scope_new(2);
        assert_int_equal(ouro_workers(), count);
        struct ouro_flow *flow = spawn(scope, twice, 4);
        if (count == 2)
            ouro_workers_end(); /* before its scope is closed: whoever waits runs it */
        assert_int_equal(flow_end(flow), 8);
        assert_int_equal(ouro_scope_close(scope), OURO_OK);
        ouro_workers_end();
        ouro_workers_end();
        assert_int_equal(ouro_workers(), 0);
    }
}

static void *wait_for_readable(void *arg)
{
    struct pollfd one = {.fd = *(int *)arg, .events = POLLIN};
    return (void *)(intptr_t)poll(&one, 1, 20000);
}

static void an_event_loop_is_woken_by_the_end_of_a_task(void **state)
{
    (void)state;
    workers_set(1);
    struct ouro_scope *scope = scope_new(1);
    struct ouro_flow *flow;
    int fd;
    KIT_CHECK(ouro_spawn(scope, reach_0_wait_for_1, NULL, &flow) == OURO_OK);
    KIT_CHECK(ouro_flow_descriptor(flow, &fd) == OURO_OK);
    until(0);
    struct pollfd one = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&one, 1, 0), 0);
    pthread_t loop = start(wait_for_readable, &fd);
    reach(1);
    assert_int_equal((intptr_t)end_of(loop), 1);
    assert_int_equal(status_end(flow), OURO_OK);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

/* -- misuse and fork --------------------------------------------------------------------------- */

static void close_while_another_spawns(void *arg)
{
    (void)arg;
    workers_set(1);
    struct ouro_scope *scope = scope_new(1);
    KIT_CHECK(ouro_spawn(scope, reach_0_wait_for_1, NULL, NULL) == OURO_OK);
    (void)start(spawn_in_the_full, scope);
    until_someone_waits(scope);
    (void)ouro_scope_close(scope);
}

static void *await_flow(void *flow)
{
    struct ouro_isolated *result;
    return (void *)(intptr_t)ouro_flow_await(flow, &result);
}

static void await_twice_at_a_time(void *arg)
{
    (void)arg;
    workers_set(1);
    struct ouro_scope *scope = scope_new(1);
    struct ouro_flow *flow;
    KIT_CHECK(ouro_spawn(scope, reach_0_wait_for_1, NULL, &flow) == OURO_OK);
    until(0);
    (void)start(await_flow, flow);
    (void)await_flow(flow);
}

static void misuse_by_two_threads_is_named(void **state)
{
    (void)state;
    if (OURO_TSAN)
        skip(); /* no threads in a fork's child */
    assert_int_equal(kit_failure_of(close_while_another_spawns, NULL), OURO_FAIL_MISUSE);
    assert_int_equal(kit_failure_of(await_twice_at_a_time, NULL), OURO_FAIL_MISUSE);
}

struct before {
    struct ouro_scope *scope;
    struct ouro_flow *runs, *waits, *done;
    int fd; /* of `runs` */
};

/* In the child: 0 if all is as it must be. */
static int child_of(const struct before *b)
{
    struct ouro_isolated *result;
    size_t destroyed = kit_destroyed;
    if (ouro_workers() != 0)
        return 1;
    if (ouro_flow_await(b->runs, &result) != OURO_CANCELLED || result)
        return 2;
    if (ouro_flow_await(b->done, &result) != OURO_OK || graph_end(result) != 10)
        return 3;
    if (ouro_spawn(b->scope, twice, NULL, NULL) != OURO_CANCELLED)
        return 4;
    struct ouro_scope *scope = scope_new(2); /* with workers of its own */
    struct ouro_flow *flow = spawn(scope, twice, 8);
    while (!ouro_flow_is_done(flow))
        sched_yield();
    if (ouro_workers() != 1 || flow_end(flow) != 16)
        return 5;
    if (ouro_scope_close(b->scope) != OURO_CANCELLED)
        return 6;
    if (status_end(b->waits) != OURO_CANCELLED || kit_destroyed != destroyed + 2 + 2 + 2 + 2)
        return 7;
    ouro_flow_drop(b->runs);
    ouro_flow_drop(b->done);
    return ouro_scope_close(scope) == OURO_OK ? 0 : 8;
}

static void a_forks_child_has_no_workers_and_no_tasks_of_before(void **state)
{
    (void)state;
    if (OURO_TSAN || OURO_EMULATED)
        skip(); /* no threads in a fork's child; no fork beside threads */
    workers_set(1);
    struct before b = {.scope = scope_new(8)};
    b.done = spawn(b.scope, twice, 5);
    while (!ouro_flow_is_done(b.done))
        sched_yield();
    KIT_CHECK(ouro_spawn(b.scope, reach_0_wait_for_1, NULL, &b.runs) == OURO_OK);
    KIT_CHECK(ouro_flow_descriptor(b.runs, &b.fd) == OURO_OK);
    until(0);
    b.waits = spawn(b.scope, twice, 6);
    pid_t child = kit_fork();
    if (child == 0)
        kit_child_ends(child_of(&b));
    assert_int_equal(kit_wait(child), 0);
    struct pollfd one = {.fd = b.fd, .events = POLLIN};
    assert_int_equal(poll(&one, 1, 0), 0);
    reach(1);
    assert_int_equal(status_end(b.runs), OURO_OK);
    assert_int_equal(flow_end(b.waits), 12);
    assert_int_equal(flow_end(b.done), 10);
    assert_int_equal(ouro_scope_close(b.scope), OURO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        task_test(idle_workers_steal_from_one_that_is_busy),
        task_test(who_closes_a_scope_is_woken_for_tasks_below),
        task_test(who_awaits_a_task_that_nobody_began_runs_it),
        task_test(who_spawns_outside_of_tasks_sleeps_until_there_is_room),
        task_test(a_task_below_a_full_scope_does_not_wait_for_room_in_it),
        task_test(cancelling_wakes_who_waits_for_room),
        task_test(a_task_that_runs_is_told_that_it_is_cancelled),
        task_test(a_task_that_nobody_began_is_cancelled_at_once),
        task_test(slices_are_each_seen_once),
        task_test(others_settle_for_a_worker_that_sleeps),
        task_test(a_worker_looks_once_more_before_it_sleeps),
        task_test(a_worker_that_has_slept_for_a_while_collects),
        task_test(workers_end_and_are_made_again),
        task_test(an_event_loop_is_woken_by_the_end_of_a_task),
        task_test(misuse_by_two_threads_is_named),
        task_test(a_forks_child_has_no_workers_and_no_tasks_of_before),
    };
    return kit_run(tests);
}
