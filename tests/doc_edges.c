/* SPDX-License-Identifier: MIT */
/* doc_edges.c: the code of docs/edges.md, literally, run. */
#include "ouro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct node {
    struct node *next;
    int number;
};
static struct ouro_type node_type;
static const struct ouro_field node_fields[] = {OURO_REF(struct node, next, &node_type)};
static struct ouro_type node_type = OURO_TYPE(struct node, node_fields);

/* clang-format off */
/* [thread] */
static void called_by_a_thread_of_others(struct node *n) /* owned */
{
    if (ouro_thread_attach() != OURO_OK)
        return; /* no memory for a thread's record: nothing may be counted here */
    n->number++;
    ouro_decref(n);
    ouro_thread_detach(); /* the thread goes on with other things */
}
/* [thread] */

/* [frame] */
static jmp_buf out_of_here;

static void work(int depth)
{
    struct ouro_frame frame = ouro_frame_begin();
    struct node *n = OURO_NEW(struct node, &node_type);
    if (n == NULL || ouro_frame_own(n) != OURO_OK) {
        ouro_decref(n); /* it stayed ours */
        return;
    }
    if (depth > 10)
        longjmp(out_of_here, 1); /* over eleven functions, each of which owns a node */
    work(depth + 1);
    ouro_frame_end(frame); /* drops n */
}

static bool work_was_left(void)
{
    struct ouro_mark mark = ouro_frame_mark();
    if (setjmp(out_of_here) == 0) {
        work(0);
        return false;
    }
    ouro_frame_unwind(&mark); /* drops all eleven */
    return true;
}
/* [frame] */

/* [owned] */
static int sum_of_two(void)
{
    OURO_OWNED struct node *a = OURO_NEW(struct node, &node_type);
    OURO_OWNED struct node *b = OURO_NEW(struct node, &node_type);
    if (a == NULL || b == NULL)
        return -1; /* whichever there is is dropped */
    return a->number + b->number;
}
/* [owned] */

/* [handle] */
#define HERE_(line) __FILE__ ":" #line
#define HERE(line)  HERE_(line)

static ouro_handle give_out(void)
{
    struct node *n = OURO_NEW(struct node, &node_type);
    ouro_handle handle = ouro_handle_new(n, HERE(__LINE__)); /* 0: no memory, or no n */
    ouro_decref(n); /* the handle has a reference of its own */
    return handle;
}

static int number_of(ouro_handle handle) /* on any thread */
{
    struct node *n = ouro_handle_get(handle); /* a closed one is named, and stops the program */
    int number = n->number;
    ouro_decref(n);
    return number;
}
/* [handle] */

/* [foreign] */
static ouro_status keep_a_texture(struct node *n, size_t bytes)
{
    ouro_status status = ouro_foreign_bytes(n, bytes); /* until n dies, or says otherwise */
    if (status != OURO_OK)
        return status; /* it does not fit in the limit: load a smaller one */
    /* .. */
    return OURO_OK;
}
/* [foreign] */
/* clang-format on */

static void the_page_is_right(void **state)
{
    (void)state;
    struct node *n = OURO_NEW(struct node, &node_type);
    called_by_a_thread_of_others(n);
    assert_true(work_was_left());
    assert_int_equal(sum_of_two(), 0);
    ouro_handle handle = give_out();
    assert_int_equal(number_of(handle), 0);
    ouro_handle_close(handle);
    n = OURO_NEW(struct node, &node_type);
    assert_int_equal(keep_a_texture(n, 1 << 20), OURO_OK);
    ouro_decref(n);
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    assert_int_equal(stats.foreign, 0);
    assert_int_equal(ouro_report_leaks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_is_right)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
