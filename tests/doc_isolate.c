/* SPDX-License-Identifier: MIT */
/* The code of docs/isolate.md, compiled and run. */
#include "ouro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#if OURO_THREADS
#include <pthread.h>
#endif

/* [types] */
struct item {
    struct item *next, *twin; /* cycles are welcome */
    int64_t number;
};
extern struct ouro_type item_type;
static const struct ouro_field item_fields[] = {OURO_REF(struct item, next, &item_type),
                                                OURO_REF(struct item, twin, &item_type)};
struct ouro_type item_type = OURO_TYPE(struct item, item_fields);
/* [types] */

static struct item *make_items(int64_t n)
{
    struct item *first = NULL;
    for (int64_t i = n; i > 0; i--) {
        struct item *item = OURO_NEW(struct item, &item_type);
        item->number = i;
        item->next = first;
        first = item;
    }
    return first;
}

/* [receive] */
/* Runs on any thread: the graph is its own from here on. */
static int64_t add_up(struct ouro_isolated *graph)
{
    int64_t sum = 0;
    struct item *first = ouro_extract(graph); /* owned; `graph` is gone */
    for (const struct item *item = first; item; item = item->next)
        sum += item->number;
    ouro_decref(first);
    return sum;
}
/* [receive] */

/* [send] */
/* NULL: nobody may have it but the caller, who keeps it. */
static struct ouro_isolated *send_off(struct item *first, char *why, size_t size)
{
    struct ouro_isolated *graph;
    struct ouro_escape escape;
    ouro_status status = ouro_isolate(first, &graph, &escape);
    if (status == OURO_OK)
        return graph; /* `first` is not the caller's any more */
    if (status == OURO_NOT_ISOLATED)
        snprintf(why, size, "%zu references from outside: %s", escape.references, escape.path);
    else
        snprintf(why, size, "%s", ouro_status_name(status));
    return NULL;
}
/* [send] */

#if OURO_THREADS
static void *receive(void *arg)
{
    return (void *)(intptr_t)add_up(arg);
}
#endif

static int64_t elsewhere(struct ouro_isolated *graph)
{
#if OURO_THREADS
    pthread_t thread;
    void *sum;
    assert_int_equal(pthread_create(&thread, NULL, receive, graph), 0);
    assert_int_equal(pthread_join(thread, &sum), 0);
    return (intptr_t)sum;
#else
    return add_up(graph);
#endif
}

static void a_graph_is_sent_off(void **state)
{
    (void)state;
    char why[400] = "";
    struct item *first = make_items(10), *kept = first->next->next;
    ouro_incref(kept);
    assert_null(send_off(first, why, sizeof why));
    assert_string_equal(why, "1 references from outside: "
                             "struct item.next -> struct item.next -> struct item");
    ouro_decref(kept);
    struct ouro_isolated *graph = send_off(first, why, sizeof why);
    assert_non_null(graph);
    assert_int_equal(elsewhere(graph), 55);
    ouro_collect(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_graph_is_sent_off)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
