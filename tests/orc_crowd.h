/* SPDX-License-Identifier: MIT */
/* orc_crowd.h: for tests of free-running threads: every object that was born dies once. White-box:
 * counts what is alive. */
#ifndef OURO_TESTS_ORC_CROWD_H
#define OURO_TESTS_ORC_CROWD_H

#include "orc_kit.h"

#include <pthread.h>

static inline void run_threads(unsigned n, void *(*body)(void *), void *args, size_t arg_size)
{
    pthread_t threads[64];
    KIT_CHECK(n <= 64);
    for (unsigned i = 0; i < n; i++)
        KIT_CHECK(pthread_create(&threads[i], NULL, body, (char *)args + i * arg_size) == 0);
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static ouro_word expected_hooks; /* objects born */

static inline struct hooked *born(int64_t id)
{
    ouro__fetch_add_full(&expected_hooks, 1);
    return hooked_new(id);
}

static inline void everything_died_once(void)
{
    (void)heapcheck_alive();
    if (kit_alone()) {
        ouro_collect(NULL);
        assert_int_equal(kit_destroyed, expected_hooks);
    }
    assert_true(kit_destroyed <= expected_hooks);
    expected_hooks = kit_destroyed = 0;
}

#endif
