/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ouro.h"

#include <string.h>

static void the_linked_version_is_the_compiled_one(void **state)
{
    (void)state;
    assert_string_equal(ouro_version(), OURO_VERSION);
}

static void another_abi_is_refused_with_a_reason(void **state)
{
    (void)state;
    const char *why = "";
    assert_int_equal(ouro_abi(), OURO_ABI);
    assert_int_equal(ouro_abi_require(OURO_ABI, &why), OURO_OK);
    assert_null(why);
    static const unsigned others[] = {0, OURO_ABI + 1, OURO_ABI - 1, 0xFFFFFFFF};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(ouro_abi_require(others[i], &why), OURO_WRONG_ABI);
        assert_non_null(strstr(why, "ABI 1"));
        assert_int_equal(ouro_abi_require(others[i], NULL), OURO_WRONG_ABI);
    }
    assert_string_equal(ouro_status_name(OURO_WRONG_ABI), "wrong ABI");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_abi_is_refused_with_a_reason),
        cmocka_unit_test(the_linked_version_is_the_compiled_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
