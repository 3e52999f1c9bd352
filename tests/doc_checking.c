/* SPDX-License-Identifier: MIT */
/* doc_checking.c: the code of docs/checking.md, literally, run. */
#include "ouro.h"
#include "orc/leak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* clang-format off */
/* [checking_example] */
static size_t leave_a_test(void)
{
    ouro_poll();                     /* what others dropped of ours */
    ouro_collect(NULL);              /* cycles */
    (void)ouro_check_heap();         /* fails by name if something is wrong */
    return ouro_report_leaks();      /* a line a type; 0: nothing is left */
}
/* [checking_example] */
/* [counted] */
/* How many atomic operations `work` needs to count; 0 in the release library, which does not
 * say. */
static uint64_t atomic_counts_of(void (*work)(void *), void *arg)
{
    struct ouro_counted before, after;
    (void)ouro_thread_counted(&before); /* false: the library keeps no such figures */
    work(arg);
    (void)ouro_thread_counted(&after);
    return after.atomic - before.atomic;
}
/* [counted] */
/* clang-format on */

struct pair {
    struct pair *first, *second;
};
static struct ouro_type pair_type;
static const struct ouro_field pair_fields[] = {OURO_REF(struct pair, first, &pair_type),
                                                OURO_REF(struct pair, second, &pair_type)};
static struct ouro_type pair_type = OURO_TYPE(struct pair, pair_fields);

static void a_test_leaves_nothing(void **state)
{
    (void)state;
    struct pair *pair = OURO_NEW(struct pair, &pair_type);
    ouro_slot_copy(pair, (void **)&pair->first, pair);
    ouro_decref(pair);
    assert_int_equal(leave_a_test(), 0);
    static struct pair *volatile kept; /* so that no tool calls it leaked */
    kept = OURO_NEW(struct pair, &pair_type);
    size_t left = leave_a_test();
    assert_int_equal(left, ouro_supply_get()->block ? 0 : 1);
    ouro_decref(kept);
}

static void count_up_and_down(void *pair)
{
    ouro_incref(pair);
    ouro_decref(pair);
}

static void an_owner_needs_no_atomic_counts(void **state)
{
    (void)state;
    struct pair *pair = OURO_NEW(struct pair, &pair_type);
    assert_int_equal(atomic_counts_of(count_up_and_down, pair), 0);
    ouro_decref(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_test_leaves_nothing),
                                       cmocka_unit_test(an_owner_needs_no_atomic_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
