/* SPDX-License-Identifier: MIT */
/* small_stack.h: what must not recurse is run where it could not. */
#ifndef OURO_TESTS_SMALL_STACK_H
#define OURO_TESTS_SMALL_STACK_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

struct small_stack_call {
    void (*fn)(void *);
    void *arg;
};

static void *small_stack_run(void *arg)
{
    struct small_stack_call *call = arg;
    call->fn(call->arg);
    return NULL;
}

/* Runs fn(arg) on a thread with a stack of 64 KiB, or the system's least if that is more (128 KiB
 * on aarch64), or 512 KiB if a tool needs more. */
static inline void small_stack(void (*fn)(void *), void *arg, bool tool)
{
    const size_t usual = 64 << 10, least = PTHREAD_STACK_MIN;
    struct small_stack_call call = {fn, arg};
    pthread_attr_t attr;
    pthread_t thread;
    if (pthread_attr_init(&attr) != 0 ||
        pthread_attr_setstacksize(&attr, tool            ? 512 << 10
                                         : least > usual ? least
                                                         : usual) != 0 ||
        pthread_create(&thread, &attr, small_stack_run, &call) != 0 ||
        pthread_join(thread, NULL) != 0)
        abort();
    pthread_attr_destroy(&attr);
}

#endif
