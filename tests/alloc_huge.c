/* SPDX-License-Identifier: MIT */
/* White-box: includes alloc/heap.h. Blocks with mappings of their own: what is kept of them between
 * two uses, how they grow, and that all of it goes back. Page faults and address space are counted,
 * not time. */
#include "alloc_check.h"
#include "alloc/runtime.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static struct ouro_stats figures(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    check_arena();
    return stats;
}

static size_t faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (size_t)usage.ru_minflt;
}

static size_t address_space(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%lu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Keeps as long as a test takes. */
static int keep(void **state)
{
    (void)state;
    ouro_set_limit(0, NULL, NULL);
    ouro_option_set("purge_delay", 3600000);
    ouro_trim();
    return 0;
}

/* -- what is kept ------------------------------------------------------------------------------ */

static void a_loop_touches_its_pages_once(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    size_t before = faults();
    for (size_t i = 0; i < 50; i++) {
        char *p = ouro_malloc(10 * MIB - 100 * i);
        assert_non_null(p);
        memset(p, 1, 10 * MIB - 100 * i);
        ouro_free(p);
    }
    assert_true(faults() - before < 3 * 10 * MIB / (size_t)sysconf(_SC_PAGESIZE));
}

static void what_is_kept_but_too_small_is_enlarged(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    size_t before = faults(), largest = 24 * MIB;
    for (size_t size = 8 * MIB; size <= largest; size += MIB) {
        unsigned char *p = ouro_calloc(1, size), sum = 0;
        assert_non_null(p);
        for (size_t at = 0; at < size; at += 512)
            sum |= p[at];
        assert_int_equal(sum, 0);
        memset(p, 0xEE, size);
        ouro_free(p);
        assert_true(figures().idle < largest + MIB);
        check_arena();
    }
    assert_true(faults() - before < 3 * largest / (size_t)sysconf(_SC_PAGESIZE));
}

static void a_runtime_gives_all_back(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    struct ouro_runtime *runtime = NULL;
    const char *why = NULL;
    for (int round = 0; round < 2; round++) {
        size_t before = address_space();
        assert_int_equal(ouro_runtime_new(NULL, &runtime), OURO_OK);
        assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
        ouro_free(ouro_malloc(30 * MIB));
        char *p = ouro_malloc(20 * MIB), *q = ouro_malloc(3 * MIB);
        p = ouro_realloc(p, 50 * MIB);
        assert_true(p != NULL && q != NULL);
        assert_true(address_space() > before + 50 * MIB);
        ouro_runtime_leave(runtime);
        assert_int_equal(ouro_runtime_destroy(runtime, &why), OURO_OK);
        if (round > 0) /* the first one leaves a chunk and records for the next */
            assert_true(address_space() <= before + MIB);
    }
}

/* All but the last block has gone, or can, and that fits only where they were. */
static void use_all_addresses(void *arg)
{
    (void)arg;
    ouro_option_set("purge_delay", 3600000);
    char *grown = ouro_realloc(ouro_malloc(3 * MIB), 5 * MIB); /* with room behind it */
    ouro_free(ouro_malloc(30 * MIB));
    struct rlimit limit = {address_space() + 15 * MIB, address_space() + 15 * MIB};
    if (!grown || setrlimit(RLIMIT_AS, &limit) != 0)
        _exit(1);
    if (ouro_malloc(40 * MIB) == NULL)
        _exit(2);
    grown[5 * MIB - 1] = 1;
    if (ouro_malloc(40 * MIB) != NULL)
        _exit(3);
}

static void what_is_kept_goes_back_before_memory_is_refused(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    char text[2048];
    int status = run_in_child(use_all_addresses, NULL, text, sizeof text);
    assert_int_equal(status, 0);
}

/* Others map memory too, and cannot ask for the room that a block has. */
static void grow_where_space_is_limited(void *arg)
{
    (void)arg;
    struct rlimit limit = {address_space() + 400 * MIB, address_space() + 400 * MIB};
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        _exit(1);
    char *p = NULL;
    for (size_t size = 3 * MIB; size <= 96 * MIB; size *= 2) {
        if (!(p = ouro_realloc(p, size)))
            _exit(2);
        p[size - 1] = 1;
    }
    if (mmap(NULL, 250 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        _exit(3);
}

static void a_block_takes_no_room_ahead_where_space_is_limited(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    char text[2048];
    assert_int_equal(run_in_child(grow_where_space_is_limited, NULL, text, sizeof text), 0);
}

static void a_limit_that_is_reached_drops_nothing_that_is_kept(void **state)
{
    (void)state;
    if (on_valgrind())
        skip(); /* it sees each mapping come and go */
    ouro_free(ouro_malloc(10 * MIB));
    assert_int_equal(figures().idle, 10 * MIB);
    ouro_set_limit(figures().used + 4 * MIB, NULL, NULL);
    assert_null(ouro_malloc(5 * MIB));
    assert_null(ouro_malloc(12 * MIB));
    assert_int_equal(figures().idle, 10 * MIB);
    ouro_set_limit(0, NULL, NULL);
}

static void use_some_addresses(void *arg)
{
    (void)arg;
    enum { N = 10 };
    void *p[N];
    ouro_option_set("purge_delay", 3600000);
    for (int i = 0; i < N; i++)
        p[i] = ouro_malloc(3 * MIB);
    for (int i = 0; i < N; i++)
        ouro_free(p[i]);
    struct rlimit limit = {address_space() + MIB, address_space() + MIB};
    if (setrlimit(RLIMIT_AS, &limit) != 0 || ouro_malloc(6 * MIB) == NULL)
        _exit(1);
    if (figures().idle < 9 * MIB)
        _exit(2);
}

static void as_much_as_the_system_asks_for_goes_back(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    char text[2048];
    assert_int_equal(run_in_child(use_some_addresses, NULL, text, sizeof text), 0);
}

static void what_is_kept_is_idle_and_in_no_limit(void **state)
{
    (void)state;
    if (on_valgrind())
        skip(); /* it sees each mapping come and go */
    struct ouro_stats before = figures();
    void *p = ouro_malloc(10 * MIB);
    assert_int_equal(figures().used, before.used + 10 * MIB);
    assert_int_equal(figures().idle, before.idle);
    ouro_free(p);
    struct ouro_stats kept = figures();
    assert_int_equal(kept.used, before.used);
    assert_int_equal(kept.idle, before.idle + 10 * MIB);
    assert_int_equal(kept.mapped, before.mapped + 10 * MIB);
    assert_int_equal(kept.large.blocks, before.large.blocks);
    p = ouro_malloc(6 * MIB); /* in the same mapping: the rest stays idle */
    assert_int_equal(figures().used, before.used + 6 * MIB);
    assert_int_equal(figures().idle, before.idle + 4 * MIB);
    assert_int_equal(figures().large.bytes, before.large.bytes + 6 * MIB);
    assert_true(ouro_trim() >= 4 * MIB);
    assert_int_equal(figures().idle, 0);
    ouro_free(p);
    assert_int_equal(figures().idle, 6 * MIB);
    ouro_set_limit(before.used + 8 * MIB, NULL, NULL);
    p = ouro_malloc(6 * MIB);
    assert_non_null(p);
    assert_null(ouro_malloc(3 * MIB));
    ouro_free(p);
    ouro_set_limit(0, NULL, NULL);
    assert_true(ouro_trim() >= 6 * MIB || figures().idle == 0); /* the refusal gave it back */
    assert_int_equal(figures().idle, 0);
    assert_true(figures().mapped <= before.mapped);
}

static void no_more_is_kept_than_32_megabytes(void **state)
{
    (void)state;
    enum { N = 12 };
    void *p[N];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < N; i++)
            p[i] = ouro_malloc((3 + i) * MIB);
        for (size_t i = 0; i < N; i++) {
            ouro_free(p[(i * 5) % N]);
            assert_true(figures().idle <= 33 * MIB);
        }
    }
    ouro_free(ouro_malloc(48 * MIB));
    assert_true(figures().mapped <= 48 * MIB);
    ouro_trim();
    assert_int_equal(figures().idle, 0);
}

static void it_goes_when_the_delay_is_over(void **state)
{
    (void)state;
    size_t before = figures().mapped;
    ouro_option_set("purge_delay", 20);
    char *p = ouro_malloc(12 * MIB), *other = ouro_malloc(20 * MIB);
    ouro_free(other);
    ouro_free(p);
    p = ouro_malloc(11 * MIB); /* the rest of its mapping is idle too */
    memset(p, 1, 11 * MIB);
    usleep(60000);
    ouro_free(ouro_malloc(100000)); /* anything that gives slices back */
    assert_true(figures().idle < MIB);
    assert_true(figures().mapped <= before + 16 * MIB);
    ouro_free(p);
    ouro_trim();
    ouro_option_set("purge_delay", 0);
    size_t none = figures().mapped;
    ouro_free(ouro_malloc(12 * MIB));
    assert_int_equal(figures().mapped, none);
}

static void calloc_reads_as_zeroes_in_a_mapping_that_was_used(void **state)
{
    (void)state;
    static const size_t sizes[] = {10, 6, 9, 10, 5, 12};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = sizes[i] * MIB - 1000 * i;
        unsigned char *p = ouro_calloc(1, size);
        assert_non_null(p);
        size_t wrong = 0;
        for (size_t at = 0; at < size; at++)
            wrong += p[at] != 0;
        assert_int_equal(wrong, 0);
        memset(p, 0xEE, size);
        if (i == 3)
            ouro_trim();
        p = ouro_realloc(p, size + MIB);
        memset(p, 0xDD, size + MIB);
        ouro_free(p);
    }
}

