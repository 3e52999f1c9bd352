/* SPDX-License-Identifier: MIT */
/* White-box: checks the heaps when all is quiet. Threads allocate, resize, exchange and free blocks
 * at random for about a second, each block marked by address and size.
 * alloc_random [SEED]: the same sequence of operations in each thread. */
#include "alloc_check.h"
#include <pthread.h>
#include <time.h>

enum { THREADS = 4, OWN = 500, SHARED = 1024 };

struct block {
    size_t size, align;
    unsigned tag;
};

static ouro_word shared[SHARED];
static ouro_word spoiled;
static uint64_t first_seed = 0x0123456789ABCDEF;
static double seconds = 1.0;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The block's own description stands at its start. */
static void *make(uint64_t *seed)
{
    struct block b = {.size = random_size(seed) + sizeof b, .align = 16};
    b.tag = next_random(seed) % 4 == 0 ? OURO__COUNTED : OURO__RAW;
    if (next_random(seed) % 16 == 0)
        b.align = (size_t)16 << next_random(seed) % 12;
    size_t header = ouro__cell_offset(b.tag);
    char *p = b.size < 500 && b.tag == OURO__RAW && b.align == 16
                  ? ouro_alloc_sized(b.size)
                  : ouro__cell_alloc(b.tag, b.size + header, b.align);
    if (!p)
        return NULL;
    memset(p - header, 0x33, header);
    memcpy(p, &b, sizeof b);
    memset(p + sizeof b, mark_of(p, b.size), b.size - sizeof b);
    return p;
}

static void destroy(void *p)
{
    struct block b;
    if (!p)
        return;
    memcpy(&b, p, sizeof b);
    for (size_t i = sizeof b; i < b.size; i++) {
        if (((unsigned char *)p)[i] != mark_of(p, b.size)) {
            ouro__store(&spoiled, (ouro_word)p);
            return;
        }
    }
    if (b.size < 500 && b.align == 16)
        ouro__cell_give(p, b.tag);
    else
        ouro__cell_free(p, b.tag, b.align);
}

static void *run(void *arg)
{
    uint64_t seed = first_seed + (uint64_t)(uintptr_t)arg * 0x9E3779B97F4A7C15u;
    void *own[OWN] = {NULL};
    double end = now() + seconds;
    for (size_t i = 1; i % 1024 || now() < end; i++) {
        uint64_t r = next_random(&seed) >> 10;
        void **slot = &own[r / 16 % OWN];
        if (r % 16 < 10) {
            destroy(*slot);
            *slot = make(&seed);
        } else if (r % 16 < 15) {
            *slot = (void *)ouro__exchange_full(&shared[r / 16 % SHARED], (ouro_word)*slot);
        } else if (r % 4096 == 15) {
            ouro_trim();
        } else if (r % 1024 == 31) {
            ouro_fail_nth_alloc(r % 7, false); /* watched for some operations */
        }
    }
    ouro_fail_nth_alloc(0, false);
    for (int i = 0; i < OWN; i++)
        destroy(own[i]);
    return NULL;
}

static void random_operations_on_many_threads_spoil_nothing_and_lose_nothing(void **state)
{
    (void)state;
    printf("seed %llx\n", (unsigned long long)first_seed);
    if (is_slow())
        seconds = 0.5;
    for (int round = 0; round < 2; round++) {
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)(round * THREADS + i));
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < SHARED; i++)
        destroy((void *)shared[i]);
    assert_true(spoiled == 0);
    ouro_trim();
    ouro_trim();
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap)
        assert_int_equal(check_heap(heap), 0);
    check_arena();
    struct ouro_stats figures;
    ouro_stats_get(&figures);
    assert_int_equal(figures.used, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        first_seed = strtoull(argv[1], NULL, 16) | 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_on_many_threads_spoil_nothing_and_lose_nothing),
    };
    return cmocka_run_group_tests(tests, use_mmap, NULL);
}
