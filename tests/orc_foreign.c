/* SPDX-License-Identifier: MIT */
/* Foreign bytes: in the limit, in the trigger, in statistics and reports; of objects, until these
 * die. White-box: see orc_kit.h. */
#include "orc_kit.h"

#include <pthread.h>
#include <string.h>

static uint64_t balance(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    return stats.foreign;
}

static void the_balance_is_in_the_statistics(void **state)
{
    (void)state;
    char text[8192];
    assert_int_equal(balance(), 0);
    assert_int_equal(ouro_foreign_add(1234567), OURO_OK);
    assert_int_equal(ouro_foreign_add(0), OURO_OK);
    assert_int_equal(balance(), 1234567);
    assert_true(ouro_stats_json(text, sizeof text) < sizeof text);
    assert_non_null(strstr(text, "\"foreign\":1234567"));
    assert_int_equal(ouro_foreign_add(-1234567), OURO_OK);
    assert_int_equal(balance(), 0);
}

static void take_off_too_much(void *arg)
{
    (void)arg;
    (void)ouro_foreign_add(10);
    (void)ouro_foreign_add(-11);
}

static void to_take_off_more_than_there_is_is_named(void **state)
{
    (void)state;
    assert_int_equal(kit_failure_of(take_off_too_much, NULL), OURO_FAIL_MISUSE);
}

static void the_balance_does_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(ouro_foreign_add(PTRDIFF_MAX), OURO_OK);
    assert_int_equal(ouro_foreign_add(PTRDIFF_MAX), OURO_NO_MEMORY);
    assert_int_equal(ouro_foreign_add(1), OURO_NO_MEMORY);
    assert_true(balance() == PTRDIFF_MAX);
    assert_int_equal(ouro_foreign_add(-PTRDIFF_MAX), OURO_OK);
    assert_int_equal(balance(), 0);
}

/* -- the limit --------------------------------------------------------------------------------- */

static unsigned asked;
static size_t cached; /* foreign bytes that the callback can do without */

static bool give_up_cached(size_t bytes, void *arg)
{
    (void)bytes;
    (void)arg;
    asked++;
    if (cached == 0)
        return false;
    KIT_CHECK(ouro_foreign_add(-(ptrdiff_t)cached) == OURO_OK);
    cached = 0;
    return true;
}

#define LIMIT ((size_t)64 << 20)

static void the_limit_counts_them(void **state)
{
    (void)state;
    ouro_decref(leaf_new(1));
    ouro_set_limit(LIMIT, give_up_cached, NULL);
    asked = 0;
    assert_int_equal(ouro_foreign_add((ptrdiff_t)LIMIT + 1), OURO_NO_MEMORY);
    assert_int_equal(asked, 1);
    assert_int_equal(balance(), 0);
    assert_int_equal(ouro_foreign_add(PTRDIFF_MAX), OURO_NO_MEMORY);
    cached = (size_t)40 << 20;
    assert_int_equal(ouro_foreign_add((ptrdiff_t)cached), OURO_OK);
    assert_int_equal(ouro_foreign_add((ptrdiff_t)LIMIT / 2), OURO_OK); /* in their place */
    assert_int_equal(balance(), LIMIT / 2);
    assert_null(ouro_malloc(LIMIT / 2 + 1)); /* blocks stay within what is left */
    void *block = ouro_malloc(LIMIT / 4);
    assert_non_null(block);
    ouro_free(block);
    ouro_set_limit(0, NULL, NULL);
    assert_int_equal(ouro_foreign_add(-(ptrdiff_t)LIMIT / 2), OURO_OK);
}

/* -- the trigger ------------------------------------------------------------------------------- */

#define TEXTURE ((size_t)1 << 20)

static void texture_goes(struct hooked *dying)
{
    (void)dying;
    KIT_CHECK(ouro_foreign_add(-(ptrdiff_t)TEXTURE) == OURO_OK);
}

/* A few dozen bytes that keep a megabyte, and themselves. */
static ouro_status make_texture(void)
{
    struct hooked *h = hooked_new(1);
    ouro_status status = ouro_foreign_add((ptrdiff_t)TEXTURE);
    if (status != OURO_OK)
        kit_on_destroy = NULL;
    ouro_slot_copy(h, (void **)&h->a, h);
    ouro_decref(h);
    return status;
}

