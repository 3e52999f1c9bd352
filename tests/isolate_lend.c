/* SPDX-License-Identifier: MIT */
/* White-box: includes task_kit.h. Slices of arrays that are lent to a scope's tasks. */
#include "task_kit.h"

static ouro_status add_context(struct ouro_task *task, void *elements, size_t count, void *context)
{
    int64_t *numbers = elements;
    KIT_CHECK(ouro_task_argument(task) == NULL);
    for (size_t i = 0; i < count; i++)
        numbers[i] += *(const int64_t *)context;
    return OURO_OK;
}

static void slices_of_a_lent_array_are_filled(void **state)
{
    (void)state;
    enum { N = 1000 };
    int64_t *numbers = calloc(N, sizeof *numbers), one = 1;
    struct ouro_scope *scope = scope_new(8);
    struct ouro_lent *lent;
    assert_int_equal(ouro_lend(scope, numbers, N, sizeof *numbers, &lent), OURO_OK);
    for (size_t at = 0; at < N; at += 70) {
        size_t count = N - at < 70 ? N - at : 70;
        assert_int_equal(ouro_spawn_slice(lent, at, count, add_context, &one, NULL), OURO_OK);
    }
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(numbers[i], 1);
    free(numbers);
}

/* Until the gate is open: where there are others that open it. */
static ouro_status wait_at_gate(struct ouro_task *task, void *elements, size_t count, void *context)
{
    (void)task;
    (void)elements;
    (void)count;
    (void)context;
    while (!nobody && !ouro__load_acquire(&said.gate))
        ouro__os_yield();
    return OURO_OK;
}

static void slices_that_overlap_are_refused_while_they_are_out(void **state)
{
    (void)state;
    int64_t numbers[100] = {0}, one = 1;
    struct ouro_scope *scope = scope_new(8);
    struct ouro_lent *lent;
    struct ouro_flow *a, *b, *none;
    said.gate = 0;
    assert_int_equal(ouro_lend(scope, numbers, 100, sizeof one, &lent), OURO_OK);
    assert_int_equal(ouro_spawn_slice(lent, 40, 20, wait_at_gate, NULL, &a), OURO_OK);
    assert_int_equal(ouro_spawn_slice(lent, 10, 20, wait_at_gate, NULL, &b), OURO_OK);
    static const struct {
        size_t first, count;
    } bad[] = {{40, 20}, {0, 100}, {59, 1}, {40, 1}, {39, 2}, {45, 2}, {10, 1}, {29, 5}, {9, 2}};
    for (size_t i = 0; i < OURO_COUNT_OF(bad); i++) {
        none = a;
        assert_int_equal(
            ouro_spawn_slice(lent, bad[i].first, bad[i].count, add_context, &one, &none),
            OURO_BUSY);
        assert_null(none);
    }
    assert_int_equal(ouro_unlend(lent), OURO_BUSY);
    assert_int_equal(ouro_spawn_slice(lent, 30, 10, add_context, &one, NULL),
                     OURO_OK); /* between */
    assert_int_equal(ouro_spawn_slice(lent, 0, 10, add_context, &one, NULL), OURO_OK);
    assert_int_equal(ouro_spawn_slice(lent, 60, 40, add_context, &one, NULL), OURO_OK);
    ouro__store_release(&said.gate, 1);
    assert_int_equal(status_end(a), OURO_OK);
    assert_int_equal(ouro_spawn_slice(lent, 40, 20, add_context, &one, &a),
                     OURO_OK); /* it is back */
    assert_int_equal(status_end(a), OURO_OK);
    assert_int_equal(status_end(b), OURO_OK);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(numbers[i], i < 10 || i >= 30);
}

static void what_is_not_there_is_not_lent(void **state)
{
    (void)state;
    int64_t numbers[10] = {0};
    struct ouro_scope *scope = scope_new(2);
    struct ouro_lent *lent, *other;
    assert_int_equal(ouro_lend(scope, numbers, 10, 8, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_lend(NULL, numbers, 10, 8, &lent), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_lend(scope, NULL, 10, 8, &lent), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_lend(scope, numbers, 0, 8, &lent), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_lend(scope, numbers, 10, 0, &lent), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_lend(scope, numbers, SIZE_MAX / 4, 8, &lent), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_lend(scope, numbers, SIZE_MAX / 8, 8, &lent), OURO_BAD_ARGUMENT);
    assert_null(lent);
    assert_int_equal(ouro_lend(scope, numbers, 5, 8, &lent), OURO_OK);
    assert_int_equal(ouro_lend(scope, numbers + 4, 2, 8, &other), OURO_BUSY);
    assert_null(other);
    assert_int_equal(ouro_lend(scope, numbers + 5, 5, 8, &other), OURO_OK);
    static const struct {
        size_t first, count;
    } bad[] = {{0, 0}, {0, 6}, {5, 1}, {4, 2}, {1, SIZE_MAX}, {SIZE_MAX, 1}};
    for (size_t i = 0; i < OURO_COUNT_OF(bad); i++)
        assert_int_equal(
            ouro_spawn_slice(lent, bad[i].first, bad[i].count, wait_at_gate, NULL, NULL),
            OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_spawn_slice(lent, 0, 1, NULL, NULL, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_spawn_slice(NULL, 0, 1, wait_at_gate, NULL, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_unlend(lent), OURO_OK);
    assert_int_equal(ouro_unlend(NULL), OURO_OK);
    assert_int_equal(ouro_lend(scope, numbers, 5, 8, &lent), OURO_OK); /* it was back */
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
}

static void slices_of_a_cancelled_scope_are_back(void **state)
{
    (void)state;
    int64_t numbers[10] = {0}, one = 1;
    struct ouro_scope *scope = scope_new(10);
    struct ouro_lent *lent;
    struct ouro_flow *flow;
    assert_int_equal(ouro_lend(scope, numbers, 10, 8, &lent), OURO_OK);
    assert_int_equal(ouro_spawn_slice(lent, 0, 5, add_context, &one, &flow), OURO_OK);
    ouro_flow_cancel(flow);
    ouro_status status = status_end(flow);
    assert_int_equal(numbers[0], status == OURO_OK);
    assert_int_equal(ouro_spawn_slice(lent, 0, 5, add_context, &one, NULL), OURO_OK);
    ouro_scope_cancel(scope);
    assert_int_equal(ouro_spawn_slice(lent, 5, 5, add_context, &one, NULL), OURO_CANCELLED);
    assert_int_equal(ouro_scope_close(scope), OURO_CANCELLED);
    assert_int_equal(numbers[5], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        task_test(slices_of_a_lent_array_are_filled),
        task_test(slices_that_overlap_are_refused_while_they_are_out),
        task_test(what_is_not_there_is_not_lent),
        task_test(slices_of_a_cancelled_scope_are_back),
    };
    return with_and_without_workers(tests);
}
