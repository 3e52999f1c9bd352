/* SPDX-License-Identifier: MIT */
/* The code of docs/tasks.md, compiled and run. */
#include "ouro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

struct page {
    struct page *next;
    int64_t words;
};
extern struct ouro_type page_type;
static const struct ouro_field page_fields[] = {OURO_REF(struct page, next, &page_type)};
struct ouro_type page_type = OURO_TYPE(struct page, page_fields);

static struct ouro_isolated *make_pages(int64_t n)
{
    struct page *first = NULL;
    for (int64_t i = n; i > 0; i--) {
        struct page *page = OURO_NEW(struct page, &page_type);
        page->words = i;
        page->next = first;
        first = page;
    }
    struct ouro_isolated *graph;
    assert_int_equal(ouro_isolate(first, &graph, NULL), OURO_OK);
    return graph;
}

static int64_t words_of(struct ouro_isolated *sum)
{
    struct page *page = ouro_extract(sum);
    int64_t words = page->words;
    ouro_decref(page);
    return words;
}

/* [task] */
/* A task: the words of the pages that are its argument. */
static ouro_status count(struct ouro_task *task, struct ouro_isolated **result)
{
    struct page *first = ouro_extract(ouro_task_argument(task)); /* this thread's now */
    struct page *sum = OURO_NEW(struct page, &page_type);
    for (const struct page *page = first; page && sum; page = page->next)
        sum->words += page->words;
    ouro_decref(first);
    if (!sum)
        return OURO_NO_MEMORY;
    ouro_status status = ouro_isolate(sum, result, NULL);
    if (status != OURO_OK)
        ouro_decref(sum);
    return status;
}
/* [task] */

/* [spawn] */
/* The words of two documents (owned), each counted by a task; -1: it could not be done. */
static int64_t count_both(struct ouro_isolated *a, struct ouro_isolated *b)
{
    struct ouro_isolated *documents[] = {a, b};
    struct ouro_flow *flows[2];
    struct ouro_scope *scope;
    int64_t words = 0;
    if (ouro_scope_open(16, &scope) != OURO_OK) { /* at most 16 in flight */
        ouro_isolated_drop(a);
        ouro_isolated_drop(b);
        return -1;
    }
    for (int i = 0; i < 2; i++)
        if (ouro_spawn(scope, count, documents[i], &flows[i]) != OURO_OK)
            ouro_isolated_drop(documents[i]); /* it is still the caller's */
    for (int i = 0; i < 2; i++) {
        struct ouro_isolated *sum;
        if (ouro_flow_await(flows[i], &sum) == OURO_OK) /* no flow: OURO_BAD_ARGUMENT */
            words += words_of(sum);
        else
            words = INT64_MIN / 2;
        ouro_flow_drop(flows[i]);
    }
    return ouro_scope_close(scope) == OURO_OK && words >= 0 ? words : -1;
}
/* [spawn] */

static void tasks_count_words(void **state)
{
    (void)state;
    assert_int_equal(count_both(make_pages(100), make_pages(10)), 5050 + 55);
}

struct branch {
    struct branch *below[2];
    int64_t leaves;
};
extern struct ouro_type branch_type;
static const struct ouro_field branch_fields[] = {OURO_REF(struct branch, below[0], &branch_type),
                                                  OURO_REF(struct branch, below[1], &branch_type)};
struct ouro_type branch_type = OURO_TYPE(struct branch, branch_fields);

static int64_t leaves;
static void seen(int64_t more)
{
    __atomic_fetch_add(&leaves, more, __ATOMIC_RELAXED);
}

/* [tree] */
static ouro_status spawn_or_drop(struct ouro_scope *scope, ouro_task_run *run,
                                 struct ouro_isolated *argument)
{
    ouro_status status = ouro_spawn(scope, run, argument, NULL);
    if (status != OURO_OK)
        ouro_isolated_drop(argument);
    return status;
}

/* One task for each branch: the scope ends when the last one has. */
static ouro_status visit(struct ouro_task *task, struct ouro_isolated **result)
{
    struct branch *branch = ouro_extract(ouro_task_argument(task));
    ouro_status status = OURO_OK;
    (void)result;
    seen(branch->leaves);
    for (int i = 0; i < 2 && status == OURO_OK; i++) {
        struct branch *child = branch->below[i];
        struct ouro_isolated *below;
        branch->below[i] = NULL; /* nothing outside refers to it */
        status = child ? ouro_isolate(child, &below, NULL) : OURO_OK;
        if (status != OURO_OK)
            ouro_decref(child);
        else if (child)
            status = spawn_or_drop(ouro_task_scope(task), visit, below);
    }
    ouro_decref(branch);
    return status;
}
/* [tree] */

static struct branch *make_tree(int depth)
{
    struct branch *branch = OURO_NEW(struct branch, &branch_type);
    branch->leaves = depth == 0;
    for (int i = 0; i < 2 && depth > 0; i++)
        branch->below[i] = make_tree(depth - 1);
    return branch;
}

static void a_tree_is_visited_by_tasks(void **state)
{
    (void)state;
    struct ouro_scope *scope;
    struct ouro_isolated *tree;
    assert_int_equal(ouro_isolate(make_tree(8), &tree, NULL), OURO_OK);
    assert_int_equal(ouro_scope_open(20, &scope), OURO_OK);
    assert_int_equal(ouro_spawn(scope, visit, tree, NULL), OURO_OK);
    assert_int_equal(ouro_scope_close(scope), OURO_OK);
    assert_int_equal(leaves, 256);
}

/* [slices] */
static ouro_status square(struct ouro_task *task, void *elements, size_t count, void *context)
{
    int64_t *numbers = elements;
    (void)task;
    (void)context;
    for (size_t i = 0; i < count; i++)
        numbers[i] *= numbers[i];
    return OURO_OK;
}

static ouro_status square_all(int64_t *numbers, size_t count)
{
    struct ouro_scope *scope;
    struct ouro_lent *lent;
    ouro_status status = ouro_scope_open(8, &scope);
    if (status != OURO_OK)
        return status;
    status = ouro_lend(scope, numbers, count, sizeof *numbers, &lent);
    for (size_t at = 0; at < count && status == OURO_OK; at += 1000) {
        size_t some = count - at < 1000 ? count - at : 1000;
        status = ouro_spawn_slice(lent, at, some, square, NULL, NULL);
    }
    ouro_status error = ouro_scope_close(scope); /* the numbers are the caller's again */
    return error != OURO_OK ? error : status;
}
/* [slices] */

static void slices_are_squared(void **state)
{
    (void)state;
    enum { N = 10500 };
    int64_t *numbers = malloc(N * sizeof *numbers);
    for (int64_t i = 0; i < N; i++)
        numbers[i] = i;
    assert_int_equal(square_all(numbers, N), OURO_OK);
    for (int64_t i = 0; i < N; i++)
        assert_int_equal(numbers[i], i * i);
    free(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tasks_count_words),
                                       cmocka_unit_test(a_tree_is_visited_by_tasks),
                                       cmocka_unit_test(slices_are_squared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
