/* SPDX-License-Identifier: MIT */
/* doc_readme.c: the example of README.md, literally, run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* clang-format off */
/* [example] */
#include <ouro.h>

struct node { struct node *next; };
extern struct ouro_type node_type;
static const struct ouro_field fields[] = {OURO_REF(struct node, next, &node_type)};
struct ouro_type node_type = OURO_TYPE(struct node, fields);

static size_t make_a_ring_and_drop_it(void)
{
    struct node *a = OURO_NEW(struct node, &node_type); /* a and b count 1 */
    struct node *b = OURO_NEW(struct node, &node_type);
    ouro_slot_store(a, (void **)&a->next, b); /* b's reference moves into a */
    ouro_slot_copy(b, (void **)&b->next, a);  /* b refers to a: it counts 2 */
    ouro_decref(a);                           /* nobody has the ring any more */
    return ouro_collect(NULL);                /* 2: both are gone */
}
/* [example] */
/* clang-format on */

static void a_ring_that_nobody_has_is_collected(void **state)
{
    (void)state;
    assert_int_equal(make_a_ring_and_drop_it(), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_ring_that_nobody_has_is_collected)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
