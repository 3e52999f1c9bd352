/* SPDX-License-Identifier: MIT */
/* start_kit.h: threads of tests that must be there. White-box: includes orc_kit.h. */
#ifndef OURO_TESTS_START_KIT_H
#define OURO_TESTS_START_KIT_H

#include "orc_kit.h"

#include <pthread.h>

static inline pthread_t start(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    KIT_CHECK(pthread_create(&thread, NULL, fn, arg) == 0);
    return thread;
}

static inline void *end_of(pthread_t thread)
{
    void *result;
    KIT_CHECK(pthread_join(thread, &result) == 0);
    return result;
}

#endif
