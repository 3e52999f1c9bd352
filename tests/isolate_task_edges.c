/* SPDX-License-Identifier: MIT */
/* White-box: includes task_thread_kit.h. Tasks where a scope is full, where something waits in an
 * unusual place, where a program forks, ends, or cancels a thread. */
#include "task_thread_kit.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKS (!OURO_TSAN && !OURO_EMULATED) /* threads in a fork's child; fork beside threads */

static ouro_status reach_2_wait_for_3(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    reach(2);
    until(3);
    return OURO_OK;
}

static void until_so_many_wait(struct ouro_scope *scope, size_t count)
{
    size_t wait = 0;
    while (wait != count) {
        wait = 0;
        ouro__scope_lock(scope);
        for (struct ouro__seat *seat = scope->waiting.first; seat; seat = seat->next)
            wait++;
        ouro__place_unlock(scope->place);
        sched_yield();
    }
}

/* -- room -------------------------------------------------------------------------------------- */

static ouro_status slice_waits_for_1(struct ouro_task *task, void *elements, size_t count,
                                     void *context)
{
    (void)elements;
    (void)count;
    (void)context;
    return reach_0_wait_for_1(task, NULL);
}

static void *spawn_slice_that_is_out(void *lent)
{
    return (void *)(intptr_t)ouro_spawn_slice(lent, 0, 5, slice_waits_for_1, NULL, NULL);
}

static void *spawn_reach_1(void *scope)
{
    return (void *)(intptr_t)ouro_spawn(scope, reach_1, NULL, NULL);
}

static void who_is_woken_for_room_and_refused_wakes_the_next(void **state)
{
    (void)state;
    static int numbers[100];
    workers_set(4);
    struct ouro_scope *scope = scope_new(2);
    struct ouro_lent *lent;
    KIT_CHECK(ouro_lend(scope, numbers, 100, sizeof *numbers, &lent) == OURO_OK);
    KIT_CHECK(ouro_spawn_slice(lent, 0, 10, slice_waits_for_1, NULL, NULL) == OURO_OK);
    KIT_CHECK(ouro_spawn(scope, reach_2_wait_for_3, NULL, NULL) == OURO_OK);
    until(0);
    until(2);
    pthread_t first = start(spawn_slice_that_is_out, lent);
    until_so_many_wait(scope, 1);
    pthread_t second = start(spawn_reach_1, scope);
    until_so_many_wait(scope, 2);
    reach(3); /* room for one */
    assert_int_equal((intptr_t)end_of(first), OURO_BUSY);
    assert_int_equal((intptr_t)end_of(second), OURO_OK);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static struct ouro_scope *outer, *middle;

/* Both workers are in tasks: only who closes the outermost scope can run the innermost task. */
static ouro_status spawn_when_both_wait(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    struct ouro_scope *scope = scope_new(1);
    until_so_many_wait(middle, 1);
    until_so_many_wait(outer, 1);
    KIT_CHECK(ouro_spawn(scope, reach_1, NULL, NULL) == OURO_OK);
    until(1);
    return ouro_scope_close(scope);
}

static void *spawn_in_the_middle(void *arg)
{
    (void)arg;
    until(0);
    KIT_CHECK(ouro_spawn(middle, leave_it, NULL, NULL) == OURO_OK);
    reach(2);
    return NULL;
}

static ouro_status open_the_middle(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    middle = scope_new(1);
    KIT_CHECK(ouro_spawn(middle, spawn_when_both_wait, NULL, NULL) == OURO_OK);
    reach(0);
    until(1);
    until(2);
    return ouro_scope_close(middle);
}

static void who_waits_for_room_is_not_woken_for_work_in_place_of_who_helps(void **state)
{
    (void)state;
    workers_set(2);
    outer = scope_new(1);
    pthread_t outside = start(spawn_in_the_middle, NULL);
    KIT_CHECK(ouro_spawn(outer, open_the_middle, NULL, NULL) == OURO_OK);
    until_all_are_begun(outer); /* by a worker */
    until(0);
    until_all_are_begun(middle); /* by the other */
    assert_int_equal(ouro_scope_close(outer), OURO_OK);
    (void)end_of(outside);
}

static struct ouro_scope *one, *other;

static ouro_status spawn_into_the_other(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)result;
    bool first = ouro_task_scope(task) == one;
    reach(first ? 0 : 1);
    until(first ? 1 : 0);
    return ouro_spawn(first ? other : one, leave_it, NULL, NULL);
}

