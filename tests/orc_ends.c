/* SPDX-License-Identifier: MIT */
/* Threads that end while functions of theirs own something, or the library is at something
 * (docs/edges.md). White-box: see orc_kit.h. */
#include "jumps.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

void middle_owned(void *object, void (*next)(void *), void *arg);

/* -- hooks and collections that a thread left by ending ---------------------------------------- */

/* 1 has 2 and 3; or a ring of 1 and 2. */
static OURO_NOINLINE struct hooked *a_few(bool ring)
{
    struct hooked *root = hooked_new(1);
    root->a = hooked_new(2);
    if (ring) {
        root->a->a = root;
        kit_touch(root);
    } else {
        root->b = hooked_new(3);
    }
    return root;
}

static void *jump_and_end(void *arg)
{
    struct hooked *root = a_few(arg != NULL);
    if (setjmp(place) == 0) {
        if (arg)
            ouro_collect(NULL);
        else
            ouro_decref(root);
    }
    return NULL; /* without unwinding */
}

static void the_end_of_a_thread_finishes_what_was_left(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    leaver = 2;
    for (int way = 0; way < (KIT_ATOMIC ? 1 : 2); way++) { /* merged garbage waits for others */
        kit_destroyed = 0;
        kit_on_destroy = leave_if_it_is_him;
        pthread_t thread;
        KIT_CHECK(pthread_create(&thread, NULL, jump_and_end, way ? &place : NULL) == 0);
        pthread_join(thread, NULL);
        assert_int_equal(kit_destroyed, way ? 2 : 3);
        assert_int_equal(heapcheck_count(&hooked_type), 0);
    }
}

static void exit_from_a_hook(struct hooked *dying)
{
    if (dying->id == 2)
        pthread_exit(NULL);
}

static void a_thread_may_end_in_a_hook(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    kit_on_destroy = exit_from_a_hook;
    pthread_t thread;
    KIT_CHECK(pthread_create(&thread, NULL, jump_and_end, NULL) == 0);
    pthread_join(thread, NULL);
    assert_int_equal(kit_destroyed, 3);
    assert_int_equal(heapcheck_count(&hooked_type), 0);
}

/* -- frames ------------------------------------------------------------------------------------ */

static void *end_with_frames(void *arg)
{
    KIT_CHECK(ouro_frame_own(hooked_new(1)) == OURO_OK);
    if (arg)
        pthread_exit(NULL);
    return NULL;
}

static void a_thread_that_ends_releases_its_frames(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    for (int way = 0; way < 2; way++) {
        pthread_t thread;
        KIT_CHECK(pthread_create(&thread, NULL, end_with_frames, way ? &place : NULL) == 0);
        pthread_join(thread, NULL);
        assert_int_equal(kit_destroyed, way + 1);
    }
}

/* -- values of functions that a thread left by ending ------------------------------------------ */

static unsigned whole, spoilt; /* tokens that were destroyed with their bytes, and without */

struct token {
    uint64_t number;
};
#define TOKEN ((struct token){0x746f6b656e})
static void token_destroy(void *value, const struct ouro_type *type)
{
    (void)type;
    if (((struct token *)value)->number == TOKEN.number)
        whole++;
    else
        spoilt++;
}
static struct ouro_type token_type = {
    .size = sizeof(struct token), .name = "token", .hooks = {.destroy = token_destroy}};

static void own(struct token *token)
{
    *token = TOKEN;
    KIT_CHECK(ouro_frame_own_value(token, &token_type) == OURO_OK);
}

static void return_now(void)
{
}
static void exit_now(void)
{
    pthread_exit(NULL);
}
static void be_cancelled(void)
{
    pthread_cancel(pthread_self());
    pause();
}

/* Tokens all over the stack, and a reference beside each. */
static OURO_NOINLINE void own_tokens(int depth, void (*leave_by)(void))
{
    struct token tokens[300];
    for (size_t i = 0; i < 300; i++)
        own(&tokens[i]);
    KIT_CHECK(ouro_frame_own(leaf_new(depth)) == OURO_OK);
    if (depth > 1)
        own_tokens(depth - 1, leave_by);
    else
        leave_by();
    KIT_CHECK(tokens[299].number == TOKEN.number); /* so there is something to come back to */
}

static void *own_here(void (*leave_by)(void))
{
    struct token tokens[300]; /* nearest to the stack's end, where destructors run */
    for (size_t i = 0; i < 300; i++)
        own(&tokens[i]);
    own_tokens(5, leave_by);
    return (void *)(uintptr_t)tokens[299].number;
}
static void *end_by_return(void *arg)
{
    own_here(return_now);
    return arg;
}
static void *end_by_exit(void *arg)
{
    own_here(exit_now);
    return arg;
}
static void *end_by_cancelling(void *arg)
{
    own_here(be_cancelled);
    return arg;
}

struct start {
    void *(*fn)(void *);
    void *arg;
};
static void start_and_join(void *arg)
{
    struct start *start = arg;
    pthread_t thread;
    KIT_CHECK(pthread_create(&thread, NULL, start->fn, start->arg) == 0);
    pthread_join(thread, NULL);
}

