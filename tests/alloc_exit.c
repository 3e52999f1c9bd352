/* SPDX-License-Identifier: MIT */
/* White-box: looks at the states of heaps. What threads do in the last of their destructors, when
 * their heaps are gone. */
#include "alloc_check.h"
#include "alloc/stats.h"
#include <pthread.h>

/* POSIX promises four rounds of destructors, and glibc makes no more. ThreadSanitizer takes itself
 * apart in the last. */
enum { ROUNDS = OURO_TSAN ? 3 : 4 };

static pthread_key_t key;
static void (*in_round)(int round, void *arg);

static void destroy(void *arg)
{
    static OURO_THREAD_LOCAL int round;
    in_round(++round, arg);
    if (round < ROUNDS)
        pthread_setspecific(key, arg);
}

static void *touch_and_end(void *arg)
{
    ouro_free(ouro_malloc(10));
    pthread_setspecific(key, arg);
    return NULL;
}

static void run_thread(void (*act)(int, void *), void *arg)
{
    pthread_t thread;
    in_round = act;
    assert_int_equal(pthread_create(&thread, NULL, touch_and_end, arg), 0);
    pthread_join(thread, NULL);
}

static size_t heaps_that_nobody_leaves(void)
{
    size_t n = 0;
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap)
        n += &heap->pub != ouro__context.heap && heap->state != OURO__HEAP_ABANDONED;
    return n;
}

static void free_in_the_last(int round, void *arg)
{
    if (round == ROUNDS)
        ouro_free(arg);
}

static void a_free_in_the_last_round_keeps_no_heap(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        run_thread(free_in_the_last, ouro_malloc(100));
    assert_int_equal(heaps_that_nobody_leaves(), 0);
}

static void allocate_in_the_last(int round, void *arg)
{
    if (round == ROUNDS)
        *(void **)arg = ouro_malloc(100);
}

static void an_allocation_in_the_last_round_keeps_no_heap(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        void *p = NULL;
        run_thread(allocate_in_the_last, &p);
        assert_non_null(p);
        ouro_free(p);
    }
    assert_int_equal(heaps_that_nobody_leaves(), 0);
}

static void tend_in_the_last(int round, void *arg)
{
    (void)arg;
    struct ouro_stats stats;
    if (round < ROUNDS)
        return;
    ouro_stats_get(&stats);
    ouro_trim();
    ouro_fail_nth_alloc(1, true);
}

static void trim_and_figures_in_the_last_round_keep_no_heap(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        run_thread(tend_in_the_last, state);
    assert_int_equal(heaps_that_nobody_leaves(), 0);
}

static void allocate_in_each(int round, void *arg)
{
    ((void **)arg)[round - 1] = ouro_malloc(100 * (size_t)round);
}

static void ask_for_too_much(int round, void *arg)
{
    (void)arg;
    void *p = ouro_malloc(round == ROUNDS ? 9 * MIB : 100);
    ouro_free(p);
}

static int depth, deepest;

static bool allocate_inside(size_t bytes, void *arg)
{
    (void)arg;
    (void)bytes;
    deepest = ++depth > deepest ? depth : deepest;
    if (depth < 100)
        ouro_free(ouro_malloc(9 * MIB));
    depth--;
    return false;
}

static void a_callback_is_not_called_for_its_own_refusals_there_either(void **state)
{
    (void)state;
    ouro_set_limit(8 * MIB, allocate_inside, NULL);
    run_thread(ask_for_too_much, &depth);
    ouro_set_limit(0, NULL, NULL);
    assert_int_equal(deepest, 1);
}

/* Many pages in the heap that is borrowed must not make each late allocation slow. */
static void blocks_of_late_rounds_are_whole_and_go_back(void **state)
{
    (void)state;
    void *blocks[ROUNDS] = {NULL};
    run_thread(allocate_in_each, blocks);
    for (int i = 0; i < ROUNDS; i++) {
        assert_non_null(blocks[i]);
        fill(blocks[i], 100 * (size_t)(i + 1));
    }
    for (int i = 0; i < ROUNDS; i++) {
        assert_true(is_filled(blocks[i], 100 * (size_t)(i + 1)));
        ouro_free(blocks[i]);
    }
    ouro_trim();
    ouro_trim();
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    assert_int_equal(stats.raw.blocks, 0);
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap)
        assert_int_equal(check_heap(heap), 0);
}

static int make_key(void **state)
{
    int bad = use_mmap(state);
    ouro_free(ouro_malloc(1)); /* Ouro's key comes first, so its destructor does */
    return bad || pthread_key_create(&key, destroy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_in_the_last_round_keeps_no_heap),
        cmocka_unit_test(an_allocation_in_the_last_round_keeps_no_heap),
        cmocka_unit_test(trim_and_figures_in_the_last_round_keep_no_heap),
        cmocka_unit_test(a_callback_is_not_called_for_its_own_refusals_there_either),
        cmocka_unit_test(blocks_of_late_rounds_are_whole_and_go_back),
    };
    return cmocka_run_group_tests(tests, make_key, NULL);
}