static void tasks_that_spawn_into_each_others_full_scopes_go_on(void **state)
{
    (void)state;
    workers_set(2);
    one = scope_new(1);
    other = scope_new(1);
    KIT_CHECK(ouro_spawn(one, spawn_into_the_other, NULL, NULL) == OURO_OK);
    KIT_CHECK(ouro_spawn(other, spawn_into_the_other, NULL, NULL) == OURO_OK);
    until_all_are_begun(one);
    until_all_are_begun(other);
    until(0);
    until(1);
    assert_int_equal(ouro_scope_close(one), OURO_OK);
    assert_int_equal(ouro_scope_close(other), OURO_OK);
}

static size_t links;

static ouro_status next_link(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)result;
    for (int i = 0; i < 2 && links > 0; i++) {
        links--;
        KIT_CHECK(ouro_spawn(ouro_task_scope(task), next_link, NULL, NULL) == OURO_OK);
    }
    KIT_CHECK(ouro__running->deep <= 64);
    return OURO_OK;
}

static void spawns_in_a_full_scope_nest_only_so_deep(void **state)
{
    (void)state;
    workers_set(1);
    struct ouro_scope *scope = scope_new(1);
    links = kit_scaled(200000);
    struct ouro_flow *flow;
    KIT_CHECK(ouro_spawn(scope, next_link, NULL, &flow) == OURO_OK);
    while (!ouro_flow_is_done(flow))
        sched_yield();
    ouro_flow_drop(flow);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    assert_int_equal(links, 0);
}

/* -- hooks ------------------------------------------------------------------------------------- */

static void spawn_three_with_room_for_one(struct hooked *dying)
{
    (void)dying;
    struct ouro_scope *scope = scope_new(1);
    for (int i = 0; i < 3; i++)
        KIT_CHECK(ouro_spawn(scope, leave_it, NULL, NULL) == OURO_OK);
    KIT_CHECK(ouro_scope_close(scope) == OURO_OK);
    reach(0);
}

