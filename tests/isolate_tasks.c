/* SPDX-License-Identifier: MIT */
/* White-box: includes task_kit.h. Tasks in scopes: what holds with any number of workers, and
 * with none. */
#include "task_kit.h"

#include <poll.h>

#define MINE ((ouro_status)(OURO_STATUS_USER + 7))

/* -- results ----------------------------------------------------------------------------------- */

static void results_arrive_at_flows(void **state)
{
    (void)state;
    enum { N = 200 };
    struct ouro_flow *flows[N];
    struct ouro_scope *scope = scope_new(N);
    for (int i = 0; i < N; i++)
        flows[i] = spawn(scope, twice, i);
    for (int i = N - 1; i >= 0; i--)
        assert_int_equal(flow_end(flows[i]), 2 * i);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static void a_flow_outlives_its_scope(void **state)
{
    (void)state;
    struct ouro_scope *scope = scope_new(1);
    struct ouro_flow *flow = spawn(scope, twice, 4), *unread = spawn(scope, twice, 5);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    assert_true(ouro_flow_is_done(flow));
    assert_int_equal(flow_end(flow), 8);
    assert_int_equal(kit_destroyed, 2 + 2 + 2);
    ouro_flow_drop(unread);
    assert_int_equal(kit_destroyed, 8);
    ouro_flow_drop(NULL);
}

static void a_result_is_taken_once(void **state)
{
    (void)state;
    struct ouro_scope *scope = scope_new(1);
    struct ouro_flow *flow = spawn(scope, twice, 1);
    struct ouro_isolated *result;
    assert_int_equal(ouro_flow_await(flow, &result), OURO_OK);
    assert_int_equal(graph_end(result), 2);
    assert_int_equal(ouro_flow_await(flow, &result), OURO_CLOSED);
    assert_null(result);
    ouro_flow_drop(flow);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static void what_nobody_takes_is_destroyed(void **state)
{
    (void)state;
    struct ouro_scope *scope = scope_new(4);
    assert_int_equal(ouro_spawn(scope, leave_it, graph_new(1), NULL), OURO_OK);
    assert_int_equal(ouro_spawn(scope, twice, graph_new(2), NULL), OURO_OK);
    assert_int_equal(ouro_spawn(scope, leave_it, NULL, NULL), OURO_OK);
    ouro_flow_drop(spawn(scope, twice, 3)); /* before it ends, perhaps */
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    assert_int_equal(kit_destroyed, 2 + 4 + 4);
}

/* -- how many ---------------------------------------------------------------------------------- */

static ouro_status count_up(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    ouro_word running = ouro__fetch_add_full(&said.now, 1) + 1, seen = ouro__load(&said.most);
    while (seen < running && !ouro__cas_full(&said.most, &seen, running))
        continue;
    ouro__fetch_add_full(&said.now, (ouro_word)-1);
    ouro__fetch_add_full(&said.ended, 1);
    return OURO_OK;
}

static void no_more_than_the_limit_are_in_flight(void **state)
{
    (void)state;
    for (size_t limit = 1; limit <= 16; limit *= 4) {
        said.ended = said.most = 0;
        struct ouro_scope *scope = scope_new(limit);
        for (size_t i = 1; i <= 500; i++) {
            KIT_CHECK(ouro_spawn(scope, count_up, NULL, NULL) == OURO_OK);
            assert_true(i <= ouro__load_acquire(&said.ended) + limit);
        }
        assert_int_equal(ouro_scope_close(scope), OURO_OK);
        assert_int_equal(said.ended, 500);
        assert_true(said.most <= limit);
    }
}

/* -- nested scopes ----------------------------------------------------------------------------- */

/* Fibonacci of its argument, by a scope in each. */
static ouro_status fib(struct ouro_task *task, struct ouro_isolated **result)
{
    int64_t n = argument_of(task), sum = n;
    if (n >= 2) {
        struct ouro_scope *scope = scope_new(2);
        struct ouro_flow *a = spawn(scope, fib, n - 1), *b = spawn(scope, fib, n - 2);
        KIT_CHECK(ouro_scope_close(scope) == OURO_OK);
        sum = flow_end(a) + flow_end(b);
    }
    *result = graph_new(sum);
    return OURO_OK;
}

/* The same, by awaits, in scopes that have no room for both. */
static ouro_status fib_awaiting(struct ouro_task *task, struct ouro_isolated **result)
{
    int64_t n = argument_of(task), sum = n;
    if (n >= 2) {
        struct ouro_scope *scope = scope_new(1);
        struct ouro_flow *a = spawn(scope, fib_awaiting, n - 1);
        struct ouro_flow *b = spawn(scope, fib_awaiting, n - 2);
        sum = flow_end(a) + flow_end(b);
        KIT_CHECK(ouro_scope_close(scope) == OURO_OK);
    }
    *result = graph_new(sum);
    return OURO_OK;
}

static void thousands_of_nested_scopes_come_to_their_end(void **state)
{
    (void)state;
    int64_t n = kit_scaled(16) < 16 ? 9 : 16, want[] = {0, 1};
    for (int64_t i = 1; i < n; i++) {
        int64_t next = want[0] + want[1];
        want[0] = want[1];
        want[1] = next;
    }
    struct ouro_scope *scope = scope_new(2);
    struct ouro_flow *a = spawn(scope, fib, n), *b = spawn(scope, fib_awaiting, n);
    assert_int_equal(flow_end(a), want[1]);
    assert_int_equal(flow_end(b), want[1]);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

/* A task that spawns in its own scope, where there is no room. */
static ouro_status spawn_on(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)result;
    int64_t n = argument_of(task);
    ouro__fetch_add_full(&said.ended, 1);
    for (int i = 0; n > 0 && i < 2; i++)
        KIT_CHECK(ouro_spawn(ouro_task_scope(task), spawn_on, graph_new(n - 1), NULL) == OURO_OK);
    return OURO_OK;
}

static void a_task_that_spawns_in_its_own_full_scope_does_not_wait(void **state)
{
    (void)state;
    for (size_t limit = 1; limit < 4; limit++) {
        said.ended = 0;
        struct ouro_scope *scope = scope_new(limit);
        assert_int_equal(ouro_spawn(scope, spawn_on, graph_new(6), NULL), OURO_OK);
        assert_int_equal(ouro_scope_close(scope), OURO_OK);
        assert_int_equal(said.ended, 127);
    }
}

static struct ouro_scope *outer;

static ouro_status spawn_outside(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    return ouro_spawn(outer, count_up, NULL, NULL);
}

static ouro_status open_and_spawn_outside(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    struct ouro_scope *scope = scope_new(1);
    KIT_CHECK(ouro_spawn(scope, spawn_outside, NULL, NULL) == OURO_OK);
    return ouro_scope_close(scope);
}

static void a_task_of_a_scope_below_that_spawns_in_the_full_one_runs_it_itself(void **state)
{
    (void)state;
    said.ended = 0;
    outer = scope_new(1);
    assert_int_equal(ouro_spawn(outer, open_and_spawn_outside, NULL, NULL), OURO_OK);
    assert_int_equal(ouro_scope_close(outer), OURO_OK);
    assert_int_equal(said.ended, 1);
}

/* -- errors and cancelling --------------------------------------------------------------------- */

static ouro_status fail_so(struct ouro_task *task, struct ouro_isolated **result)
{
    *result = graph_new(1); /* dropped */
    return (ouro_status)argument_of(task);
}

static void an_error_reaches_the_scope_and_cancels_it(void **state)
{
    (void)state;
    struct ouro_scope *scope = scope_new(100);
    struct ouro_flow *first = spawn(scope, fail_so, MINE);
    assert_int_equal(status_end(first), MINE);
    struct ouro_flow *none = first;
    struct ouro_isolated *graph = graph_new(9);
    assert_int_equal(ouro_spawn(scope, twice, graph, &none), OURO_CANCELLED);
    assert_null(none);
    assert_int_equal(graph_end(graph), 9); /* it was the caller's */
    assert_int_equal(ouro_scope_close(scope), MINE);
    assert_int_equal(kit_destroyed, 6);
}

/* Of those that had an error one was the first; the others did not run, or had it later. */
static void the_first_error_is_the_scopes(void **state)
{
    (void)state;
    struct ouro_scope *scope = scope_new(10);
    struct ouro_flow *flows[5];
    size_t spawned = 0;
    ouro_status status = OURO_OK;
    for (; spawned < 5 && status == OURO_OK; spawned += status == OURO_OK) {
        struct ouro_isolated *graph = graph_new(MINE + (int64_t)spawned);
        status = ouro_spawn(scope, fail_so, graph, &flows[spawned]);
        if (status != OURO_OK)
            ouro_isolated_drop(graph);
    }
    status = ouro_scope_close(scope);
    assert_true(status >= MINE);
    bool has = false;
    for (size_t i = 0; i < spawned; i++) {
        ouro_status one = status_end(flows[i]);
        has |= one == status;
        assert_true(one == (ouro_status)(MINE + i) || one == OURO_CANCELLED);
    }
    assert_true(has);
    if (nobody)
        assert_int_equal(status, MINE);
}

static void a_cancelled_scope_destroys_arguments_that_nobody_took(void **state)
{
    (void)state;
    enum { N = 50 };
    said.ended = 0;
    struct ouro_scope *scope = scope_new(N);
    struct ouro_flow *flows[N];
    for (int i = 0; i < N; i++)
        flows[i] = spawn(scope, count_up, i);
    ouro_scope_cancel(scope);
    ouro_scope_cancel(scope);
    assert_int_equal(ouro_scope_close(scope), OURO_CANCELLED);
    assert_int_equal(kit_destroyed, 2 * N);
    size_t ran = 0;
    for (int i = 0; i < N; i++) {
        ouro_status status = status_end(flows[i]);
        assert_true(status == OURO_OK || status == OURO_CANCELLED);
        ran += status == OURO_OK;
    }
    assert_int_equal(ran, said.ended);
    if (nobody)
        assert_int_equal(ran, 0);
}

static ouro_status until_cancelled(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)result;
    while (!nobody && !ouro_task_is_cancelled(task))
        ouro__os_yield();
    return OURO_CANCELLED;
}

static void a_cancelled_task_leaves_its_scope_as_it_is(void **state)
{
    (void)state;
    struct ouro_scope *scope = scope_new(8);
    struct ouro_flow *flow = spawn(scope, until_cancelled, 1);
    ouro_flow_cancel(flow);
    if (nobody)
        assert_int_equal(kit_destroyed, 2); /* at once */
    struct ouro_flow *other = spawn(scope, twice, 2);
    assert_int_equal(status_end(flow), OURO_CANCELLED);
    ouro_flow_cancel(other);
    struct ouro_isolated *result;
    ouro_status status = ouro_flow_await(other, &result);
    ouro_isolated_drop(result);
    assert_int_equal(status, nobody || !result ? OURO_CANCELLED : OURO_OK);
    ouro_flow_cancel(other); /* it has ended: nothing */
    ouro_flow_drop(other);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

/* A task that says so without having been told. */
static ouro_status say_cancelled(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    return OURO_CANCELLED;
}

static void a_task_can_cancel_its_scope(void **state)
{
    (void)state;
    struct ouro_scope *scope = scope_new(8);
    assert_int_equal(status_end(spawn(scope, say_cancelled, 1)), OURO_CANCELLED);
    assert_int_equal(ouro_spawn(scope, twice, NULL, NULL), OURO_CANCELLED);
    assert_int_equal(ouro_scope_close(scope), OURO_CANCELLED);
}

static ouro_status cancel_outer(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)result;
    struct ouro_scope *scope = scope_new(4);
    struct ouro_flow *flow = spawn(scope, until_cancelled, 1);
    KIT_CHECK(!ouro_task_is_cancelled(task));
    ouro_scope_cancel(ouro_task_scope(task));
    KIT_CHECK(ouro_task_is_cancelled(task));
    KIT_CHECK(ouro_spawn(scope, twice, NULL, NULL) == OURO_CANCELLED);
    KIT_CHECK(status_end(flow) == OURO_CANCELLED);
    return ouro_scope_close(scope);
}

static void cancelling_reaches_scopes_below(void **state)
{
    (void)state;
    struct ouro_scope *scope = scope_new(4);
    assert_int_equal(status_end(spawn(scope, cancel_outer, 1)), OURO_CANCELLED);
    assert_int_equal(ouro_scope_close(scope), OURO_CANCELLED);
}

/* -- waits ------------------------------------------------------------------------------------- */

static void each_of_several_flows_is_chosen_once(void **state)
{
    (void)state;
    enum { N = 5 };
    struct ouro_scope *scope = scope_new(N);
    struct ouro_flow *flows[N];
    int64_t sum = 0;
    for (int i = 0; i < N; i++)
        flows[i] = spawn(scope, twice, i);
    for (int left = N; left > 0; left--) {
        size_t chosen;
        assert_int_equal(ouro_flow_any(flows, N, left % 2 ? -1 : 20000000000, &chosen), OURO_OK);
        assert_true(ouro_flow_is_done(flows[chosen]));
        sum += flow_end(flows[chosen]);
        flows[chosen] = NULL;
    }
    assert_int_equal(sum, 20);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static bool readable(int fd, int timeout)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, timeout) == 1 && (one.revents & POLLIN);
}

