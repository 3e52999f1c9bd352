/* SPDX-License-Identifier: MIT */
/* doc_cycles.c: the code of docs/cycles.md, literally, run. */
#include "ouro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* clang-format off */
/* [cycle_example] */
struct person {
    struct person *friend;
};
static struct ouro_type person_type;
static const struct ouro_field person_fields[] = {OURO_REF(struct person, friend, &person_type)};
static struct ouro_type person_type = OURO_TYPE(struct person, person_fields);

static size_t collect_two_friends(void)
{
    struct person *ann = OURO_NEW(struct person, &person_type);
    struct person *bob = OURO_NEW(struct person, &person_type);
    if (ann == NULL || bob == NULL)
        return 0;
    ouro_slot_copy(ann, (void **)&ann->friend, bob);
    ouro_slot_copy(bob, (void **)&bob->friend, ann);
    ouro_decref(ann);
    ouro_decref(bob); /* now nobody has either, but each has the other */
    return ouro_collect(NULL);
}
/* [cycle_example] */
/* [closing_move] */
/* Gives `child` (owned) to the parent that it refers to: from here on each keeps the other. */
static void adopt(struct person *child)
{
    struct person *parent = child->friend;                   /* borrowed, through the child alone */
    ouro_slot_store(parent, (void **)&parent->friend, child); /* no count goes down: a store tells */
}
/* [closing_move] */
/* clang-format on */

static void a_child_that_is_adopted_is_collected_with_its_parent(void **state)
{
    (void)state;
    struct person *child = OURO_NEW(struct person, &person_type);
    ouro_slot_init(child, (void **)&child->friend, OURO_NEW(struct person, &person_type));
    adopt(child);
    assert_int_equal(ouro_collect(NULL), 2);
}

static void two_friends_that_nobody_has_are_collected(void **state)
{
    (void)state;
    assert_int_equal(collect_two_friends(), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_friends_that_nobody_has_are_collected),
        cmocka_unit_test(a_child_that_is_adopted_is_collected_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
