/* SPDX-License-Identifier: MIT */
/* fork while threads allocate; use before main and after exit handlers. */
#include "alloc_util.h"
#include "alloc/atomic.h"
#include <pthread.h>

/* -- before main, after main ------------------------------------------------------------------- */

static void *made_before_main;

__attribute__((constructor(101))) static void before_main(void)
{
    ouro_supply_use(&ouro_supply_mmap); /* a tool's malloc need not know about fork */
    made_before_main = ouro_malloc(1000);
    fill(made_before_main, 1000);
}

__attribute__((destructor(101))) static void after_everything(void)
{
    void *p = ouro_malloc(5000);
    ouro_free(p);
    ouro_free(made_before_main);
}

static void in_exit_handler(void)
{
    void *p = ouro_malloc(100);
    if (!p || !is_filled(made_before_main, 1000))
        _exit(99);
    ouro_free(p);
}

static void a_block_made_before_main_is_whole(void **state)
{
    (void)state;
    assert_true(is_filled(made_before_main, 1000));
    assert_int_equal(atexit(in_exit_handler), 0);
}

/* -- fork -------------------------------------------------------------------------------------- */

static ouro_word stop, exchange[64];

static void *allocate_until_stopped(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    while (!ouro__load_acquire(&stop)) {
        size_t size = random_size(&seed) + 1;
        void *p = ouro_malloc(size);
        memset(p, 1, size < 64 ? size : 64);
        ouro_free((void *)ouro__exchange_full(&exchange[next_random(&seed) % 64], (ouro_word)p));
    }
    return NULL;
}

static void *child_thread(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    for (int i = 0; i < 200; i++) {
        size_t size = random_size(&seed) + 1;
        char *p = ouro_malloc(size);
        if (!p)
            return arg;
        p[0] = p[size - 1] = 1;
        ouro_free(p);
    }
    return NULL;
}

/* Everything that a child may want, blocks of the parent's threads included. */
static void live_as_child(void **kept, int n)
{
    alarm(20);
    for (int i = 0; i < n; i++) {
        if (!is_filled(kept[i], 100))
            end_child(10);
        ouro_free(kept[i]);
    }
    for (int i = 0; i < 64; i++)
        ouro_free((void *)exchange[i]);
    if (child_thread((void *)7))
        end_child(11);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        if (pthread_create(&threads[i], NULL, child_thread, (void *)(uintptr_t)(i + 1)))
            end_child(12);
    }
    for (int i = 0; i < 3; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        if (failed)
            end_child(13);
    }
    ouro_trim();
    pid_t grandchild = fork();
    if (grandchild == 0)
        end_child(child_thread((void *)9) ? 14 : 0);
    int status = -1;
    waitpid(grandchild, &status, 0);
    end_child(ended_well(status) ? 0 : 15);
}

static void children_of_fork_live_while_the_parents_threads_allocate(void **state)
{
    (void)state;
    if (OURO_TSAN || OURO_EMULATED)
        skip(); /* they do not follow children that start threads */
    if (OURO_ASAN)
        skip(); /* blocks are its own then, and its locks do not survive the fork */
    enum { THREADS = 3, KEPT = 200 };
    pthread_t threads[THREADS];
    void *kept[KEPT];
    for (int i = 0; i < KEPT; i++) {
        kept[i] = ouro_malloc(100);
        fill(kept[i], 100);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, allocate_until_stopped, (void *)(uintptr_t)(i + 1));
    int forks = is_slow() ? 10 : 50;
    for (int i = 0; i < forks; i++) {
        for (int j = 0; j < KEPT; j++)
            assert_true(is_filled(kept[j], 100));
        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
            live_as_child(kept, KEPT);
        assert_true(child > 0);
        int status = -1;
        waitpid(child, &status, 0);
        if (!ended_well(status))
            fail_msg("child %d: status %x", i, status);
    }
    ouro__store_release(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < KEPT; i++)
        ouro_free(kept[i]);
    for (int i = 0; i < 64; i++)
        ouro_free((void *)exchange[i]);
}

/* The child allocates with its parent's first touch not over. */
static void *first_touch(void *arg)
{
    (void)arg;
    ouro_free(ouro_malloc(1));
    return NULL;
}

static void fork_beside_a_thread_that_ends(void **state)
{
    (void)state;
    if (OURO_TSAN)
        skip();
    for (int i = 0; i < 30; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, first_touch, NULL), 0);
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            end_child(child_thread((void *)5) ? 1 : 0);
        }
        int status = -1;
        waitpid(child, &status, 0);
        assert_true(ended_well(status));
        pthread_join(thread, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_made_before_main_is_whole),
        cmocka_unit_test(children_of_fork_live_while_the_parents_threads_allocate),
        cmocka_unit_test(fork_beside_a_thread_that_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
