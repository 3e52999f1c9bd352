/* SPDX-License-Identifier: MIT */
/* The code of docs/regions.md, compiled and run. */
#include "ouro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#if OURO_THREADS
#include <pthread.h>
#endif

struct entry {
    struct entry *next, *parent;
    int64_t size;
};
extern struct ouro_type entry_type;
static const struct ouro_field entry_fields[] = {OURO_REF(struct entry, next, &entry_type),
                                                 OURO_REF(struct entry, parent, &entry_type)};
struct ouro_type entry_type = OURO_TYPE(struct entry, entry_fields);

/* [build] */
/* A list of n entries that all refer to the first; NULL: no memory, and nothing is left. */
static struct entry *make_list(int64_t n)
{
    struct entry *first = OURO_NEW(struct entry, &entry_type), *last = first;
    for (int64_t i = 1; last && i < n; i++) {
        struct entry *entry = OURO_NEW(struct entry, &entry_type);
        last->next = entry;
        last = entry;
        if (!entry)
            break;
        entry->size = i;
        entry->parent = first;
        ouro_incref(first); /* plain: the region is ours while we are in it */
    }
    if (!last && first)
        ouro_decref(first); /* in cycles: the region's end collects them */
    return last ? first : NULL;
}

/* The same in a region of its own; NULL: no memory. */
static struct ouro_isolated *build(int64_t n)
{
    struct ouro_region *region;
    struct ouro_isolated *handle = NULL;
    if (ouro_region_new(&region) != OURO_OK)
        return NULL;
    if (ouro_region_enter(region) == OURO_OK) {
        struct entry *first = make_list(n);
        ouro_region_leave(region);
        if (first)
            (void)ouro_region_isolate_unchecked(region, first, &handle);
    }
    if (!handle)
        (void)ouro_region_end(region);
    return handle; /* the region's: nothing of it is ours any more */
}
/* [build] */

/* [use] */
/* On any thread. Takes the handle of a region, and gives back another. */
static struct ouro_isolated *add_up(struct ouro_isolated *handle, int64_t *sum)
{
    void *root;
    struct ouro_region *region = ouro_region_extract(handle, &root); /* `handle` is gone */
    struct entry *first = root;
    *sum = 0;
    if (ouro_region_enter(region) == OURO_OK) { /* else no memory, at a thread's first touch */
        for (const struct entry *entry = first; entry; entry = entry->next)
            *sum += entry->size;
        ouro_slot_store(first, (void **)&first->parent, NULL);
        ouro_region_leave(region);
    }
    (void)ouro_region_isolate_unchecked(region, first, &handle); /* nobody is in it: OURO_OK */
    return handle;
}
/* [use] */

/* [checked] */
/* Whether a region may be sent off; else *why says what is in the way, and it is as it was. */
static struct ouro_isolated *look_and_send(struct ouro_region *region, void *root,
                                           struct ouro_escape *why)
{
    struct ouro_isolated *handle;
    ouro_status status = ouro_region_isolate(region, root, &handle, why);
    return status == OURO_OK ? handle : NULL;
}
/* [checked] */

#if OURO_THREADS
static void *elsewhere(void *arg)
{
    struct ouro_isolated **handle = arg;
    int64_t sum;
    *handle = add_up(*handle, &sum);
    return (void *)(intptr_t)sum;
}
#endif

static void a_region_goes_there_and_back(void **state)
{
    (void)state;
    struct ouro_isolated *handle = build(100);
    assert_non_null(handle);
#if OURO_THREADS
    pthread_t thread;
    void *sum;
    assert_int_equal(pthread_create(&thread, NULL, elsewhere, &handle), 0);
    assert_int_equal(pthread_join(thread, &sum), 0);
    assert_int_equal((intptr_t)sum, 99 * 50);
#endif
    int64_t again;
    handle = add_up(handle, &again);
    assert_int_equal(again, 99 * 50);
    ouro_isolated_drop(handle);
}

static void what_is_in_the_way_is_told(void **state)
{
    (void)state;
    void *root;
    struct ouro_region *region = ouro_region_extract(build(3), &root);
    struct entry *first = root, *stray = first->next;
    assert_int_equal(ouro_region_enter(region), OURO_OK);
    ouro_incref(stray);
    ouro_region_leave(region);
    struct ouro_escape why;
    assert_null(look_and_send(region, first, &why));
    assert_int_equal(why.kind, OURO_ESCAPE_IN);
    assert_string_equal(why.path, "struct entry.next -> struct entry");
    assert_int_equal(ouro_region_enter(region), OURO_OK);
    ouro_decref(stray);
    assert_ptr_equal(ouro_region_current(), region);
    ouro_region_leave(region);
    struct ouro_isolated *handle = look_and_send(region, first, &why);
    assert_non_null(handle);
    first = ouro_extract(handle); /* now it is this thread's, and the region is no more */
    ouro_decref(first);
    ouro_collect(NULL);
}

static void a_region_ends_without_its_objects(void **state)
{
    (void)state;
    struct ouro_region *region;
    assert_int_equal(ouro_region_new(&region), OURO_OK);
    assert_int_equal(ouro_region_end(region), OURO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_goes_there_and_back),
        cmocka_unit_test(what_is_in_the_way_is_told),
        cmocka_unit_test(a_region_ends_without_its_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