static void garbage_with_foreign_bytes_is_collected_in_time(void **state)
{
    (void)state;
    if (OURO_TSAN && KIT_ATOMIC)
        skip();
    kit_on_destroy = texture_goes;
    uint64_t most = 0;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(make_texture(), OURO_OK);
        if (balance() > most)
            most = balance();
    }
    assert_true(most <= (uint64_t)70 << 20); /* collect_bytes: 64 MiB */
    ouro_collect(NULL);
    assert_int_equal(balance(), 0);
}

static void garbage_is_collected_before_they_are_refused(void **state)
{
    (void)state;
    if (OURO_TSAN && KIT_ATOMIC)
        skip();
    kit_on_destroy = texture_goes;
    ouro_set_limit((size_t)20 << 20, NULL, NULL);
    for (int i = 0; i < 200; i++)
        assert_int_equal(make_texture(), OURO_OK);
    ouro_set_limit(0, NULL, NULL);
    ouro_collect(NULL);
    assert_int_equal(balance(), 0);
}

/* -- of objects -------------------------------------------------------------------------------- */

static void bytes_of_an_object_go_when_it_dies(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    assert_int_equal(ouro_foreign_bytes(leaf, 1000), OURO_OK);
    assert_int_equal(ouro_foreign_bytes(leaf, 5000), OURO_OK);
    assert_int_equal(balance(), 5000);
    assert_int_equal(ouro_foreign_bytes(leaf, 300), OURO_OK);
    assert_int_equal(balance(), 300);
    ouro_decref(leaf);
    assert_int_equal(balance(), 0);
    leaf = leaf_new(2);
    assert_int_equal(ouro_foreign_bytes(leaf, 0), OURO_OK);
    assert_int_equal(ouro_foreign_bytes(leaf, 10), OURO_OK);
    assert_int_equal(ouro_foreign_bytes(leaf, 0), OURO_OK);
    assert_int_equal(balance(), 0);
    ouro_decref(leaf);
    assert_int_equal(kit_destroyed, 2);
    assert_int_equal(ouro_foreign_bytes(NULL, 1), OURO_BAD_ARGUMENT);
}

static void so_they_do_in_a_collection_and_beside_weak_handles(void **state)
{
    (void)state;
    if (OURO_TSAN && KIT_ATOMIC)
        skip();
    struct node *plain = kit_ring(4);
    struct hooked *h = hooked_new(1);
    ouro_slot_copy(h, (void **)&h->a, h);
    struct ouro_weak *weak = ouro_weak_new(h);
    assert_int_equal(ouro_foreign_bytes(plain, 700), OURO_OK);
    assert_int_equal(ouro_foreign_bytes(plain->a, 50), OURO_OK);
    assert_int_equal(ouro_foreign_bytes(h, 6000), OURO_OK);
    kit_touch(plain);
    ouro_decref(h);
    assert_int_equal(balance(), 6750);
    assert_int_equal(ouro_collect(NULL), 5);
    assert_int_equal(balance(), 0);
    assert_null(ouro_weak_upgrade(weak));
    ouro_weak_decref(weak);
}

static void refused_bytes_of_an_object_change_nothing(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    ouro_set_limit(LIMIT, NULL, NULL);
    assert_int_equal(ouro_foreign_bytes(leaf, LIMIT), OURO_NO_MEMORY);
    assert_true(KIT_ATOMIC || ouro_is_unique(leaf));
    assert_int_equal(ouro_foreign_bytes(leaf, 100), OURO_OK);
    assert_int_equal(ouro_foreign_bytes(leaf, LIMIT), OURO_NO_MEMORY);
    assert_int_equal(ouro_foreign_bytes(leaf, SIZE_MAX), OURO_NO_MEMORY);
    assert_int_equal(balance(), 100);
    ouro_set_limit(0, NULL, NULL);
    struct leaf *other = leaf_new(2);
    ouro_fail_nth_alloc(1, true);
    assert_int_equal(ouro_foreign_bytes(other, 100), OURO_NO_MEMORY);
    ouro_fail_nth_alloc(0, false);
    assert_int_equal(balance(), 100);
    ouro_decref(leaf);
    ouro_decref(other);
    assert_int_equal(balance(), 0);
}

