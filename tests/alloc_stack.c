/* SPDX-License-Identifier: MIT */
/* White-box: asks os.h where the stack lies that a thread runs on, and libc the same. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "again.h"
#include "alloc/os.h"
#include "alloc_check.h"
#include <pthread.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

/* Whether variables of this function, and all between them and the stack's end, are in there. */
static bool holds_this_frame(uintptr_t low, uintptr_t high)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    return here >= low && here < high;
}

static void the_first_stack_is_where_the_system_put_it(void **state)
{
    (void)state;
    uintptr_t low, high;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_STACK, &limit), 0);
    errno = 77;
    assert_true(ouro__os_stack(&low, &high));
    assert_int_equal(errno, 77);
    assert_true(holds_this_frame(low, high));
    char **last = environ;
    while (*last)
        last++;
    assert_true((uintptr_t)last < high); /* what the kernel put there is a part of it */
    if (limit.rlim_cur != RLIM_INFINITY)
        assert_int_equal(high - low, limit.rlim_cur);
    pthread_attr_t about;
    void *start = NULL;
    size_t size = 0;
    assert_int_equal(pthread_getattr_np(pthread_self(), &about), 0);
    pthread_attr_getstack(&about, &start, &size);
    pthread_attr_destroy(&about);
    uintptr_t theirs = (uintptr_t)start + size;
    assert_true((high > theirs ? high - theirs : theirs - high) <= (uintptr_t)256 << 10);
}

static void *ask(void *arg)
{
    (void)arg;
    uintptr_t low, high;
    pthread_attr_t about;
    void *start = NULL;
    size_t size = 0;
    bool told = ouro__os_stack(&low, &high);
    if (!told || pthread_getattr_np(pthread_self(), &about) != 0)
        return "nothing was told";
    pthread_attr_getstack(&about, &start, &size);
    pthread_attr_destroy(&about);
    if (!holds_this_frame(low, high))
        return "not this stack";
    return low == (uintptr_t)start && high == low + size ? NULL : "other bounds than libc's";
}

static void a_later_thread_has_a_stack_of_its_own(void **state)
{
    (void)state;
    pthread_t thread;
    void *wrong = "not run";
    assert_int_equal(pthread_create(&thread, NULL, ask, NULL), 0);
    pthread_join(thread, &wrong);
    assert_null(wrong);
}

/* There the thread is the first and only one, and runs on the stack of one that is not. */
static void *ask_in_a_child(void *arg)
{
    pid_t child = fork();
    if (child == 0)
        _exit(ask(arg) ? 1 : 0);
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? NULL : "child";
}

static void a_threads_child_knows_that_stack(void **state)
{
    (void)state;
    pthread_t thread;
    void *wrong = "not run";
    assert_int_equal(pthread_create(&thread, NULL, ask_in_a_child, NULL), 0);
    pthread_join(thread, &wrong);
    assert_null(wrong);
}

static const char *program;

static void a_stack_without_a_limit_is_known(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_STACK, &limit), 0);
    if (limit.rlim_max != RLIM_INFINITY)
        skip();
    pid_t child = fork();
    if (child == 0) {
        limit.rlim_cur = RLIM_INFINITY;
        if (setrlimit(RLIMIT_STACK, &limit) == 0)
            exec_again(program, "unlimited");
        _exit(9);
    }
    int status = -1;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
}

/* Where addresses are not random, what is mapped lies close below the first stack: within the
 * limit, if that was raised after the start. */
#define RAISED  ((rlim_t)1 << 30)
#define REFUSED 77

static int raise_and_ask(void)
{
    struct rlimit limit;
    pthread_t thread;
    void *wrong = "not run";
    if (getrlimit(RLIMIT_STACK, &limit) != 0)
        return REFUSED;
    limit.rlim_cur = RAISED;
    if (setrlimit(RLIMIT_STACK, &limit) != 0)
        return REFUSED;
    if (pthread_create(&thread, NULL, ask, NULL) != 0 || pthread_join(thread, &wrong) != 0)
        return 9;
    return wrong ? 1 : 0;
}

static void a_raised_limit_makes_no_later_stack_the_first(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        int was = personality(0xFFFFFFFF);
        if (was == -1 || personality((unsigned long)was | ADDR_NO_RANDOMIZE) == -1)
            _exit(REFUSED);
        exec_again(program, "raised");
        _exit(9);
    }
    int status = -1;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == REFUSED)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc > 1 && strcmp(argv[1], "raised") == 0)
        return raise_and_ask();
    if (argc > 1) {
        uintptr_t low, high;
        return ouro__os_stack(&low, &high) && holds_this_frame(low, high) ? 0 : 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_stack_is_where_the_system_put_it),
        cmocka_unit_test(a_later_thread_has_a_stack_of_its_own),
        cmocka_unit_test(a_threads_child_knows_that_stack),
        cmocka_unit_test(a_stack_without_a_limit_is_known),
        cmocka_unit_test(a_raised_limit_makes_no_later_stack_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
