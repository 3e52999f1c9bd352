/* SPDX-License-Identifier: MIT */
/* White-box: looks at heaps and the arena when all is quiet. Blocks that change threads, threads
 * that come and go. */
#include "alloc/raw.h"
#include "alloc_check.h"
#include <pthread.h>
#include <sched.h>

static size_t used_now(void)
{
    struct ouro_stats figures;
    ouro_stats_get(&figures);
    return figures.used;
}

/* After trim with no other thread running, only what is live is used. */
static void all_is_given_back(void)
{
    ouro_trim();
    ouro_trim();
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap) {
        assert_int_equal(check_heap(heap), 0);
        assert_null(heap->all);
        assert_int_equal(heap->remote, 0);
        for (unsigned i = 0; i < OURO__BATCHES; i++)
            assert_int_equal(heap->batches[i].count, 0);
    }
    check_arena();
    assert_int_equal(used_now(), 0);
}

static pthread_t start(void *(*body)(void *), void *arg)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, body, arg), 0);
    return thread;
}

/* -- a ring of blocks between two threads ------------------------------------------------------ */

enum { RING = 4096 };
static ouro_word ring[RING];
static size_t to_send;

static void *consume(void *arg)
{
    for (size_t i = 0; i < to_send; i++) {
        ouro_word p;
        while ((p = ouro__load_acquire(&ring[i % RING])) == 0)
            sched_yield();
        ouro__store_release(&ring[i % RING], 0);
        if (!is_filled((void *)p, 40))
            *(int *)arg = 1;
        if (i % 2)
            ouro_free((void *)p);
        else
            ouro_free_sized((void *)p, 40);
    }
    return NULL;
}

static void memory_stays_flat_when_one_thread_allocates_and_another_frees(void **state)
{
    (void)state;
    int spoiled = 0;
    to_send = is_slow() ? 200000 : 3000000;
    pthread_t consumer = start(consume, &spoiled);
    size_t most = 0;
    for (size_t i = 0; i < to_send; i++) {
        void *p = ouro_alloc_sized(40);
        assert_non_null(p);
        fill(p, 40);
        while (ouro__load_acquire(&ring[i % RING]) != 0)
            sched_yield();
        ouro__store_release(&ring[i % RING], (ouro_word)p);
        if (i % 4096 == 0 && used_now() > most)
            most = used_now();
    }
    pthread_join(consumer, NULL);
    assert_int_equal(spoiled, 0);
    assert_true(most <= 2 * MIB); /* 4096 blocks of 48 bytes are under way, and the batches */
    all_is_given_back();
}

/* -- many threads ------------------------------------------------------------------------------ */

struct share {
    void **blocks;
    size_t count;
    uint64_t seed;
};

static void *allocate_share(void *arg)
{
    struct share *share = arg;
    for (size_t i = 0; i < share->count; i++) {
        size_t size = random_size(&share->seed) % 5000 + 8;
        share->blocks[i] = ouro_malloc(size);
        *(size_t *)share->blocks[i] = size;
        memset((char *)share->blocks[i] + 8, mark_of(share->blocks[i], size), size - 8);
    }
    return NULL;
}

static int share_is_whole(const void *p)
{
    size_t size = *(const size_t *)p;
    for (size_t i = 8; i < size; i++) {
        if (((const unsigned char *)p)[i] != mark_of(p, size))
            return 0;
    }
    return 1;
}

static void a_hundred_threads_allocate_and_end_and_the_main_thread_frees_all(void **state)
{
    (void)state;
    enum { THREADS = 100, EACH = 300 };
    static void *blocks[THREADS][EACH];
    static struct share shares[THREADS];
    pthread_t threads[THREADS];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < THREADS; i++) {
            shares[i] = (struct share){blocks[i], EACH, (uint64_t)(i + 1) * 1000003};
            threads[i] = start(allocate_share, &shares[i]);
        }
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        for (int j = 0; j < EACH; j++) {
            for (int i = 0; i < THREADS; i++) {
                assert_true(share_is_whole(blocks[i][j]));
                ouro_free(blocks[i][j]);
            }
        }
        all_is_given_back();
    }
}

static void *free_share(void *arg)
{
    struct share *share = arg;
    for (size_t i = 0; i < share->count; i++) {
        if (!share_is_whole(share->blocks[i]))
            return share;
        ouro_free(share->blocks[i]);
    }
    return NULL;
}

static void threads_that_only_free_hand_everything_over(void **state)
{
    (void)state;
    enum { EACH = 20000 };
    static void *blocks[EACH];
    for (int round = 0; round < 10; round++) {
        struct share share = {blocks, EACH, (uint64_t)round + 1};
        allocate_share(&share);
        void *spoiled = NULL;
        pthread_join(start(free_share, &share), &spoiled);
        assert_null(spoiled);
        all_is_given_back();
    }
}