/* -- growth ------------------------------------------------------------------------------------ */

static void a_vector_that_grows_touches_each_page_once(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (int round = 0; round < 2; round++) {
        size_t before = faults(), size = 3 * MIB;
        unsigned char *p = ouro_malloc(size);
        memset(p, 7, size);
        while (size < 200 * MIB) {
            size_t larger = size + size / 2;
            p = ouro_realloc(p, larger);
            assert_non_null(p);
            assert_true(p[0] == 7 && p[size / 2] == 7 && p[size - 1] == 7);
            memset(p + size, 7, larger - size);
            size = larger;
        }
        assert_true(faults() - before < size / page * 5 / 4);
        ouro_free(p);
        assert_true(figures().idle <= 33 * MIB);
    }
}

static void a_block_that_stood_still_is_moved_without_copying(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = 64 * MIB;
    unsigned char *p = ouro_malloc(size);
    for (size_t at = 0; at < size; at += page)
        p[at] = (unsigned char)(at / page % 251);
    size_t before = faults(), full = resident();
    p = ouro_realloc(p, 2 * size);
    assert_non_null(p);
    assert_true(resident() < full + 4 * MIB);
    for (size_t at = 0; at < size; at += page)
        assert_int_equal(p[at], at / page % 251);
    assert_true(faults() - before < size / page / 4);
    ouro_free(p);
}

