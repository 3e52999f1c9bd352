/* SPDX-License-Identifier: MIT */
/* The jemalloc supply serves Ouro, and leaves the program's malloc alone. */
#define _GNU_SOURCE
#include "alloc_util.h"
#include "alloc/supply_jemalloc.h"
#include <dlfcn.h>
#if OURO_THREADS
#include <pthread.h>
#endif

static int use_jemalloc(void **state)
{
    (void)state;
    return ouro_supply_use(&ouro_supply_jemalloc) == OURO_OK ? 0 : -1;
}

static void blocks_of_every_kind_come_from_it(void **state)
{
    (void)state;
    static const size_t sizes[] = {16, 1000, 40000, 200000, 3000000, 20000000};
    assert_string_equal(ouro_supply_get()->name, "jemalloc");
    for (int round = 0; round < 3; round++) {
        void *p[2 * sizeof sizes / sizeof *sizes];
        size_t n = sizeof sizes / sizeof *sizes;
        for (size_t i = 0; i < n; i++) {
            p[i] = ouro_malloc(sizes[i]);
            p[n + i] = ouro_aligned_alloc((size_t)64 << 4 * i, sizes[i]);
            assert_non_null(p[i]);
            assert_non_null(p[n + i]);
            assert_int_equal((uintptr_t)p[n + i] % ((size_t)64 << 4 * i), 0);
            fill(p[i], sizes[i]);
            fill(p[n + i], sizes[i]);
        }
        for (size_t i = 0; i < 2 * n; i++) {
            assert_true(is_filled(p[i], sizes[i % n]));
            ouro_free(p[i]);
        }
        ouro_trim();
    }
}

static void zeroes_are_zeroes(void **state)
{
    (void)state;
    for (size_t size = 100; size < 64 * MIB; size *= 5) {
        for (int round = 0; round < 3; round++) {
            unsigned char *p = ouro_calloc(1, size);
            assert_non_null(p);
            for (size_t i = 0; i < size; i += 61)
                assert_int_equal(p[i], 0);
            memset(p, 0xFF, size);
            ouro_free(p);
        }
        ouro_trim();
    }
}

static void the_programs_malloc_stays_its_own(void **state)
{
    (void)state;
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    assert_non_null(libc);
    assert_ptr_equal(dlsym(RTLD_DEFAULT, "malloc"), dlsym(libc, "malloc"));
    assert_ptr_equal(dlsym(RTLD_DEFAULT, "free"), dlsym(libc, "free"));
    assert_null(dlsym(RTLD_DEFAULT, "mallocx"));
    assert_null(dlsym(RTLD_DEFAULT, "ouro_je_mallocx"));
    void *theirs = malloc(1000), *ours = ouro_malloc(1000);
    free(theirs);
    ouro_free(ours);
    dlclose(libc);
}

static void memory_goes_back_after_the_delay(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    enum { N = 1000 };
    static void *p[N];
    ouro_trim();
    size_t before = resident();
    for (int i = 0; i < N; i++) {
        p[i] = ouro_malloc(60000);
        memset(p[i], 1, 60000);
    }
    void *huge = ouro_malloc(40 * MIB);
    memset(huge, 1, 40 * MIB);
    assert_true(resident() > before + 90 * MIB);
    for (int i = 0; i < N; i++)
        ouro_free(p[i]);
    ouro_free(huge);
    ouro_trim();
    usleep(400000);
    for (int i = 0; i < 20; i++) /* jemalloc looks at its clock when it is called */
        ouro_free(ouro_malloc(5 * MIB));
    assert_true(resident() < before + 30 * MIB);
}

#if OURO_THREADS
static void *work(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    void *p[50] = {NULL};
    for (int i = 0; i < 20000; i++) {
        int k = (int)(next_random(&seed) % 50);
        ouro_free(p[k]);
        p[k] = ouro_malloc(random_size(&seed));
        if (!p[k])
            return arg;
    }
    for (int k = 0; k < 50; k++)
        ouro_free(p[k]);
    return NULL;
}

static void threads_and_forks_go_with_it(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        pthread_t threads[3];
        for (int i = 0; i < 3; i++)
            pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(round * 3 + i + 1));
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            end_child(work((void *)99) ? 1 : 0);
        }
        int status = -1;
        waitpid(child, &status, 0);
        assert_true(ended_well(status));
        for (int i = 0; i < 3; i++) {
            void *failed = NULL;
            pthread_join(threads[i], &failed);
            assert_null(failed);
        }
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_every_kind_come_from_it),
        cmocka_unit_test(zeroes_are_zeroes),
        cmocka_unit_test(the_programs_malloc_stays_its_own),
        cmocka_unit_test(memory_goes_back_after_the_delay),
#if OURO_THREADS
        cmocka_unit_test(threads_and_forks_go_with_it),
#endif
    };
    return cmocka_run_group_tests(tests, use_jemalloc, NULL);
}
