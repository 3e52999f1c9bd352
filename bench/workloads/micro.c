/* SPDX-License-Identifier: MIT */
/* typed-pair, count-pair: Ouro's shortest paths beside fixed kernels in plain C, in one process,
 * by turns of about a millisecond. touch: the yardstick of absolute figures, an independent random
 * read far beyond the last cache. touch-heap: the same in an array as large as the
 * collector's workloads make their heaps. */
#include "bench/ops.h"
#include "bench/turns.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIFO       1000
#define BLOCK      32
#define NEAR_BYTES ((size_t)128 << 20) /* about the heaps of rings, graph and live */

/* Turns of about a millisecond. */
static double by_turns(struct bench_run *run, bench_turn *ours, bench_turn *kernel)
{
    return bench_by_turns(run, ours, kernel, run->quick ? 100000 : 200000);
}

/* First in, first out: a thousand blocks are taken and written, then given back in that order. */
#define FIFO_LOOP(take, give)                                                                      \
    (void)check;                                                                                   \
    static void *live[FIFO];                                                                       \
    double start = bench_now();                                                                    \
    for (size_t batch = n / FIFO; batch > 0; batch--) {                                            \
        for (size_t i = 0; i < FIFO; i++) {                                                        \
            uint64_t *fresh = (take);                                                              \
            *fresh = i;                                                                            \
            live[i] = fresh;                                                                       \
        }                                                                                          \
        for (size_t i = 0; i < FIFO; i++) {                                                        \
            void *old = live[i];                                                                   \
            give;                                                                                  \
        }                                                                                          \
    }                                                                                              \
    return bench_now() - start;

static double typed_ours(size_t n, uint64_t *check)
{
    FIFO_LOOP(ops_checked(ouro_alloc_sized(BLOCK)), ouro_free_sized(old, BLOCK))
}

/* The fixed kernel: an intrusive free list in a static variable. */
static struct free_block {
    struct free_block *next;
} * kernel_free;

OURO_INLINE void *kernel_take(void)
{
    struct free_block *b = kernel_free;
    if (OURO_LIKELY(b != NULL))
        kernel_free = b->next;
    else
        b = ops_checked(malloc(BLOCK));
    return b;
}
OURO_INLINE void kernel_give(void *p)
{
    struct free_block *b = p;
    b->next = kernel_free;
    kernel_free = b;
}
static double typed_kernel(size_t n, uint64_t *check)
{
    FIFO_LOOP(kernel_take(), kernel_give(old))
}

static double repeat_typed(struct bench_run *run)
{
    return by_turns(run, typed_ours, typed_kernel);
}

struct hot {
    uint64_t count; /* of the kernel */
    uint64_t value;
};
OPS_LEAF(hot)

/* Each count is written and read again; that the object is not NULL is known, as in any code that
 * has used it. */
#define FORGET_MEMORY() __asm__ volatile("" : : : "memory")

static double count_ours(size_t n, uint64_t *check)
{
    (void)check;
    struct hot *p = hot_new();
    double start = bench_now();
    for (size_t i = 0; i < n; i++) {
        FORGET_MEMORY();
        hot_keep(p);
        FORGET_MEMORY();
        hot_drop(p);
    }
    double ns = bench_now() - start;
    hot_drop(p);
    return ns;
}

OURO_NOINLINE static void kernel_destroy(struct hot *p)
{
    free(p);
}
static double count_kernel(size_t n, uint64_t *check)
{
    (void)check;
    struct hot *p = ops_checked(malloc(sizeof *p));
    p->count = 1;
    double start = bench_now();
    for (size_t i = 0; i < n; i++) {
        FORGET_MEMORY();
        p->count++;
        FORGET_MEMORY();
        if (OURO_UNLIKELY(--p->count == 0))
            kernel_destroy(p);
    }
    double ns = bench_now() - start;
    kernel_destroy(p);
    return ns;
}

static double repeat_count(struct bench_run *run)
{
    return by_turns(run, count_ours, count_kernel);
}

struct touched {
    const uint64_t *words;
    uint32_t lines;
};

/* Twice the last cache, at least a gibibyte, at most a third of the memory; a power of two. */
static size_t far_bytes(const struct bench_run *run)
{
    size_t memory = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    size_t bytes = run->quick ? NEAR_BYTES : (size_t)1 << 30;
    while (!run->quick && cache > 0 && bytes < 2 * (size_t)cache)
        bytes *= 2;
    while (bytes > memory / 3)
        bytes /= 2;
    return bytes;
}

static void setup_bytes(struct bench_run *run, size_t bytes)
{
    static struct touched t;
    uint64_t *words = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (words == MAP_FAILED)
        bench_die("no memory to touch");
    madvise(words, bytes, MADV_NOHUGEPAGE); /* as a heap of nodes lies */
    for (size_t i = 0; i < bytes / 8; i += 512)
        words[i] = i;
    t.words = words;
    t.lines = (uint32_t)(bytes / 64);
    run->state = &t;
    run->ops = run->quick ? 1000000 : 10000000;
}
static void setup_touch(struct bench_run *run)
{
    setup_bytes(run, far_bytes(run));
}
static void setup_touch_heap(struct bench_run *run)
{
    setup_bytes(run, NEAR_BYTES);
}

static double repeat_touch(struct bench_run *run)
{
    const struct touched *t = run->state;
    uint64_t seed = 3, sum = 0;
    double start = bench_now();
    for (size_t i = 0; i < run->ops; i++)
        sum += t->words[(size_t)bench_below(&seed, t->lines) * 8];
    double end = bench_now();
    run->check = sum;
    return end - start;
}

const struct bench_workload work_typed_pair = {.name = "typed-pair", .repeat = repeat_typed};
const struct bench_workload work_count_pair = {.name = "count-pair", .repeat = repeat_count};
const struct bench_workload work_touch = {"touch", setup_touch, repeat_touch, NULL, false};
const struct bench_workload work_touch_heap = {"touch-heap", setup_touch_heap, repeat_touch, NULL,
                                               false};
