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
#include <sys/types.h>

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

struct node *node_new(int64_t id);
/* A node, or a leaf, that is merged from birth: counted atomically, owned by nobody. The checked
 * library makes such objects of prompt types alone. */
struct node *node_new_merged(int64_t id);
struct leaf *leaf_new_merged(int64_t id);
struct hooked *hooked_new(int64_t id);
struct leaf *leaf_new(int64_t id);
/* A ring of n nodes whose only references are its own; returns one of them (borrowed). */
struct node *kit_ring(size_t n);
/* The same, one of them a candidate: it can be collected. */
struct node *kit_garbage_ring(size_t n);
/* Writes from->a, which was NULL. */
void kit_link(struct node *from, struct node *to);

/* Before and after each test: the second fails unless nothing is alive. */
int kit_setup(void **state);
int kit_teardown(void **state);
#define kit_test(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

/* The environment's OURO_TEST picks tests by a pattern. */
#define kit_run(tests)                                                                             \
    (cmocka_set_test_filter(getenv("OURO_TEST")), cmocka_run_group_tests(tests, NULL, NULL))

/* Asserts on any thread: a failed one ends the process. */
#define KIT_CHECK(truth) ((truth) ? (void)0 : kit_check_failed(#truth, __FILE__, __LINE__))
OURO_NORETURN void kit_check_failed(const char *truth, const char *file, int line);

/* Runs fn(arg) on a thread with a stack of 64 KiB (more under sanitizers and Valgrind). */
void kit_on_small_stack(void (*fn)(void *), void *arg);
/* A thread that does what it is told, step by step. */
struct kit_other;
struct kit_other *kit_other_start(void);
void kit_other_do(struct kit_other *other, void (*fn)(void *), void *arg); /* returns when done */
void kit_other_begin(struct kit_other *other, void (*fn)(void *), void *arg); /* has it begin .. */
void kit_other_finish(struct kit_other *other); /* .. and returns when that is done */
void kit_other_end(struct kit_other *other);    /* returns when it is gone */
/* Runs fn(arg) on a thread of its own. */
void kit_elsewhere(void (*fn)(void *), void *arg);
/* Things to be told to do. */
void kit_poll(void *arg);
void kit_park(void *arg);
void kit_unpark(void *arg);
void kit_incref(void *object);
void kit_decref(void *object);
void kit_touch(void *object); /* makes it a candidate */
void kit_collect(void *arg);

/* Runs fn(arg) in a forked child; the kind of the failure that it reports, -1: none, -2: crash. */
int kit_failure_of(void (*fn)(void *), void *arg);
/* fork; how a child ends, saying a number; what it said, -2: it did not come to that. */
pid_t kit_fork(void);
OURO_NORETURN void kit_child_ends(int status);
int kit_wait(pid_t child);
/* Runs fn(arg) and returns what it wrote to the standard error (in a static buffer). */
const char *kit_stderr_of(void (*fn)(void *), void *arg);

/* Waits until threads that were joined are gone from the kernel's books too, for the collector asks
 * there whether it is alone; false: it will not be (TSan has a thread of its own). */
bool kit_alone(void);

/* The seed in OURO_TEST_SEED, or the usual one; says it. */
uint64_t kit_seed(uint64_t usual);
/* A small generator: a seed replays exactly. */
uint64_t kit_random(uint64_t *seed);
/* Bytes that the process has mapped and resident. */
size_t kit_resident(void);
/* How much a test may do: 1, and less under sanitizers, Valgrind and an emulator. */
size_t kit_scaled(size_t n);
bool kit_instrumented(void);

#endif