#define LOST "ouro: a thread ended: a value of a function that was jumped over is lost\n"

static void variables_of_functions_that_a_thread_left_are_lost_and_named(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_ASAN)
        skip(); /* there variables are elsewhere */
    void *(*const ways[])(void *) = {end_by_return, end_by_exit, end_by_cancelling};
    whole = spoilt = 0;
    for (unsigned i = 0; i < 3; i++) {
        struct start start = {ways[i], NULL};
        assert_string_equal(kit_stderr_of(start_and_join, &start), LOST);
        assert_int_equal(whole + spoilt, 0);
        assert_int_equal(kit_destroyed, 5 * (i + 1));
    }
}

static struct token fixed;
static OURO_THREAD_LOCAL struct token of_thread;

static void *own_elsewhere(void *arg)
{
    own(arg);
    own(&fixed);
    own(&of_thread); /* glibc has it on the thread's stack */
    return NULL;
}

static void values_that_are_not_on_the_stack_are_destroyed_as_a_thread_ends(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    static char stack[2 * 1024 * 1024] __attribute__((aligned(4096)));
    whole = spoilt = 0;
    struct start start = {own_elsewhere, malloc(sizeof(struct token))};
    assert_string_equal(kit_stderr_of(start_and_join, &start), "");
    assert_int_equal(whole, 3);
    pthread_attr_t attr; /* on a stack of the program's own, too */
    pthread_t thread;
    pthread_attr_init(&attr);
    KIT_CHECK(pthread_attr_setstack(&attr, stack, sizeof stack) == 0);
    KIT_CHECK(pthread_create(&thread, &attr, own_elsewhere, start.arg) == 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    assert_int_equal(whole, 6);
    assert_int_equal(spoilt, 0);
    free(start.arg);
}

/* The first thread, which the system started. It is not joined: in the child of a fork that may
 * never return with musl 1.2.3. */
static void *wait_for_the_first(void *arg)
{
    for (int i = 0; i < 10000 && __atomic_load_n(&whole, __ATOMIC_ACQUIRE) == 0; i++)
        usleep(1000);
    KIT_CHECK(whole == 1 && spoilt == 0); /* it was owned first, and goes last */
    kit_child_ends(arg != NULL);
}

static void the_first_thread_may_end_too(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_ASAN || OURO_TSAN || ouro__on_valgrind())
        skip(); /* valgrind has that stack where the system does not tell */
    whole = spoilt = 0;
    pid_t child = kit_fork();
    if (child == 0) {
        pthread_t other;
        KIT_CHECK(pthread_create(&other, NULL, wait_for_the_first, NULL) == 0);
        own(&of_thread);
        end_by_exit(NULL);
    }
    assert_int_equal(kit_wait(child), 0);
}

/* -- clean-up ---------------------------------------------------------------------------------- */

static void *exit_through_an_owned_variable(void *held)
{
    void *leaf = leaf_new(1);
    *(void **)held = leaf;
    ouro_incref(leaf);
    KIT_CHECK(ouro_frame_own(leaf) == OURO_OK);
    middle_owned(leaf, pthread_exit, NULL);
    return NULL;
}

/* glibc unwinds a thread that ends; musl does not. A frame is told by neither: its thread's end
 * is. */
static void an_owned_variable_is_dropped_where_the_end_of_a_thread_unwinds(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
#ifdef __GLIBC__
    const bool unwinds = OURO_TEST_EXCEPTIONS;
#else
    const bool unwinds = false;
#endif
    void *leaf;
    struct start start = {exit_through_an_owned_variable, &leaf};
    start_and_join(&start);
    assert_int_equal(kit_destroyed, unwinds);
    if (!unwinds)
        ouro_decref(leaf);
}

static ouro_word destroyed_then;
static void unwind_to_mark(void *arg)
{
    ouro_frame_unwind(arg);
    destroyed_then = ouro__load(&kit_destroyed);
}

static void *exit_under_a_handler(void *arg)
{
    KIT_CHECK(ouro_frame_own(leaf_new(1)) == OURO_OK);
    struct ouro_mark here = ouro_frame_mark();
    pthread_cleanup_push(unwind_to_mark, &here);
    KIT_CHECK(ouro_frame_own(leaf_new(2)) == OURO_OK);
    pthread_exit(arg);
    pthread_cleanup_pop(0);
    return NULL;
}

static void a_clean_up_handler_may_unwind(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    struct start start = {exit_under_a_handler, NULL};
    start_and_join(&start);
    assert_int_equal(destroyed_then, 1);
    assert_int_equal(kit_destroyed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(the_end_of_a_thread_finishes_what_was_left),
        kit_test(a_thread_may_end_in_a_hook),
        kit_test(a_thread_that_ends_releases_its_frames),
        kit_test(variables_of_functions_that_a_thread_left_are_lost_and_named),
        kit_test(values_that_are_not_on_the_stack_are_destroyed_as_a_thread_ends),
        kit_test(the_first_thread_may_end_too),
        kit_test(an_owned_variable_is_dropped_where_the_end_of_a_thread_unwinds),
        kit_test(a_clean_up_handler_may_unwind),
    };
    return kit_run(tests);
}