/* Stands in for the system's: refuses to move, before or after it made room for that. */
static enum { MOVES, REFUSES, UNMAPS_AND_REFUSES } moving;
static unsigned refused;
void *mremap(void *p, size_t size, size_t larger, int how, ...);
void *mremap(void *p, size_t size, size_t larger, int how, ...)
{
    va_list rest;
    va_start(rest, how);
    void *to = how & 2 ? va_arg(rest, void *) : NULL;
    va_end(rest);
    if (moving == MOVES || !(how & 2))
        return (void *)syscall(SYS_mremap, p, size, larger, how, to);
    refused++;
    if (moving == UNMAPS_AND_REFUSES)
        munmap(to, larger);
    errno = ENOMEM;
    return MAP_FAILED;
}

static void grow_unmoved(void *arg)
{
    moving = *(const int *)arg;
    size_t before = address_space();
    char *p = ouro_malloc(64 * MIB), *wall = ouro_malloc(3 * MIB);
    p[64 * MIB - 1] = 7;
    p = ouro_realloc(p, 512 * MIB);
    if (!p || !wall || p[64 * MIB - 1] != 7 || refused > 1)
        _exit(1);
    ouro_free(p);
    ouro_free(wall);
    ouro_trim();
    if (refused == 1 && address_space() > before + 8 * MIB)
        _exit(2);
}

static void a_move_that_is_refused_leaves_nothing_mapped(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    char text[2048];
    for (int how = REFUSES; how <= UNMAPS_AND_REFUSES; how++)
        assert_int_equal(run_in_child(grow_unmoved, &how, text, sizeof text), 0);
}

static void grow_locked(void *arg)
{
    (void)arg;
    struct rusage before, after;
    if (mlockall(MCL_FUTURE) != 0)
        return; /* not allowed to */
    getrusage(RUSAGE_SELF, &before);
    char *p = ouro_realloc(ouro_malloc(3 * MIB), 5 * MIB);
    if (!p)
        return;
    p = ouro_realloc(p, 12 * MIB);
    getrusage(RUSAGE_SELF, &after);
    if ((size_t)(after.ru_maxrss - before.ru_maxrss) * 1024 > 30 * MIB)
        _exit(1);
}

static void no_room_is_filled_where_all_is_locked(void **state)
{
    (void)state;
    if (is_slow())
        skip();
    char text[2048];
    assert_int_equal(run_in_child(grow_locked, NULL, text, sizeof text), 0);
}

static void a_refused_growth_changes_nothing(void **state)
{
    (void)state;
    char *p = ouro_malloc(8 * MIB);
    fill(p, 8 * MIB);
    ouro_set_limit(figures().used + 4 * MIB, NULL, NULL);
    struct ouro_stats before = figures();
    assert_null(ouro_realloc(p, 64 * MIB));
    assert_null(ouro_realloc(p, (size_t)1 << 46));
    assert_null(ouro_realloc(p, SIZE_MAX / 2));
    struct ouro_stats after = figures();
    assert_int_equal(after.used, before.used);
    assert_int_equal(after.large.bytes, before.large.bytes);
    assert_int_equal(ouro_usable_size(p), 8 * MIB);
    assert_true(is_filled(p, 8 * MIB));
    char *grown = ouro_realloc(p, 11 * MIB);
    assert_true(grown != NULL || on_valgrind()); /* the rest fits */
    if (grown != NULL) {
        assert_int_equal(figures().used, before.used + 3 * MIB);
        p = grown;
    }
    ouro_set_limit(0, NULL, NULL);
    ouro_free(p);
}

