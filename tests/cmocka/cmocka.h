/* SPDX-License-Identifier: MIT */
/* cmocka.h: the part of cmocka that Ouro's tests use, for machines whose cmocka is not at hand: a
 * cross compiler's, and another C library's than the system's (docs/porting.md). Where cmocka is
 * installed it is used, and this is only tested against itself (cmocka_standin.c).
 *
 * Semantics are cmocka's: a failed assertion says where, leaves the test by longjmp and lets the
 * others run; cmocka_run_group_tests returns how many failed; skip() leaves the test as skipped.
 * Assertions are for the thread that runs the tests. No mocks, no report of leaks, no catching of
 * signals: a crash ends the program, and ctest sees it. */
#ifndef OURO_TESTS_CMOCKA_H
#define OURO_TESTS_CMOCKA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    CMFixtureFunction setup_func, teardown_func; /* may be NULL; not 0: the test fails */
    void *initial_state;
};

#define cmocka_unit_test_setup_teardown(f, setup, teardown)                                        \
    {                                                                                              \
#f, f, setup, teardown, NULL                                                               \
    }
#define cmocka_unit_test(f)                    cmocka_unit_test_setup_teardown(f, NULL, NULL)
#define cmocka_unit_test_setup(f, setup)       cmocka_unit_test_setup_teardown(f, setup, NULL)
#define cmocka_unit_test_teardown(f, teardown) cmocka_unit_test_setup_teardown(f, NULL, teardown)

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    ouro_cmocka_run(#tests, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

/* How many of them failed, as the program's exit status; the fixtures of the group may be NULL. */
int ouro_cmocka_run(const char *group, const struct CMUnitTest *tests, size_t count,
                    CMFixtureFunction setup, CMFixtureFunction teardown);
/* Only tests whose whole name matches run from now on: `*` any text, `?` any character; NULL:
 * all. */
void cmocka_set_test_filter(const char *pattern);

void print_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the macros below come to. None but the first returns where the test fails. */
void ouro_cmocka_say(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void ouro_cmocka_fail(const char *file, int line) __attribute__((noreturn));
void ouro_cmocka_skip(const char *file, int line) __attribute__((noreturn));
void ouro_cmocka_true(int holds, const char *what, const char *file, int line);
void ouro_cmocka_integers(uintmax_t a, uintmax_t b, int equal, const char *file, int line);
void ouro_cmocka_range(uintmax_t v, uintmax_t least, uintmax_t most, const char *file, int line);
void ouro_cmocka_strings(const char *a, const char *b, int equal, const char *file, int line);
void ouro_cmocka_bytes(const void *a, const void *b, size_t n, int equal, const char *file,
                       int line);

#define ouro__cmocka_word(v) ((uintmax_t)(v))
#define ouro__cmocka_ptr(p)  ((uintmax_t)(uintptr_t)(p))

#define skip() ouro_cmocka_skip(__FILE__, __LINE__)
#define fail() ouro_cmocka_fail(__FILE__, __LINE__)
#define fail_msg(...)                                                                              \
    do {                                                                                           \
        ouro_cmocka_say(__FILE__, __LINE__, __VA_ARGS__);                                          \
        ouro_cmocka_fail(__FILE__, __LINE__);                                                      \
    } while (0)

#define assert_true(c)     ouro_cmocka_true((c) ? 1 : 0, #c, __FILE__, __LINE__)
#define assert_false(c)    ouro_cmocka_true((c) ? 0 : 1, "not " #c, __FILE__, __LINE__)
#define assert_null(p)     ouro_cmocka_true((p) == NULL, #p " is NULL", __FILE__, __LINE__)
#define assert_non_null(p) ouro_cmocka_true((p) != NULL, #p " is not NULL", __FILE__, __LINE__)
#define assert_int_equal(a, b)                                                                     \
    ouro_cmocka_integers(ouro__cmocka_word(a), ouro__cmocka_word(b), 1, __FILE__, __LINE__)
#define assert_int_not_equal(a, b)                                                                 \
    ouro_cmocka_integers(ouro__cmocka_word(a), ouro__cmocka_word(b), 0, __FILE__, __LINE__)
#define assert_ptr_equal(a, b)                                                                     \
    ouro_cmocka_integers(ouro__cmocka_ptr(a), ouro__cmocka_ptr(b), 1, __FILE__, __LINE__)
#define assert_ptr_not_equal(a, b)                                                                 \
    ouro_cmocka_integers(ouro__cmocka_ptr(a), ouro__cmocka_ptr(b), 0, __FILE__, __LINE__)
#define assert_in_range(v, least, most)                                                            \
    ouro_cmocka_range(ouro__cmocka_word(v), ouro__cmocka_word(least), ouro__cmocka_word(most),     \
                      __FILE__, __LINE__)
#define assert_string_equal(a, b)        ouro_cmocka_strings((a), (b), 1, __FILE__, __LINE__)
#define assert_string_not_equal(a, b)    ouro_cmocka_strings((a), (b), 0, __FILE__, __LINE__)
#define assert_memory_equal(a, b, n)     ouro_cmocka_bytes((a), (b), (n), 1, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, n) ouro_cmocka_bytes((a), (b), (n), 0, __FILE__, __LINE__)

#ifdef __cplusplus
}
#endif

#endif
