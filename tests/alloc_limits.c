/* SPDX-License-Identifier: MIT */
/* Exhaustion: by a limit, by the supply, by injected faults. Each refusal changes nothing. */
#include "alloc_util.h"

/* -- limits ------------------------------------------------------------------------------------ */

struct hoard {
    void *blocks[4096];
    unsigned count, calls;
    size_t asked;
};

static bool free_some(size_t bytes, void *arg)
{
    struct hoard *hoard = arg;
    hoard->calls++;
    hoard->asked = bytes;
    if (hoard->count == 0)
        return false;
    for (unsigned i = 0; i < 64 && hoard->count > 0; i++)
        ouro_free(hoard->blocks[--hoard->count]);
    return true;
}

static bool refuse(size_t bytes, void *arg)
{
    ((struct hoard *)arg)->calls++;
    ((struct hoard *)arg)->asked = bytes;
    return false;
}

static void drop_all(struct hoard *hoard)
{
    while (hoard->count > 0)
        ouro_free(hoard->blocks[--hoard->count]);
}

static void a_limit_refuses_what_goes_beyond_it(void **state)
{
    (void)state;
    static const size_t sizes[] = {64, 5000, 40000, 100000, 3000000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct hoard hoard = {.count = 0};
        ouro_trim();
        ouro_set_limit(16 * MIB, refuse, &hoard);
        size_t bytes = 0;
        void *p, *list = NULL;
        while ((p = ouro_malloc(sizes[s])) != NULL) {
            *(void **)p = list;
            list = p;
            bytes += sizes[s];
            assert_true(bytes <= 16 * MIB);
        }
        assert_int_equal(errno, ENOMEM);
        assert_int_equal(hoard.calls, 1);
        assert_true(bytes >= 12 * MIB); /* whole pages are counted, but no more */
        for (; list; list = p) {
            p = *(void **)list;
            ouro_free(list);
        }
        void *again = ouro_malloc(sizes[s]);
        assert_non_null(again);
        ouro_free(again);
        ouro_set_limit(0, NULL, NULL);
    }
}

static void what_the_callback_frees_is_used_at_once(void **state)
{
    (void)state;
    static const size_t sizes[] = {64, 20000, 200000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        static struct hoard hoard;
        memset(&hoard, 0, sizeof hoard);
        ouro_trim();
        ouro_set_limit(8 * MIB, free_some, &hoard);
        void *list = NULL, *p;
        size_t count = 0;
        /* A part goes to the hoard, spread over the pages, so that hardly a page gets empty. */
        for (; hoard.calls < 3 && (p = ouro_malloc(sizes[s])) != NULL; count++) {
            if (count % 7 == 0 && hoard.count < 4096) {
                hoard.blocks[hoard.count++] = p;
            } else {
                *(void **)p = list;
                list = p;
            }
        }
        assert_true(hoard.calls >= 3);
        assert_true(hoard.asked >= sizes[s]);
        for (; list; list = p) {
            p = *(void **)list;
            ouro_free(list);
        }
        drop_all(&hoard);
        ouro_set_limit(0, NULL, NULL);
    }
}

static bool allocate_inside(size_t bytes, void *arg)
{
    struct hoard *hoard = arg;
    hoard->calls++;
    (void)bytes;
    /* As much of the same class as there is; what is refused must not ask again. */
    for (int i = 0; i < 10; i++) {
        void *p = ouro_malloc(64);
        if (p)
            fill(p, 64);
        ouro_free(p);
    }
    if (hoard->count == 0)
        return false;
    for (int i = 0; i < 64 && hoard->count > 0; i++)
        ouro_free(hoard->blocks[--hoard->count]);
    void *p = ouro_malloc(64);
    assert_non_null(p);
    fill(p, 64);
    assert_null(hoard->blocks[4095]);
    hoard->blocks[4095] = p;
    return true;
}

static void the_callback_may_allocate_and_loses_no_block_by_it(void **state)
{
    (void)state;
    static struct hoard hoard;
    enum { MOST = 40000 };
    static void *kept[MOST];
    int n = 0;
    ouro_trim();
    ouro_set_limit(MIB, allocate_inside, &hoard);
    for (; hoard.calls == 0 && n < MOST; n++) {
        kept[n] = ouro_malloc(64);
        assert_non_null(kept[n]);
        fill(kept[n], 64);
        if (hoard.calls == 0 && n % 5 == 0 && hoard.count < 4000)
            hoard.blocks[hoard.count++] = ouro_malloc(64);
    }
    assert_int_equal(hoard.calls, 1);
    assert_true(is_filled(hoard.blocks[4095], 64));
    for (int i = 0; i < n; i++) {
        assert_ptr_not_equal(kept[i], hoard.blocks[4095]);
        assert_true(is_filled(kept[i], 64));
        ouro_free(kept[i]);
    }
    ouro_free(hoard.blocks[4095]);
    drop_all(&hoard);
    ouro_set_limit(0, NULL, NULL);
}