static void during_a_look_blocks_stay_where_they_are(void **state)
{
    (void)state;
    unsigned char *p = ouro_malloc(40 * MIB);
    p[0] = 5;
    ouro__arena_hold();
    unsigned char *other = ouro_realloc(p, 200 * MIB);
    assert_non_null(other);
    assert_int_equal(other[0], 5);
    if (other != p && !on_valgrind())                      /* which knows that it was given back */
        assert_int_equal(*(volatile unsigned char *)p, 5); /* still mapped */
    check_arena();
    void *q = ouro_malloc(3 * MIB);
    ouro_free(q);
    *(volatile char *)q = 1;
    void *again = ouro_malloc(3 * MIB);
    assert_ptr_not_equal(again, q);
    ouro__arena_release();
    ouro_free(again);
    ouro_free(other);
    ouro_trim();
    assert_int_equal(figures().idle, 0);
}

/* -- all of it --------------------------------------------------------------------------------- */

static void invariants_hold_after_random_operations(void **state)
{
    (void)state;
    enum { N = 6 };
    unsigned char *p[N] = {NULL};
    size_t size[N] = {0};
    uint64_t seed = 4711;
    int rounds = is_slow() ? 200 : 2000;
    for (int i = 0; i < rounds; i++) {
        size_t k = next_random(&seed) % N, want = 2 * MIB + next_random(&seed) % (14 * MIB);
        unsigned what = next_random(&seed) >> 20 & 7;
        if (what == 0)
            ouro_trim();
        if (p[k] != NULL && what < 4) {
            p[k] = ouro_realloc(p[k], want);
            size_t common = want < size[k] ? want : size[k];
            for (size_t at = 0; at < common; at += 4096)
                assert_int_equal(p[k][at], k + 1);
            assert_true(common < size[k] || p[k][common - 1] == k + 1);
        } else if (p[k] != NULL) {
            ouro_free(p[k]);
            p[k] = NULL;
        } else {
            p[k] = what & 1 ? ouro_calloc(1, want)
                            : ouro_aligned_alloc(what == 2 ? 8 * MIB : 64, want);
            if (what & 1)
                assert_true(p[k][0] == 0 && p[k][want / 2] == 0 && p[k][want - 1] == 0);
        }
        if (p[k] != NULL) {
            for (size_t at = 0; at < want; at += 4096)
                p[k][at] = (unsigned char)(k + 1);
            p[k][want - 1] = (unsigned char)(k + 1);
        }
        size[k] = want;
        check_arena();
    }
    for (size_t k = 0; k < N; k++)
        ouro_free(p[k]);
    ouro_trim();
    assert_int_equal(figures().idle, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_loop_touches_its_pages_once, keep),
        cmocka_unit_test_setup(what_is_kept_but_too_small_is_enlarged, keep),
        cmocka_unit_test_setup(a_runtime_gives_all_back, keep),
        cmocka_unit_test_setup(what_is_kept_goes_back_before_memory_is_refused, keep),
        cmocka_unit_test_setup(a_block_takes_no_room_ahead_where_space_is_limited, keep),
        cmocka_unit_test_setup(a_limit_that_is_reached_drops_nothing_that_is_kept, keep),
        cmocka_unit_test_setup(as_much_as_the_system_asks_for_goes_back, keep),
        cmocka_unit_test_setup(what_is_kept_is_idle_and_in_no_limit, keep),
        cmocka_unit_test_setup(no_more_is_kept_than_32_megabytes, keep),
        cmocka_unit_test_setup(it_goes_when_the_delay_is_over, keep),
        cmocka_unit_test_setup(calloc_reads_as_zeroes_in_a_mapping_that_was_used, keep),
        cmocka_unit_test_setup(a_vector_that_grows_touches_each_page_once, keep),
        cmocka_unit_test_setup(a_block_that_stood_still_is_moved_without_copying, keep),
        cmocka_unit_test_setup(a_move_that_is_refused_leaves_nothing_mapped, keep),
        cmocka_unit_test_setup(no_room_is_filled_where_all_is_locked, keep),
        cmocka_unit_test_setup(a_refused_growth_changes_nothing, keep),
        cmocka_unit_test_setup(during_a_look_blocks_stay_where_they_are, keep),
        cmocka_unit_test_setup(invariants_hold_after_random_operations, keep),
    };
    return cmocka_run_group_tests(tests, use_mmap, NULL);
}