static void a_flows_descriptor_is_readable_when_its_task_has_ended(void **state)
{
    (void)state;
    struct ouro_scope *scope = scope_new(2);
    struct ouro_flow *flow = spawn(scope, twice, 1), *other = spawn(scope, twice, 2);
    int fd, again;
    assert_int_equal(ouro_flow_descriptor(flow, &fd), OURO_OK);
    assert_true(readable(fd, 20000));
    assert_int_equal(ouro_flow_descriptor(flow, &again), OURO_OK);
    assert_int_equal(fd, again);
    assert_int_equal(flow_end(flow), 2);
    struct pollfd one = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&one, 1, 0), 1);
    assert_int_equal(one.revents, POLLNVAL); /* it is gone */
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    assert_int_equal(ouro_flow_descriptor(other, &fd), OURO_OK); /* after it has ended */
    assert_true(readable(fd, 0));
    ouro_flow_drop(other);
}

/* Who only asks is told in the end, whoever runs it. */
static void asking_again_and_again_ends(void **state)
{
    (void)state;
    struct ouro_scope *scope = scope_new(2);
    struct ouro_flow *flow = spawn(scope, twice, 1);
    struct ouro_isolated *result;
    ouro_status status;
    while ((status = ouro_flow_await_within(flow, 0, &result)) == OURO_WOULD_BLOCK)
        ouro__os_yield();
    assert_int_equal(status, OURO_OK);
    ouro_isolated_drop(result);
    ouro_flow_drop(flow);
    flow = spawn(scope, twice, 2);
    while (!ouro_flow_is_done(flow))
        ouro__os_yield();
    assert_int_equal(flow_end(flow), 4);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

/* -- refused ----------------------------------------------------------------------------------- */

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    struct ouro_scope *scope, *open = scope_new(1);
    struct ouro_isolated *result = (struct ouro_isolated *)open;
    struct ouro_flow *none = NULL;
    size_t chosen;
    int fd;
    assert_int_equal(ouro_scope_open(1, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_scope_open(0, &scope), OURO_BAD_ARGUMENT);
    assert_null(scope);
    assert_int_equal(ouro_scope_open(((size_t)1 << 30) + 1, &scope), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_spawn(NULL, twice, NULL, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_spawn(open, NULL, NULL, &none), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_flow_await(NULL, &result), OURO_BAD_ARGUMENT);
    assert_null(result);
    assert_int_equal(ouro_flow_await(none, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_flow_any(&none, 1, 0, &chosen), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_flow_any(&none, 1, 0, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_flow_any(NULL, 0, 0, &chosen), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_flow_descriptor(NULL, &fd), OURO_BAD_ARGUMENT);
    struct ouro_flow *flow;
    assert_int_equal(ouro_spawn(open, leave_it, NULL, &flow), OURO_OK);
    assert_int_equal(ouro_flow_descriptor(flow, NULL), OURO_BAD_ARGUMENT);
    ouro_flow_drop(flow);
    assert_int_equal(ouro_scope_close(open), OURO_OK);
    assert_string_equal(ouro_status_name(OURO_CANCELLED), "cancelled");
}

static ouro_status no_slice(struct ouro_task *task, void *elements, size_t count, void *context)
{
    (void)task;
    (void)elements;
    (void)count;
    (void)context;
    return OURO_OK;
}

static void exhaustion_changes_nothing(void **state)
{
    (void)state;
    struct ouro_scope *scope = scope_new(4), *none = scope;
    struct ouro_isolated *graph = graph_new(3);
    struct ouro_flow *flow = NULL;
    struct ouro_lent *lent;
    int64_t number;
    ouro_fail_nth_alloc(1, true);
    assert_int_equal(ouro_scope_open(1, &none), OURO_NO_MEMORY);
    assert_null(none);
    assert_int_equal(ouro_spawn(scope, twice, graph, &flow), OURO_NO_MEMORY);
    assert_null(flow);
    assert_int_equal(ouro_lend(scope, &number, 1, sizeof number, &lent), OURO_NO_MEMORY);
    assert_null(lent);
    ouro_fail_nth_alloc(0, false);
    assert_int_equal(ouro_lend(scope, &number, 1, sizeof number, &lent), OURO_OK);
    ouro_fail_nth_alloc(1, true);
    assert_int_equal(ouro_spawn_slice(lent, 0, 1, no_slice, NULL, &flow), OURO_NO_MEMORY);
    ouro_fail_nth_alloc(0, false);
    assert_int_equal(ouro_unlend(lent), OURO_OK); /* nothing of it is out */
    assert_int_equal(ouro_spawn(scope, twice, graph, &flow), OURO_OK);
    assert_int_equal(flow_end(flow), 6);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static ouro_status in_the_default_runtime(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    return ouro_runtime_current() == ouro_runtime_default() ? OURO_OK : MINE;
}

static void tasks_run_in_the_default_runtime(void **state)
{
    (void)state;
    struct ouro_runtime *runtime;
    assert_int_equal(ouro_runtime_new(NULL, &runtime), OURO_OK);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    struct ouro_scope *scope = scope_new(4);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ouro_spawn(scope, in_the_default_runtime, NULL, NULL), OURO_OK);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    assert_ptr_equal(ouro_runtime_current(), runtime);
    ouro_runtime_leave(runtime);
    assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
}

/* -- misuse ------------------------------------------------------------------------------------ */

static ouro_status leave_open(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    (void)scope_new(1);
    return OURO_OK;
}

static ouro_status close_ones_own(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)result;
    return ouro_scope_close(ouro_task_scope(task));
}

static ouro_status end_workers(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    (void)result;
    ouro_workers_end();
    return OURO_OK;
}

static struct ouro_flow *own;
static ouro_status await_oneself(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)task;
    while (!ouro__load_acquire(&said.gate))
        ouro__os_yield();
    return ouro_flow_await(own, result);
}

static void do_in_a_task(void *run)
{
    struct ouro_scope *scope = scope_new(1);
    said.gate = 0;
    KIT_CHECK(ouro_spawn(scope, *(ouro_task_run **)run, NULL, &own) == OURO_OK);
    ouro__store_release(&said.gate, 1);
    (void)ouro_scope_close(scope);
}

static void what_a_task_must_not_do_is_named(void **state)
{
    (void)state;
    if (OURO_TSAN)
        skip(); /* no threads in a fork's child */
    static ouro_task_run *runs[] = {leave_open, close_ones_own, end_workers, await_oneself};
    for (size_t i = 0; i < OURO_COUNT_OF(runs); i++)
        assert_int_equal(kit_failure_of(do_in_a_task, &runs[i]), OURO_FAIL_MISUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        task_test(results_arrive_at_flows),
        task_test(a_flow_outlives_its_scope),
        task_test(a_result_is_taken_once),
        task_test(what_nobody_takes_is_destroyed),
        task_test(no_more_than_the_limit_are_in_flight),
        task_test(thousands_of_nested_scopes_come_to_their_end),
        task_test(a_task_that_spawns_in_its_own_full_scope_does_not_wait),
        task_test(a_task_of_a_scope_below_that_spawns_in_the_full_one_runs_it_itself),
        task_test(an_error_reaches_the_scope_and_cancels_it),
        task_test(the_first_error_is_the_scopes),
        task_test(a_cancelled_scope_destroys_arguments_that_nobody_took),
        task_test(a_cancelled_task_leaves_its_scope_as_it_is),
        task_test(a_task_can_cancel_its_scope),
        task_test(cancelling_reaches_scopes_below),
        task_test(each_of_several_flows_is_chosen_once),
        task_test(a_flows_descriptor_is_readable_when_its_task_has_ended),
        task_test(asking_again_and_again_ends),
        task_test(bad_arguments_are_refused),
        task_test(exhaustion_changes_nothing),
        task_test(tasks_run_in_the_default_runtime),
        task_test(what_a_task_must_not_do_is_named),
    };
    return with_and_without_workers(tests);
}
