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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_test_leaves_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