static void declare_of_gone(void *arg)
{
    (void)arg;
    struct leaf *leaf = leaf_new(1);
    ouro_decref(leaf);
    (void)ouro_foreign_bytes(leaf, 1);
}

static void bytes_of_what_is_gone_are_named(void **state)
{
    (void)state;
    if (!heapcheck_can_walk())
        skip();
    assert_int_equal(kit_failure_of(declare_of_gone, NULL), OURO_FAIL_USE_AFTER_FREE);
}

static void report(void *arg)
{
    (void)arg;
    ouro_report_leaks();
}

static void reports_tell_them_by_type(void **state)
{
    (void)state;
    if (!heapcheck_can_walk())
        skip();
    struct leaf *a = leaf_new(1), *b = leaf_new(2), *c = leaf_new(3);
    assert_int_equal(ouro_foreign_bytes(a, 1000), OURO_OK);
    assert_int_equal(ouro_foreign_bytes(c, 24), OURO_OK);
    assert_int_equal(ouro_foreign_add(500), OURO_OK);
    const char *text = kit_stderr_of(report, NULL);
    assert_non_null(strstr(text, "ouro: alive: 3 objects of type leaf, "));
    assert_non_null(strstr(text, " bytes, and 1024 foreign bytes\n"));
    assert_non_null(strstr(text, "ouro: foreign: 1524 bytes\n"));
    assert_int_equal(ouro_foreign_add(-500), OURO_OK);
    ouro_decref(a);
    ouro_decref(b);
    ouro_decref(c);
}

static void many_objects_may_have_some(void **state)
{
    (void)state;
    enum { N = 20000 };
    static struct leaf *all[N];
    size_t n = kit_scaled(N);
    for (size_t i = 0; i < n; i++) {
        all[i] = leaf_new((int64_t)i);
        assert_int_equal(ouro_foreign_bytes(all[i], i + 1), OURO_OK);
    }
    assert_int_equal(balance(), n * (n + 1) / 2);
    for (size_t i = 0; i < n; i++)
        ouro_decref(all[i]);
    assert_int_equal(balance(), 0);
}

/* -- threads ----------------------------------------------------------------------------------- */

static void *declare_and_drop(void *arg)
{
    struct leaf *shared = arg;
    for (size_t i = 0, n = kit_scaled(20000); i < n; i++) {
        struct leaf *mine = ouro_new_biased(&leaf_type, sizeof *mine);
        KIT_CHECK(mine != NULL && ouro_foreign_bytes(mine, 100 + i % 50) == OURO_OK);
        KIT_CHECK(ouro_foreign_bytes(shared, i % 1000) == OURO_OK);
        KIT_CHECK(ouro_foreign_add(10) == OURO_OK && ouro_foreign_add(-10) == OURO_OK);
        ouro_decref_biased(mine);
    }
    return NULL;
}

static void threads_may_declare_at_once(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_RC == OURO_RC_LOCAL)
        skip();
    struct leaf *shared = ouro_new_biased(&leaf_type, sizeof *shared);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        KIT_CHECK(pthread_create(&threads[i], NULL, declare_and_drop, shared) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_true(balance() < 1000);
    ouro_decref_biased(shared);
    assert_int_equal(balance(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(the_balance_is_in_the_statistics),
        kit_test(to_take_off_more_than_there_is_is_named),
        kit_test(the_balance_does_not_overflow),
        kit_test(the_limit_counts_them),
        kit_test(garbage_with_foreign_bytes_is_collected_in_time),
        kit_test(garbage_is_collected_before_they_are_refused),
        kit_test(bytes_of_an_object_go_when_it_dies),
        kit_test(so_they_do_in_a_collection_and_beside_weak_handles),
        kit_test(refused_bytes_of_an_object_change_nothing),
        kit_test(bytes_of_what_is_gone_are_named),
        kit_test(reports_tell_them_by_type),
        kit_test(many_objects_may_have_some),
        kit_test(threads_may_declare_at_once),
    };
    return kit_run(tests);
}
