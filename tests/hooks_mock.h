/* SPDX-License-Identifier: MIT */
/* hooks_mock.h: counted objects for tests of hooks alone. White-box: installs a table of its own
 * where orc installs its. One thread at a time. */
#ifndef OURO_TESTS_HOOKS_MOCK_H
#define OURO_TESTS_HOOKS_MOCK_H

#include "alloc/pool.h"
#include "hooks/refops.h"
#include "hooks/registry.h"
#include "hooks/value.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

struct mock {
    int64_t count;
    int64_t expected; /* for tests that count themselves */
    const struct ouro_type *type;
    size_t size;
    struct mock *next, *before; /* all live ones */
    struct mock *pending;
    struct mock_weak *weak;
};

struct mock_weak {
    int64_t count;
    struct mock *object; /* NULL: gone */
};

/* What happened since the start, or the last reset. */
struct mock_world {
    struct mock *all;
    size_t live, weaks, payloads, born, died, discarded, settled;
    bool untyped; /* type_of answers NULL */
};
extern struct mock_world mock_world;

/* Installs the table; before every test. */
int mock_setup(void **state);
/* Fails unless everything is gone. */
int mock_teardown(void **state);

void *mock_new(struct ouro_type *type);
void mock_drop(void *object);
void *mock_incref(void *object);
int64_t mock_count(const void *object);
void *mock_weak_of(void *object); /* a handle, counted for the caller */
int64_t mock_weak_count(const void *weak);
void mock_weak_drop(void *weak);

OURO_INLINE struct mock *mock_of(const void *object)
{
    return (struct mock *)(uintptr_t)object - 1;
}

/* Makes ouro_string literals. */
ouro_string mock_string(const char *text);

/* Runs fn(arg) on a thread with a stack of 64 KiB (more under sanitizers). */
void mock_on_small_stack(void (*fn)(void *), void *arg);

/* A log of names: hooks append, tests compare. */
void mock_log(const char *name);
void assert_log(const char *expected); /* "a b c"; clears */
void mock_forget_log(void);

/* Calls `attempt` with the first, second, .. allocation failing, once each and for good, until it
 * succeeds with none failing; `attempt` answers the status, and asserts what holds after each. */
void mock_fail_everywhere(ouro_status (*attempt)(void *arg), void *arg);

#endif