static void empty_pages_of_other_sizes_give_way_to_a_limit(void **state)
{
    (void)state;
    ouro_trim();
    ouro_set_limit(4 * MIB, NULL, NULL);
    /* A page of each class stays behind, more than a megabyte in all. */
    for (size_t size = 16; size <= 65536; size += size / 4 + 16)
        ouro_free(ouro_malloc(size));
    size_t got = 0;
    void *list = NULL, *p;
    while ((p = ouro_malloc(32768)) != NULL) {
        got += 32768;
        *(void **)p = list;
        list = p;
    }
    assert_true(got >= 3 * MIB + MIB / 2);
    for (; list; list = p) {
        p = *(void **)list;
        ouro_free(list);
    }
    ouro_set_limit(0, NULL, NULL);
}

static void realloc_under_a_limit_leaves_the_block_as_it_was(void **state)
{
    (void)state;
    void *p = ouro_malloc(100000);
    fill(p, 100000);
    ouro_set_limit(MIB, NULL, NULL);
    assert_null(ouro_realloc(p, 2 * MIB));
    assert_true(is_filled(p, 100000));
    ouro_set_limit(0, NULL, NULL);
    ouro_free(p);
}

static void realloc_to_less_succeeds_without_memory(void **state)
{
    (void)state;
    void *p = ouro_malloc(100000), *kept = p;
    fill(p, 100);
    unsigned char mark = mark_of(p, 100);
    ouro_fail_nth_alloc(1, true);
    errno = 0;
    p = ouro_realloc(p, 100);
    ouro_fail_nth_alloc(0, false);
    assert_ptr_equal(p, kept);
    assert_int_equal(errno, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(((unsigned char *)p)[i], mark);
    ouro_free(p);
}

/* -- faults ------------------------------------------------------------------------------------ */

/* A program of a few dozen allocations of all kinds, right whatever fails. */
static unsigned program(void)
{
    unsigned failed = 0;
    void *p[24] = {NULL};
    for (unsigned i = 0; i < 24; i++) {
        size_t size = i % 6 == 5 ? 300000 : i % 6 == 4 ? 3000000 : 24 * (i + 1);
        p[i] = i % 4 == 0   ? ouro_alloc_sized(48)
               : i % 4 == 1 ? ouro_calloc(1, size)
               : i % 4 == 2 ? ouro_aligned_alloc(128, size)
                            : ouro_malloc(size);
        failed += p[i] == NULL;
        if (p[i] && i % 4 == 3) {
            fill(p[i], 24);
            unsigned char mark = mark_of(p[i], 24);
            unsigned char *q = ouro_realloc(p[i], size * 4);
            failed += q == NULL;
            p[i] = q ? q : p[i];
            for (int k = 0; k < 24; k++)
                assert_int_equal(((unsigned char *)p[i])[k], mark);
        }
    }
    for (unsigned i = 0; i < 24; i++)
        ouro_free(p[i]);
    return failed;
}

static void every_single_allocation_may_fail(void **state)
{
    (void)state;
    size_t n = 1;
    for (;; n++) {
        ouro_fail_nth_alloc(n, false);
        unsigned failed = program();
        ouro_fail_nth_alloc(0, false);
        if (failed == 0)
            break;
        assert_int_equal(failed, 1);
        assert_int_equal(program(), 0);
    }
    assert_true(n > 24);
}

static void all_allocations_may_fail_from_any_one_on(void **state)
{
    (void)state;
    unsigned last = UINT32_MAX;
    for (size_t n = 1; last > 0; n++) {
        ouro_fail_nth_alloc(n, true);
        unsigned failed = program();
        ouro_fail_nth_alloc(0, false);
        assert_true(failed <= last);
        last = failed;
        assert_int_equal(program(), 0);
    }
}

static void the_nth_is_counted_from_now_and_inlined_ones_count(void **state)
{
    (void)state;
    ouro_free_sized(ouro_alloc_sized(64), 64);
    ouro_fail_nth_alloc(3, false);
    void *a = ouro_alloc_sized(64), *b = ouro_alloc_sized(64), *c = ouro_alloc_sized(64),
         *d = ouro_alloc_sized(64);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(c);
    assert_non_null(d);
    ouro_free_sized(a, 64);
    ouro_free_sized(b, 64);
    ouro_free_sized(d, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_refuses_what_goes_beyond_it),
        cmocka_unit_test(what_the_callback_frees_is_used_at_once),
        cmocka_unit_test(the_callback_may_allocate_and_loses_no_block_by_it),
        cmocka_unit_test(empty_pages_of_other_sizes_give_way_to_a_limit),
        cmocka_unit_test(realloc_under_a_limit_leaves_the_block_as_it_was),
        cmocka_unit_test(realloc_to_less_succeeds_without_memory),
        cmocka_unit_test(every_single_allocation_may_fail),
        cmocka_unit_test(all_allocations_may_fail_from_any_one_on),
        cmocka_unit_test(the_nth_is_counted_from_now_and_inlined_ones_count),
    };
    return cmocka_run_group_tests(tests, use_mmap, NULL);
}
