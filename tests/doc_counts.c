/* SPDX-License-Identifier: MIT */
/* doc_counts.c: the code of docs/counts.md, literally, run. */
#include "ouro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* clang-format off */
/* [counts_example] */
struct point {
    int x, y;
};
static struct ouro_type point_type = OURO_PLAIN_TYPE(struct point);

static int count_a_point(void)
{
    struct point *p = OURO_NEW(struct point, &point_type); /* one reference, ours */
    if (p == NULL)
        return -1;
    p->x = 3;
    ouro_incref(p); /* a second one */
    ouro_decref(p);
    int x = p->x;
    ouro_decref(p); /* the last one: p is destroyed */
    return x;
}
/* [counts_example] */
/* clang-format on */

static void a_point_lives_until_its_last_decref(void **state)
{
    (void)state;
    assert_int_equal(count_a_point(), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_point_lives_until_its_last_decref)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
