/* SPDX-License-Identifier: MIT */
/* cmocka.c: the runner of the stand-in for cmocka (cmocka.h). */
#include "cmocka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum outcome { PASSED, FAILED, SKIPPED };

static jmp_buf left;  /* where a test that fails or is skipped goes */
static int in_a_test; /* else there is nowhere to go: fixtures */
static const char *filter;

/* -- saying ------------------------------------------------------------------------------------ */

void print_message(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fflush(stdout);
}

void print_error(const char *format, ...)
{
    va_list args;
    fflush(stdout);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

void ouro_cmocka_say(const char *file, int line, const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* -- assertions -------------------------------------------------------------------------------- */

static void leave(enum outcome outcome) __attribute__((noreturn));
static void leave(enum outcome outcome)
{
    if (!in_a_test) {
        print_error("an assertion outside a test failed\n");
        _Exit(99);
    }
    longjmp(left, (int)outcome);
}

void ouro_cmocka_fail(const char *file, int line)
{
    print_error("%s:%d: failed\n", file, line);
    leave(FAILED);
}

void ouro_cmocka_skip(const char *file, int line)
{
    (void)file;
    (void)line;
    leave(SKIPPED);
}

void ouro_cmocka_true(int holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    ouro_cmocka_say(file, line, "does not hold: %s", what);
    ouro_cmocka_fail(file, line);
}

void ouro_cmocka_integers(uintmax_t a, uintmax_t b, int equal, const char *file, int line)
{
    if ((a == b) == (equal != 0))
        return;
    ouro_cmocka_say(file, line, "%#jx %s %#jx", a, equal ? "is not" : "is", b);
    ouro_cmocka_fail(file, line);
}

void ouro_cmocka_range(uintmax_t v, uintmax_t least, uintmax_t most, const char *file, int line)
{
    if (least <= v && v <= most)
        return;
    ouro_cmocka_say(file, line, "%ju is not in %ju .. %ju", v, least, most);
    ouro_cmocka_fail(file, line);
}

void ouro_cmocka_strings(const char *a, const char *b, int equal, const char *file, int line)
{
    if (a && b && (strcmp(a, b) == 0) == (equal != 0))
        return;
    ouro_cmocka_say(file, line, "\"%s\" %s \"%s\"", a ? a : "(null)", equal ? "is not" : "is",
                    b ? b : "(null)");
    ouro_cmocka_fail(file, line);
}

void ouro_cmocka_bytes(const void *a, const void *b, size_t n, int equal, const char *file,
                       int line)
{
    const unsigned char *x = a, *y = b;
    size_t at = 0;
    while (at < n && x[at] == y[at])
        at++;
    if ((at == n) == (equal != 0))
        return;
    ouro_cmocka_say(file, line, "%zu bytes differ from byte %zu on, or should", n, at);
    ouro_cmocka_fail(file, line);
}

/* -- running ----------------------------------------------------------------------------------- */

void cmocka_set_test_filter(const char *pattern)
{
    filter = pattern;
}

static int matches(const char *pattern, const char *name)
{
    for (; *pattern && *pattern != '*'; pattern++, name++) {
        if (*name == '\0' || (*pattern != '?' && *pattern != *name))
            return 0;
    }
    if (*pattern == '\0')
        return *name == '\0';
    for (;; name++) {
        if (matches(pattern + 1, name))
            return 1;
        if (*name == '\0')
            return 0;
    }
}

/* The test itself; what a longjmp must not take back is not here. */
static enum outcome run_body(const struct CMUnitTest *test, void **state)
{
    in_a_test = 1;
    int outcome = setjmp(left);
    if (outcome == PASSED)
        test->test_func(state);
    in_a_test = 0;
    return (enum outcome)outcome;
}

static enum outcome run_one(const struct CMUnitTest *test, void *shared)
{
    void *state = test->initial_state ? test->initial_state : shared;
    print_message("[ RUN      ] %s\n", test->name);
    enum outcome outcome = FAILED;
    if (!test->setup_func || test->setup_func(&state) == 0)
        outcome = run_body(test, &state);
    if (test->teardown_func && test->teardown_func(&state) != 0)
        outcome = FAILED;
    static const char *const words[] = {"      OK", " FAILED ", " SKIPPED"};
    print_message("[ %s ] %s\n", words[outcome], test->name);
    return outcome;
}

int ouro_cmocka_run(const char *group, const struct CMUnitTest *tests, size_t count,
                    CMFixtureFunction setup, CMFixtureFunction teardown)
{
    int of[3] = {0, 0, 0};
    void *shared = NULL;
    if (setup && setup(&shared) != 0) {
        print_error("%s: the group's setup failed\n", group);
        return (int)count;
    }
    for (size_t i = 0; i < count; i++) {
        if (!filter || matches(filter, tests[i].name))
            of[run_one(&tests[i], shared)]++;
    }
    if (teardown && teardown(&shared) != 0) {
        print_error("%s: the group's teardown failed\n", group);
        of[FAILED]++;
    }
    print_message("[==========] %s: %d passed, %d skipped, %d failed (stand-in for cmocka)\n",
                  group, of[PASSED], of[SKIPPED], of[FAILED]);
    return of[FAILED];
}