static void *touch(void *arg)
{
    (void)arg;
    void *p[50];
    for (int i = 0; i < 50; i++)
        p[i] = ouro_malloc(16 + 40 * (size_t)i);
    for (int i = 0; i < 50; i++)
        ouro_free(p[i]);
    return NULL;
}

static void thousands_of_threads_one_after_another_cost_one_heap(void **state)
{
    (void)state;
    pthread_join(start(touch, NULL), NULL);
    size_t heaps = 0, after = 0, used = used_now(), before = resident();
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap)
        heaps++;
    for (int i = 0; i < (is_slow() ? 300 : 8000); i++)
        pthread_join(start(touch, NULL), NULL);
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap)
        after++;
    assert_int_equal(after, heaps);
    assert_true(used_now() <= used + 4 * MIB);
    if (!is_slow())
        assert_true(resident() < before + 4 * MIB);
    all_is_given_back();
}

/* -- threads that end while others free to them ------------------------------------------------ */

enum { HUBS = 256 };
static ouro_word hub[HUBS]; /* blocks on offer to anybody */

static void *swap_and_end(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    size_t steps = next_random(&seed) % 2000;
    for (size_t i = 0; i < steps; i++) {
        void *p = NULL;
        if (next_random(&seed) % 8) {
            size_t size = random_size(&seed) % 3000 + 8;
            p = ouro_malloc(size);
            *(size_t *)p = size;
            memset((char *)p + 8, mark_of(p, size), size - 8);
        }
        void *other = (void *)ouro__exchange_full(&hub[next_random(&seed) % HUBS], (ouro_word)p);
        if (other && !share_is_whole(other))
            return other;
        ouro_free(other);
    }
    return NULL;
}

static void threads_may_end_while_others_free_to_them(void **state)
{
    (void)state;
    enum { AT_ONCE = 8 };
    pthread_t threads[AT_ONCE];
    int n = is_slow() ? 300 : 3000;
    for (int i = 0; i < n + AT_ONCE; i++) {
        void *spoiled = NULL;
        if (i >= AT_ONCE)
            pthread_join(threads[i % AT_ONCE], &spoiled);
        assert_null(spoiled);
        if (i < n)
            threads[i % AT_ONCE] = start(swap_and_end, (void *)(uintptr_t)(i * 2654435761u + 1));
        if (i % 100 == 50)
            ouro_trim();
    }
    for (int i = 0; i < HUBS; i++) {
        ouro_free((void *)hub[i]);
        hub[i] = 0;
    }
    all_is_given_back();
}

static void blocks_of_a_heap_taken_over_are_freed_by_anyone(void **state)
{
    (void)state;
    enum { EACH = 4000 };
    static void *first[EACH], *second[EACH];
    struct share a = {first, EACH, 3}, b = {second, EACH, 4};
    pthread_join(start(allocate_share, &a), NULL);
    pthread_join(start(allocate_share, &b), NULL); /* takes the first one's heap over */
    for (int i = 0; i < EACH; i += 2)
        ouro_free(first[i]);
    struct share rest = {second, EACH, 0};
    void *spoiled = NULL;
    pthread_join(start(free_share, &rest), &spoiled);
    assert_null(spoiled);
    for (int i = 1; i < EACH; i += 2) {
        assert_true(share_is_whole(first[i]));
        ouro_free(first[i]);
    }
    all_is_given_back();
}

static void *set_faults_and_end(void *arg)
{
    (void)arg;
    ouro_fail_nth_alloc(1, true);
    return ouro_malloc(10);
}

static void injected_faults_end_with_their_thread(void **state)
{
    (void)state;
    void *p = NULL;
    pthread_join(start(set_faults_and_end, NULL), &p);
    assert_null(p);
    for (int i = 0; i < 3; i++) {
        static void *blocks[10];
        struct share share = {blocks, 10, 9};
        void *spoiled = NULL;
        pthread_join(start(allocate_share, &share), NULL);
        pthread_join(start(free_share, &share), &spoiled);
        assert_null(spoiled);
    }
    all_is_given_back();
}

/* -- destructors ------------------------------------------------------------------------------- */

static pthread_key_t keys[3];
static int rounds_done;

/* Allocates and frees in every round that the system grants, before and after Ouro's own key. */
static void late(void *arg)
{
    static OURO_THREAD_LOCAL int rounds;
    void **kept = arg;
    for (int i = 0; i < 100; i++) {
        void *p = ouro_malloc(100), *q = ouro_alloc_sized(64);
        if (p && q) {
            fill(p, 100);
            ouro_free(kept[i]);
            kept[i] = p;
            ouro_free_sized(q, 64);
        }
    }
    if (++rounds < (OURO_TSAN ? 6 : 12)) /* it takes itself apart in the last round */
        pthread_setspecific(keys[rounds % 3], arg);
    rounds_done = rounds;
}

