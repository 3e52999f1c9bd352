/* SPDX-License-Identifier: MIT */
/* The limit where every block comes from elsewhere, and takes its time to come. */
#include "alloc_util.h"
#include <pthread.h>

static void *slow_block(size_t size, size_t align)
{
    usleep(50000);
    return ouro_supply_system.block(size, align);
}

static void *take(void *arg)
{
    (void)arg;
    return ouro_malloc(600 * KIB);
}

static void threads_do_not_pass_the_limit_together(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    ouro_set_limit(MIB, NULL, NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take, NULL), 0);
    int taken = 0;
    for (int i = 0; i < THREADS; i++) {
        void *p = NULL;
        pthread_join(threads[i], &p);
        taken += p != NULL;
        ouro_free(p);
    }
    assert_int_equal(taken, 1);
    void *p = ouro_malloc(1000 * KIB); /* nothing refused is still counted */
    assert_non_null(p);
    ouro_free(p);
    ouro_set_limit(0, NULL, NULL);
}

static int use_slow(void **state)
{
    static struct ouro_supply slow;
    (void)state;
    slow = ouro_supply_system;
    slow.block = slow_block;
    return ouro_supply_use(&slow) == OURO_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_pass_the_limit_together),
    };
    return cmocka_run_group_tests(tests, use_slow, NULL);
}
