/* SPDX-License-Identifier: MIT */
/* orc_kit.h: what the tests of orc share. White-box, for it looks at headers. */
#ifndef OURO_TESTS_ORC_KIT_H
#define OURO_TESTS_ORC_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ouro.h"
#include "heapcheck.h"

#include <stdio.h>
#include <stdlib.h>

/* The functions that are not modes' defaults. */
#define KIT_ATOMIC (OURO_THREADS && OURO_RC == OURO_RC_ATOMIC)

/* Two references, nothing written: the collector's plain path. */
struct node {
    struct node *a, *b;
    int64_t id;
};
extern struct ouro_type node_type;

/* The same with a destroy hook that counts, logs, calls kit_on_destroy, and drops the fields. */
struct hooked {
    struct hooked *a, *b;
    int64_t id;
};
extern struct ouro_type hooked_type;

/* A block of bytes, acyclic, with a destroy hook that counts. */
struct leaf {
    int64_t id;
};
extern struct ouro_type leaf_type;

extern ouro_word kit_destroyed;                      /* hooks run since the test began */
extern void (*kit_on_destroy)(struct hooked *dying); /* may be NULL; before the fields go */
extern int64_t kit_log[64];                          /* ids in the order of their hooks */
extern size_t kit_logged;

struct node *node_new(int64_t id);
struct hooked *hooked_new(int64_t id);
struct leaf *leaf_new(int64_t id);

/* Before and after each test: the second fails unless nothing is alive. */
int kit_setup(void **state);
int kit_teardown(void **state);
#define kit_test(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

/* Asserts on any thread: a failed one ends the process. */
#define KIT_CHECK(truth)                                                                           \
    ((truth) ? (void)0 : kit_check_failed(#truth, __FILE__, __LINE__))
OURO_NORETURN void kit_check_failed(const char *truth, const char *file, int line);

/* Runs fn(arg) on a thread with a stack of 64 KiB (more under sanitizers and Valgrind). */
void kit_on_small_stack(void (*fn)(void *), void *arg);
/* Runs fn(arg) in a forked child; the kind of the failure that it reports, -1: none, -2: crash. */
int kit_failure_of(void (*fn)(void *), void *arg);
/* Runs fn(arg) and returns what it wrote to the standard error (in a static buffer). */
const char *kit_stderr_of(void (*fn)(void *), void *arg);

/* A small generator: a seed replays exactly. */
uint64_t kit_random(uint64_t *seed);
/* Bytes that the process has mapped and resident. */
size_t kit_resident(void);
/* How much a test may do: 1, and less under sanitizers and Valgrind. */
size_t kit_scaled(size_t n);
bool kit_instrumented(void);

#endif
