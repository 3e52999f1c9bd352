/* SPDX-License-Identifier: MIT */
/* What C functions own, and what becomes of it: at their end, at a longjmp over them before and
 * after unwinding. At the end of a thread: orc_ends.c. White-box: see orc_kit.h. */
#include "orc_kit.h"

#include <pthread.h>
#include <setjmp.h>
#include <string.h>

static jmp_buf place;

/* -- frames ------------------------------------------------------------------------------------ */

static void a_frame_releases_newest_first(void **state)
{
    (void)state;
    struct ouro_frame outer = ouro_frame_begin();
    assert_int_equal(ouro_frame_own(hooked_new(1)), OURO_OK);
    struct ouro_frame inner = ouro_frame_begin();
    for (int64_t i = 2; i <= 5; i++)
        assert_int_equal(ouro_frame_own(hooked_new(i)), OURO_OK);
    assert_int_equal(ouro_frame_own(NULL), OURO_OK);
    ouro_frame_end(inner);
    assert_int_equal(kit_destroyed, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(kit_log[i], 5 - i);
    ouro_frame_end(outer);
    ouro_frame_end(outer); /* nothing is left */
    assert_int_equal(kit_destroyed, 5);
}

static void a_place_of_a_frame_holds_one_after_the_other(void **state)
{
    (void)state;
    struct ouro_frame frame = ouro_frame_begin();
    assert_int_equal(ouro_frame_own(NULL), OURO_OK);
    for (int64_t i = 1; i <= 100; i++)
        ouro_decref(ouro_frame_exchange(frame, 0, hooked_new(i)));
    assert_int_equal(kit_destroyed, 99);
    ouro_frame_end(frame);
    assert_int_equal(kit_destroyed, 100);
}

static void a_cancelled_frame_releases_nothing(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    struct ouro_frame frame = ouro_frame_begin();
    assert_int_equal(ouro_frame_own(leaf), OURO_OK);
    ouro_frame_cancel(frame);
    assert_int_equal(kit_destroyed, 0);
    ouro_decref(leaf);
}

static void frames_own_values_too(void **state)
{
    (void)state;
    ouro_string s = {0, NULL};
    ouro_seq seq = {0, NULL};
    void *leaf = leaf_new(1);
    assert_int_equal(ouro_string_make(&s, "abc", 3), OURO_OK);
    assert_int_equal(ouro_seq_push(&seq, &ouro_ref_type, &leaf), OURO_OK);
    struct ouro_frame frame = ouro_frame_begin();
    assert_int_equal(ouro_frame_own_value(&s, &ouro_string_type), OURO_OK);
    static const struct ouro_field fields[] = {
        {.name = "all", .kind = OURO_FIELD_SEQ, .type = &ouro_ref_type}};
    static struct ouro_type all = {
        .size = sizeof(ouro_seq), .name = "all", .fields = fields, .field_count = 1};
    assert_int_equal(ouro_type_register(&all, NULL), OURO_OK);
    assert_int_equal(ouro_frame_own_value(&seq, &all), OURO_OK);
    ouro_frame_end(frame);
    assert_int_equal(kit_destroyed, 1);
}

static void a_frame_that_finds_no_memory_leaves_the_caller_its_reference(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    struct ouro_frame frame = ouro_frame_begin();
    size_t owned = 0;
    ouro_fail_nth_alloc(1, true);
    while (ouro_frame_own(leaf) == OURO_OK && owned < 10000) {
        ouro_incref(leaf);
        owned++;
    }
    ouro_fail_nth_alloc(0, false);
    assert_true(owned < 10000);
    assert_int_equal(ouro_count(leaf), owned + 1);
    assert_int_equal(ouro_frame_own(leaf), OURO_OK); /* there is again */
    ouro_frame_end(frame);
    assert_int_equal(kit_destroyed, 1);
}

static struct node *owned_until_the_block_ends(int way)
{
    for (int i = 0; i < 2; i++) {
        OURO_OWNED struct leaf *leaf = leaf_new(i);
        OURO_OWNED struct leaf *none = NULL;
        (void)none;
        if (way == 1)
            continue;
        if (way == 2)
            break;
        if (way == 3)
            return NULL;
        (void)leaf;
    }
    return NULL;
}

static void an_owned_variable_is_dropped_where_its_block_ends(void **state)
{
    (void)state;
    static const size_t dropped[] = {2, 4, 5, 6};
    for (int way = 0; way < 4; way++) {
        owned_until_the_block_ends(way);
        assert_int_equal(kit_destroyed, dropped[way]);
    }
}

/* -- jumps ------------------------------------------------------------------------------------- */

static volatile bool jumps = true;

static OURO_NOINLINE void own_and_jump(int depth, struct ouro_mark *mark, bool unwind_first)
{
    ouro_string name = {0, NULL};
    KIT_CHECK(ouro_frame_own(hooked_new(depth)) == OURO_OK);
    if (unwind_first) {
        KIT_CHECK(ouro_string_make(&name, "long enough to be a block", 25) == OURO_OK);
        KIT_CHECK(ouro_frame_own_value(&name, &ouro_string_type) == OURO_OK);
    }
    if (depth > 1)
        own_and_jump(depth - 1, mark, unwind_first);
    if (unwind_first)
        ouro_frame_unwind(mark);
    if (jumps)
        longjmp(place, 1);
}

static void a_jump_releases_what_the_left_functions_owned(void **state)
{
    (void)state;
    for (volatile int way = 0; way < 2; way++) {
        kit_destroyed = 0;
        struct ouro_frame frame = ouro_frame_begin();
        assert_int_equal(ouro_frame_own(hooked_new(100)), OURO_OK);
        struct ouro_mark mark = ouro_frame_mark();
        if (setjmp(place) == 0)
            own_and_jump(20, &mark, way);
        else
            ouro_frame_unwind(&mark); /* the second time it has nothing to do */
        assert_int_equal(kit_destroyed, 20);
        for (int i = 0; i < 20; i++)
            assert_int_equal(kit_log[i], i + 1);
        ouro_frame_end(frame);
        assert_int_equal(kit_destroyed, 21);
    }
}

static struct ouro_mark nested;

static OURO_NOINLINE void jump_twice(void)
{
    jmp_buf outer;
    memcpy(&outer, &place, sizeof outer);
    KIT_CHECK(ouro_frame_own(hooked_new(1)) == OURO_OK);
    struct ouro_mark mark = ouro_frame_mark();
    KIT_CHECK(ouro_frame_own(hooked_new(2)) == OURO_OK);
    if (setjmp(place) == 0)
        longjmp(place, 1);
    ouro_frame_unwind(&mark);
    KIT_CHECK(kit_destroyed == 1);
    memcpy(&place, &outer, sizeof outer);
    longjmp(place, 1);
}

static void unwinding_goes_as_far_as_the_mark(void **state)
{
    (void)state;
    nested = ouro_frame_mark();
    if (setjmp(place) == 0)
        jump_twice();
    ouro_frame_unwind(&nested);
    assert_int_equal(kit_destroyed, 2);
}

static void parks_and_pauses_end_with_what_made_them(void **state)
{
    (void)state;
    ouro_collect_pause();
    struct ouro_mark mark = ouro_frame_mark();
    if (setjmp(place) == 0) {
        ouro_collect_pause();
        ouro_park();
        ouro_park();
        longjmp(place, 1);
    }
    ouro_frame_unwind(&mark);
    assert_int_equal(ouro__self->park_depth, 0);
    assert_int_equal(ouro__self->state, OURO__RUNNING);
    assert_int_equal(ouro__self->visited.paused, 1);
    ouro_collect_resume();
}

/* -- misuse ------------------------------------------------------------------------------------ */

static struct ouro_mark shared_mark;

static void make_mark(void *arg)
{
    (void)arg;
    shared_mark = ouro_frame_mark();
}
static void unwind_to_shared(void *arg)
{
    (void)arg;
    ouro_frame_unwind(&shared_mark);
}
static void unwind_of_another_thread(void *arg)
{
    (void)arg;
    ouro_decref(leaf_new(1));
    kit_elsewhere(make_mark, NULL);
    ouro_frame_unwind(&shared_mark);
}
static void unwind_unattached(void *arg)
{
    (void)arg;
    make_mark(NULL);
    kit_elsewhere(unwind_to_shared, NULL);
}
static void unwind_of_before_a_detach(void *arg)
{
    (void)arg;
    make_mark(NULL);
    ouro_thread_detach();
    ouro_decref(leaf_new(1));
    ouro_frame_unwind(&shared_mark);
}
static void unwind_too_late(void *arg)
{
    (void)arg;
    struct ouro_frame frame = ouro_frame_begin();
    KIT_CHECK(ouro_frame_own(leaf_new(1)) == OURO_OK);
    make_mark(NULL);
    ouro_frame_end(frame);
    ouro_frame_unwind(&shared_mark);
}

static OURO_NOINLINE void own_a_variable_and_jump(void)
{
    ouro_string name = {0, NULL};
    KIT_CHECK(ouro_string_make(&name, "x", 1) == OURO_OK);
    KIT_CHECK(ouro_frame_own_value(&name, &ouro_string_type) == OURO_OK);
    longjmp(place, 1);
}
static void lose_a_variable(void *arg)
{
    (void)arg;
    struct ouro_mark mark = ouro_frame_mark();
    if (setjmp(place) == 0)
        own_a_variable_and_jump();
    ouro_frame_unwind(&mark);
}

static void bad_marks_are_named(void **state)
{
    (void)state;
    if (OURO_THREADS && !OURO_TSAN) {
        assert_int_equal(kit_failure_of(unwind_of_another_thread, NULL), OURO_FAIL_MISUSE);
        assert_int_equal(kit_failure_of(unwind_unattached, NULL), OURO_FAIL_MISUSE);
    }
    assert_int_equal(kit_failure_of(unwind_of_before_a_detach, NULL), OURO_FAIL_MISUSE);
    assert_int_equal(kit_failure_of(unwind_too_late, NULL), OURO_FAIL_MISUSE);
}

static void a_variable_that_was_jumped_over_is_named(void **state)
{
    (void)state;
    if (OURO_ASAN)
        skip(); /* there variables are elsewhere */
    assert_int_equal(kit_failure_of(lose_a_variable, NULL), OURO_FAIL_MISUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_frame_releases_newest_first),
        kit_test(a_place_of_a_frame_holds_one_after_the_other),
        kit_test(a_cancelled_frame_releases_nothing),
        kit_test(frames_own_values_too),
        kit_test(a_frame_that_finds_no_memory_leaves_the_caller_its_reference),
        kit_test(an_owned_variable_is_dropped_where_its_block_ends),
        kit_test(a_jump_releases_what_the_left_functions_owned),
        kit_test(unwinding_goes_as_far_as_the_mark),
        kit_test(parks_and_pauses_end_with_what_made_them),
        kit_test(bad_marks_are_named),
        kit_test(a_variable_that_was_jumped_over_is_named),
    };
    return kit_run(tests);
}