static void a_hook_on_a_worker_makes_room_itself(void **state)
{
    (void)state;
    workers_set(1);
    kit_on_destroy = spawn_three_with_room_for_one;
    struct ouro_scope *scope = scope_new(1);
    KIT_CHECK(ouro_spawn(scope, leave_a_ring, NULL, NULL) == OURO_OK);
    until(0); /* the worker collects in a while */
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static void end_workers(struct hooked *dying)
{
    (void)dying;
    ouro_workers_end();
}

static void end_workers_in_a_hook_on_one(void *arg)
{
    (void)arg;
    workers_set(1);
    kit_on_destroy = end_workers;
    KIT_CHECK(ouro_spawn(scope_new(1), leave_a_ring, NULL, NULL) == OURO_OK);
    until(7);
}

static void workers_that_a_hook_on_one_ends_are_named(void **state)
{
    (void)state;
    if (!FORKS)
        skip();
    assert_int_equal(kit_failure_of(end_workers_in_a_hook_on_one, NULL), OURO_FAIL_MISUSE);
}

/* -- who closes a scope ------------------------------------------------------------------------ */

static pthread_t tester;
static struct hooked *lent_object;

static void wait_in_the_hook(struct hooked *dying)
{
    (void)dying;
    reach(0);
    if (pthread_equal(pthread_self(), tester))
        until(1);
}

static ouro_status spawn_below(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    ouro_decref(lent_object); /* which waits for the tester, where counts are biased */
    reach(3);
    until(0);
    struct ouro_scope *scope = scope_new(1);
    KIT_CHECK(ouro_spawn(scope, reach_2_wait_for_3, NULL, NULL) == OURO_OK);
    reach(1);
    until(2);
    return ouro_scope_close(scope);
}

/* It has found nothing, and runs a hook as it parks, when a task is spawned below. */
static void who_closes_a_scope_looks_below_once_more_before_it_sleeps(void **state)
{
    (void)state;
    workers_set(1);
    tester = pthread_self();
    kit_on_destroy = wait_in_the_hook;
    lent_object = hooked_new(1);
    struct ouro_scope *scope = scope_new(1);
    KIT_CHECK(ouro_spawn(scope, spawn_below, NULL, NULL) == OURO_OK);
    until(3);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static ouro_status spawn_below_after_0(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    reach(2);
    until(0);
    struct ouro_scope *scope = scope_new(1);
    KIT_CHECK(ouro_spawn(scope, reach_1, NULL, NULL) == OURO_OK);
    until(1);
    return ouro_scope_close(scope);
}

static void who_closes_a_scope_finds_tasks_behind_those_of_many_others(void **state)
{
    (void)state;
    enum { N = 40 };
    struct ouro_scope *others[N];
    workers_set(1);
    struct ouro_scope *scope = scope_new(1);
    KIT_CHECK(ouro_spawn(scope, spawn_below_after_0, NULL, NULL) == OURO_OK);
    until(2); /* the worker has that */
    for (int i = 0; i < N; i++) {
        others[i] = scope_new(1);
        KIT_CHECK(ouro_spawn(others[i], leave_it, NULL, NULL) == OURO_OK);
    }
    reach(0);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    for (int i = 0; i < N; i++)
        assert_int_equal(ouro_scope_close(others[i]), OURO_OK);
}

/* -- flows ------------------------------------------------------------------------------------- */

static void *reach_1_when_it_is_awaited(void *flow)
{
    struct ouro_task *task = flow;
    bool sits = false;
    while (!sits) {
        ouro__place_lock(task->place);
        sits = task->seat.listed;
        ouro__place_unlock(task->place);
        sched_yield();
    }
    reach(1);
    return NULL;
}

static void a_flow_may_be_there_twice(void **state)
{
    (void)state;
    workers_set(1);
    struct ouro_scope *scope = scope_new(1);
    struct ouro_flow *flow;
    KIT_CHECK(ouro_spawn(scope, reach_0_wait_for_1, NULL, &flow) == OURO_OK);
    until(0);
    pthread_t watcher = start(reach_1_when_it_is_awaited, flow);
    struct ouro_flow *flows[] = {NULL, flow, flow};
    size_t chosen;
    assert_int_equal(ouro_flow_any(flows, 3, -1, &chosen), OURO_OK);
    assert_int_equal(chosen, 1);
    (void)end_of(watcher);
    assert_int_equal(status_end(flow), OURO_OK);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static ouro_status be_cancelled_as_a_thread(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    reach(0);
    until(1);
    pthread_testcancel();
    reach(2);
    return OURO_OK;
}

static void *await_it(void *flow)
{
    struct ouro_isolated *result;
    KIT_CHECK(ouro_flow_await(flow, &result) == OURO_OK);
    return NULL;
}

static void a_thread_that_is_cancelled_does_not_end_in_a_task(void **state)
{
    (void)state;
    workers_set(0);
    struct ouro_scope *scope = scope_new(1);
    struct ouro_flow *flow;
    KIT_CHECK(ouro_spawn(scope, be_cancelled_as_a_thread, NULL, &flow) == OURO_OK);
    pthread_t thread = start(await_it, flow);
    until(0);
    KIT_CHECK(pthread_cancel(thread) == 0);
    reach(1);
    (void)end_of(thread);
    assert_true(ouro__load_acquire(&said.steps[2]));
    assert_true(ouro_flow_is_done(flow));
    ouro_flow_drop(flow);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

/* -- forks ------------------------------------------------------------------------------------- */

/* Its status; -1: it has not ended after 20 seconds. */
static int end_of_child(pid_t child)
{
    int status;
    for (int i = 0; i < 20000; i++) {
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        usleep(1000);
    }
    kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    return -1;
}

static ouro_status fork_and_return(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    until(0);
    pid_t child = kit_fork();
    if (child == 0) {
        KIT_CHECK(ouro_scope_close(scope_new(1)) == OURO_OK); /* with a worker of its own */
        return OURO_OK;
    }
    KIT_CHECK(end_of_child(child) == 0);
    reach(2);
    until(3);
    return OURO_OK;
}

static void a_child_that_forked_in_a_task_ends_with_it_and_says_nothing_to_the_parent(void **state)
{
    (void)state;
    if (!FORKS)
        skip();
    workers_set(1);
    struct ouro_scope *scope = scope_new(1);
    struct ouro_flow *flow;
    int fd;
    KIT_CHECK(ouro_spawn(scope, fork_and_return, NULL, &flow) == OURO_OK);
    KIT_CHECK(ouro_flow_descriptor(flow, &fd) == OURO_OK);
    reach(0);
    until(2);
    struct pollfd event = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&event, 1, 0), 0);
    reach(3);
    assert_int_equal(status_end(flow), OURO_OK);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static ouro_status open_spawn_and_wait_for_1(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    struct ouro_scope *scope = scope_new(4);
    KIT_CHECK(ouro_spawn(scope, leave_it, NULL, NULL) == OURO_OK);
    reach(0);
    until(1);
    return ouro_scope_close(scope);
}

/* What a vanished thread's task had open has no way up any more, though its tasks are there. */
static int close_in_the_child(struct ouro_scope *before, const struct ouro_scope *below)
{
    if (ouro_scope_close(before) != OURO_CANCELLED)
        return 1;
    if (below->opener || below->generation != ouro__generation() || !below->first)
        return 2;
    struct ouro_flow *flow;
    workers_set(0);
    struct ouro_scope *scope = scope_new(1);
    KIT_CHECK(ouro_spawn(scope, reach_2_wait_for_3, NULL, &flow) == OURO_OK);
    pthread_t thread = start(await_it, flow);
    until(2);
    if (ouro__task_is_below(scope) || ouro__task_below(scope))
        return 3;
    reach(3);
    (void)end_of(thread);
    ouro_flow_drop(flow);
    return ouro_scope_close(scope) == OURO_OK ? 0 : 4;
}

static void a_forks_child_follows_no_task_of_before(void **state)
{
    (void)state;
    if (!FORKS)
        skip();
    workers_set(1);
    struct ouro_scope *scope = scope_new(1);
    KIT_CHECK(ouro_spawn(scope, open_spawn_and_wait_for_1, NULL, NULL) == OURO_OK);
    until(0);
    const struct ouro_scope *below = scope->place->first;
    pid_t child = kit_fork();
    if (child == 0)
        kit_child_ends(close_in_the_child(scope, below));
    assert_int_equal(kit_wait(child), 0);
    reach(1);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

/* -- the end of the program -------------------------------------------------------------------- */

static bool spawns_late;

/* After the library's own, which are linked later. */
__attribute__((destructor)) static void spawn_late(void)
{
    if (!spawns_late)
        return;
    struct ouro_scope *scope = scope_new(1);
    bool done = ouro_workers() == 0;
    for (int i = 0; i < 3; i++)
        done &= ouro_spawn(scope, leave_it, NULL, NULL) == OURO_OK;
    done &= ouro_scope_close(scope) == OURO_OK;
    _exit(done ? 42 : 43);
}

static void who_spawns_after_the_workers_end_helps(void **state)
{
    (void)state;
    if (!FORKS)
        skip();
    for (int made = 0; made < 2; made++) { /* whether there are workers before */
        pid_t child = kit_fork();
        if (child == 0) {
            workers_set(2);
            if (made)
                KIT_CHECK(ouro_scope_close(scope_new(1)) == OURO_OK);
            spawns_late = true;
            exit(1);
        }
        assert_int_equal(end_of_child(child), 42);
    }
}

static void wait_for_ever(struct hooked *dying)
{
    (void)dying;
    reach(0);
    for (;;)
        pause();
}

static void the_program_ends_though_a_hook_on_a_worker_does_not(void **state)
{
    (void)state;
    if (!FORKS)
        skip();
    pid_t child = kit_fork();
    if (child == 0) {
        workers_set(1);
        kit_on_destroy = wait_for_ever;
        KIT_CHECK(ouro_spawn(scope_new(1), leave_a_ring, NULL, NULL) == OURO_OK);
        until(0);
        exit(5);
    }
    assert_int_equal(end_of_child(child), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        task_test(who_is_woken_for_room_and_refused_wakes_the_next),
        task_test(who_waits_for_room_is_not_woken_for_work_in_place_of_who_helps),
        task_test(tasks_that_spawn_into_each_others_full_scopes_go_on),
        task_test(spawns_in_a_full_scope_nest_only_so_deep),
        task_test(a_hook_on_a_worker_makes_room_itself),
        task_test(workers_that_a_hook_on_one_ends_are_named),
        task_test(who_closes_a_scope_looks_below_once_more_before_it_sleeps),
        task_test(who_closes_a_scope_finds_tasks_behind_those_of_many_others),
        task_test(a_flow_may_be_there_twice),
        task_test(a_thread_that_is_cancelled_does_not_end_in_a_task),
        task_test(a_child_that_forked_in_a_task_ends_with_it_and_says_nothing_to_the_parent),
        task_test(a_forks_child_follows_no_task_of_before),
        task_test(who_spawns_after_the_workers_end_helps),
        task_test(the_program_ends_though_a_hook_on_a_worker_does_not),
    };
    return kit_run(tests);
}
