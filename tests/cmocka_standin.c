/* SPDX-License-Identifier: MIT */
/* The stand-in for cmocka (cmocka/cmocka.h) tells failed tests from others. Plain: what runs the
 * tests elsewhere is tested without itself. */
#include "cmocka.h"

#include <stdio.h>
#include <string.h>

#define CHECK(truth)                                                                               \
    do {                                                                                           \
        if (!(truth)) {                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #truth);                            \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static int reached, torn_down;

static void true_things_hold(void **state)
{
    (void)state;
    const char *text = "abc";
    assert_true(text);
    assert_false(!text);
    assert_null(NULL);
    assert_non_null(text);
    assert_int_equal(-1, -1);
    assert_int_not_equal(1, 2);
    assert_ptr_equal(text, text);
    assert_ptr_not_equal(text, text + 1);
    assert_in_range(2, 2, 3);
    assert_string_equal(text, "abc");
    assert_string_not_equal(text, "ab");
    assert_memory_equal(text, "abd", 2);
    assert_memory_not_equal(text, "abd", 3);
    reached++;
}

#define WRONG(name, assertion)                                                                     \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        assertion;                                                                                 \
        reached += 100;                                                                            \
    }
WRONG(a_lie, assert_true(0))
WRONG(a_truth, assert_false(1))
WRONG(no_null, assert_null("x"))
WRONG(a_null, assert_non_null(NULL))
WRONG(other_numbers, assert_int_equal(1, -1))
WRONG(same_numbers, assert_int_not_equal(3, 3))
WRONG(other_pointers, assert_ptr_equal("x", NULL))
WRONG(same_pointers, assert_ptr_not_equal(NULL, NULL))
WRONG(too_little, assert_in_range(1, 2, 3))
WRONG(too_much, assert_in_range(4, 2, 3))
WRONG(other_text, assert_string_equal("ab", "abc"))
WRONG(same_text, assert_string_not_equal("ab", "ab"))
WRONG(other_bytes, assert_memory_equal("ab", "ac", 2))
WRONG(same_bytes, assert_memory_not_equal("ab", "ac", 1))
WRONG(said, fail_msg("%d", 1))
WRONG(unsaid, fail())
WRONG(left_out, skip())

static int prepare(void **state)
{
    *state = &reached;
    return 0;
}
static int refuse(void **state)
{
    (void)state;
    return 1;
}
static int tear_down(void **state)
{
    torn_down++;
    return *state == &reached ? 0 : 1;
}
static void sees_what_was_prepared(void **state)
{
    assert_ptr_equal(*state, &reached);
    reached++;
}

int main(void)
{
    const struct CMUnitTest good[] = {
        cmocka_unit_test(true_things_hold),
        cmocka_unit_test(left_out),
        cmocka_unit_test_setup_teardown(sees_what_was_prepared, prepare, tear_down),
    };
    const struct CMUnitTest bad[] = {
        cmocka_unit_test(a_lie),
        cmocka_unit_test(a_truth),
        cmocka_unit_test(no_null),
        cmocka_unit_test(a_null),
        cmocka_unit_test(other_numbers),
        cmocka_unit_test(same_numbers),
        cmocka_unit_test(other_pointers),
        cmocka_unit_test(same_pointers),
        cmocka_unit_test(too_little),
        cmocka_unit_test(too_much),
        cmocka_unit_test(other_text),
        cmocka_unit_test(same_text),
        cmocka_unit_test(other_bytes),
        cmocka_unit_test(same_bytes),
        cmocka_unit_test(said),
        cmocka_unit_test(unsaid),
        cmocka_unit_test(true_things_hold),
        cmocka_unit_test_setup(true_things_hold, refuse),
        cmocka_unit_test_teardown(true_things_hold, refuse),
    };
    CHECK(cmocka_run_group_tests(good, NULL, NULL) == 0);
    CHECK(reached == 2 && torn_down == 1);
    CHECK(cmocka_run_group_tests(bad, NULL, NULL) == 18);
    CHECK(reached == 4); /* true_things_hold without a setup that refuses, twice */
    CHECK(cmocka_run_group_tests(good, refuse, NULL) == 3 && reached == 4);
    CHECK(cmocka_run_group_tests(good, NULL, refuse) == 1 && reached == 6);
    cmocka_set_test_filter("*things_hol?");
    CHECK(cmocka_run_group_tests(good, NULL, NULL) == 0 && reached == 7);
    cmocka_set_test_filter("things");
    CHECK(cmocka_run_group_tests(bad, NULL, NULL) == 0 && reached == 7);
    return 0;
}
