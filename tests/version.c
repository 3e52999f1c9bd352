/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ouro.h"

static void the_linked_version_is_the_compiled_one(void **state)
{
    (void)state;
    assert_string_equal(ouro_version(), OURO_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_linked_version_is_the_compiled_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