static void *end_late(void *arg)
{
    ouro_free(ouro_malloc(10));
    for (int i = 0; i < 3; i++)
        pthread_setspecific(keys[i], arg);
    return NULL;
}

static void threads_allocate_and_free_in_destructors_of_every_round(void **state)
{
    (void)state;
    static void *kept[100];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_key_create(&keys[i], late), 0);
    for (int i = 0; i < 50; i++)
        pthread_join(start(end_late, kept), NULL);
    assert_true(rounds_done >= 3);
    for (int i = 0; i < 100; i++) {
        assert_true(is_filled(kept[i], 100));
        ouro_free(kept[i]);
        kept[i] = NULL;
    }
    for (int i = 0; i < 3; i++)
        pthread_key_delete(keys[i]);
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap)
        assert_true(&heap->pub == ouro__context.heap || heap->state == OURO__HEAP_ABANDONED);
    all_is_given_back();
}

/* -- blocks of others that a thread gives out again -------------------------------------------- */

enum { KEPT_SIZE = 256, LENT = 4096 };
static void *lent[LENT];

static void *lend(void *arg)
{
    for (size_t i = 0; i < LENT; i++)
        lent[i] = ouro_malloc(KEPT_SIZE);
    return arg;
}

static bool is_lent(const void *p)
{
    for (size_t i = 0; i < LENT; i++) {
        if (lent[i] == p)
            return true;
    }
    return false;
}

static void what_a_thread_freed_of_others_it_gives_out_next(void **state)
{
    (void)state;
    void *own = ouro_malloc(KEPT_SIZE);
    if (ouro__context.heap->watched) /* as in the checked library: then each goes home */
        skip();
    pthread_join(start(lend, NULL), NULL);
    ouro_free(lent[7]);
    void *again = ouro_malloc(KEPT_SIZE);
    assert_ptr_equal(again, lent[7]);
    for (size_t i = 0; i < LENT; i++)
        ouro_free(lent[i]);
    ouro_free(own);
    all_is_given_back();
}

/* However many it frees: at most what OURO__KEEP_BYTES allow. */
static void what_a_thread_keeps_of_others_is_bounded(void **state)
{
    (void)state;
    void *own = ouro_malloc(KEPT_SIZE);
    if (ouro__context.heap->watched)
        skip();
    pthread_join(start(lend, NULL), NULL);
    for (size_t i = 0; i < LENT; i++)
        ouro_free(lent[i]);
    size_t kept = 0, bound = OURO__KEEP_BYTES / KEPT_SIZE;
    const void *cell = ouro__context.heap->ready[OURO__RAW][ouro__class_of(KEPT_SIZE)];
    for (; cell; cell = *(void *const *)cell)
        kept += is_lent(cell);
    assert_in_range(kept, 1, bound);
    ouro_free(own);
    all_is_given_back();
}

static void *free_all(void *arg)
{
    for (size_t i = 0; i < LENT; i++)
        ouro_free(lent[i]);
    for (unsigned cls = 0; cls < OURO__CLASSES; cls++)
        *(bool *)arg &= ouro__context.heap->ready[OURO__RAW][cls] == NULL;
    return NULL;
}

static void who_takes_no_blocks_keeps_none(void **state)
{
    (void)state;
    bool none = true;
    lend(NULL);
    pthread_join(start(free_all, &none), NULL);
    assert_true(none);
    all_is_given_back();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_thread_freed_of_others_it_gives_out_next),
        cmocka_unit_test(what_a_thread_keeps_of_others_is_bounded),
        cmocka_unit_test(who_takes_no_blocks_keeps_none),
        cmocka_unit_test(memory_stays_flat_when_one_thread_allocates_and_another_frees),
        cmocka_unit_test(a_hundred_threads_allocate_and_end_and_the_main_thread_frees_all),
        cmocka_unit_test(threads_that_only_free_hand_everything_over),
        cmocka_unit_test(thousands_of_threads_one_after_another_cost_one_heap),
        cmocka_unit_test(threads_may_end_while_others_free_to_them),
        cmocka_unit_test(blocks_of_a_heap_taken_over_are_freed_by_anyone),
        cmocka_unit_test(injected_faults_end_with_their_thread),
        cmocka_unit_test(threads_allocate_and_free_in_destructors_of_every_round),
    };
    return cmocka_run_group_tests(tests, use_mmap, NULL);
}
