/* SPDX-License-Identifier: MIT */
/* The malloc-shaped calls: what they promise of sizes, contents and NULL. */
#include "alloc_util.h"

static void size_zero_gives_a_block_of_its_own(void **state)
{
    (void)state;
    void *p = ouro_malloc(0), *q = ouro_calloc(0, 8), *r = ouro_calloc(8, 0);
    void *s = ouro_realloc(NULL, 0), *t = ouro_aligned_alloc(64, 0);
    assert_non_null(p);
    assert_non_null(q);
    assert_non_null(r);
    assert_non_null(s);
    assert_non_null(t);
    assert_true(p != q && q != r && r != s && s != t);
    ouro_free(p);
    ouro_free(q);
    ouro_free(r);
    ouro_free(s);
    ouro_free(t);
}

static void null_is_no_block(void **state)
{
    (void)state;
    ouro_free(NULL);
    assert_int_equal(ouro_usable_size(NULL), 0);
    void *p = ouro_realloc(NULL, 100);
    assert_non_null(p);
    ouro_free(p);
}

static void sizes_that_no_machine_has_give_null_and_enomem(void **state)
{
    (void)state;
    static const size_t sizes[] = {SIZE_MAX,           SIZE_MAX - 1,         SIZE_MAX - 4096,
                                   SIZE_MAX / 2,       (size_t)PTRDIFF_MAX,  SIZE_MAX / 2 + 1,
                                   (size_t)1 << 62,    (size_t)1 << 50,      SIZE_MAX - 65536,
                                   SIZE_MAX - 4194304, SIZE_MAX / 4 + 12345, (size_t)3 << 61};
    void *kept = ouro_malloc(64);
    fill(kept, 64);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        volatile size_t size = sizes[i];
        errno = 0;
        assert_null(ouro_malloc(size));
        assert_int_equal(errno, ENOMEM);
        errno = 0;
        assert_null(ouro_calloc(1, size));
        assert_int_equal(errno, ENOMEM);
        assert_null(ouro_realloc(kept, size));
        assert_null(ouro_aligned_alloc(64, size));
        assert_null(ouro_aligned_alloc(MIB, size));
        assert_null(ouro_aligned_alloc((size_t)1 << 62, size));
        assert_null(ouro_alloc_sized(size));
        assert_true(is_filled(kept, 64));
    }
    ouro_free(kept);
}

static void what_libc_finds_too_much_for_the_machine_is_refused(void **state)
{
    (void)state;
    volatile size_t size = (size_t)1 << 46;
    void *p = malloc(size);
    if (p) {
        free(p);
        skip(); /* the system promises anything */
    }
    errno = 0;
    assert_null(ouro_malloc(size));
    assert_int_equal(errno, ENOMEM);
    assert_null(ouro_aligned_alloc(64 * MIB, size));
}

static void a_product_that_overflows_gives_null(void **state)
{
    (void)state;
    static const size_t pairs[][2] = {{SIZE_MAX, 2},
                                      {2, SIZE_MAX},
                                      {(size_t)1 << 32, (size_t)1 << 32},
                                      {(size_t)1 << 33, ((size_t)1 << 31) + 1},
                                      {SIZE_MAX / 3 + 1, 3}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        volatile size_t count = pairs[i][0];
        errno = 0;
        assert_null(ouro_calloc(count, pairs[i][1]));
        assert_int_equal(errno, ENOMEM);
    }
}

static void an_alignment_that_is_no_power_of_two_gives_null(void **state)
{
    (void)state;
    static const size_t aligns[] = {0,  3,   5,    6,    12,       24,
                                    48, 100, 4095, 4097, SIZE_MAX, SIZE_MAX - 1};
    for (size_t i = 0; i < sizeof aligns / sizeof *aligns; i++) {
        volatile size_t align = aligns[i];
        assert_null(ouro_aligned_alloc(align, 64));
    }
    errno = 0;
    assert_null(ouro_aligned_alloc(48, 64));
    assert_int_equal(errno, EINVAL);
    volatile size_t top = (size_t)1 << 63;
    assert_null(ouro_aligned_alloc(top, 64));
    assert_null(ouro_aligned_alloc(top >> 1, 64));
}

static void is_zero(const unsigned char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(p[i], 0);
}

static void calloc_gives_zeroes_in_memory_that_was_used(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,     16,    100,    1000,    8192,    20000,
                                   65536, 65537, 200000, 2097152, 2200000, 9000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *soiled[4];
        for (int n = 0; n < 4; n++) {
            soiled[n] = ouro_malloc(sizes[i]);
            memset(soiled[n], 0xFF, sizes[i]);
        }
        for (int n = 0; n < 4; n++)
            ouro_free(soiled[n]);
        for (int n = 0; n < 4; n++) {
            soiled[n] = ouro_calloc(sizes[i], 1);
            is_zero(soiled[n], sizes[i]);
            memset(soiled[n], 0xFF, sizes[i]);
        }
        for (int n = 0; n < 4; n++)
            ouro_free(soiled[n]);
        if (i % 3 == 0)
            ouro_trim();
        unsigned char *p = ouro_calloc(1, sizes[i]);
        is_zero(p, sizes[i]);
        ouro_free(p);
    }
}

static void realloc_keeps_the_common_part(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 16, 17, 200, 5000, 9000, 70000, 300000, 3000000, 9000000};
    size_t n = sizeof sizes / sizeof *sizes;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            size_t common = sizes[i] < sizes[j] ? sizes[i] : sizes[j];
            unsigned char *p = ouro_malloc(sizes[i]);
            for (size_t k = 0; k < sizes[i]; k++)
                p[k] = (unsigned char)(k * 7 + i);
            p = ouro_realloc(p, sizes[j]);
            assert_non_null(p);
            assert_true(ouro_usable_size(p) >= sizes[j]);
            for (size_t k = 0; k < common; k++)
                assert_int_equal(p[k], (unsigned char)(k * 7 + i));
            p[sizes[j] - 1] = 1;
            ouro_free(p);
        }
    }
}

static void realloc_gives_memory_back_when_it_shrinks_much(void **state)
{
    (void)state;
    void *p = ouro_malloc(10 * MIB);
    p = ouro_realloc(p, 100);
    assert_non_null(p);
    assert_true(ouro_usable_size(p) < MIB);
    ouro_free(p);
}

static void realloc_of_an_aligned_block_keeps_its_contents(void **state)
{
    (void)state;
    for (size_t align = 32; align <= MIB; align *= 2) {
        unsigned char *p = ouro_aligned_alloc(align, 300);
        memset(p, 0x5A, 300);
        p = ouro_realloc(p, 100000);
        assert_non_null(p);
        for (int k = 0; k < 300; k++)
            assert_int_equal(p[k], 0x5A);
        ouro_free(p);
    }
}

struct slot {
    void *p;
    size_t size;
};

/* One random operation on a slot whose contents are checked. */
static void churn(struct slot *slot, uint64_t *seed)
{
    if (slot->p) {
        if (!is_filled(slot->p, slot->size))
            fail_msg("a block of %zu bytes was overwritten", slot->size);
        if (next_random(seed) % 4 == 0) {
            size_t size = random_size(seed);
            unsigned char mark = mark_of(slot->p, slot->size);
            unsigned char *p = ouro_realloc(slot->p, size);
            assert_non_null(p);
            for (size_t i = 0; i < size && i < slot->size; i++)
                assert_int_equal(p[i], mark);
            *slot = (struct slot){p, size};
            fill(p, size);
            return;
        }
        ouro_free(slot->p);
        slot->p = NULL;
        return;
    }
    slot->size = random_size(seed);
    unsigned kind = (unsigned)(next_random(seed) % 8);
    slot->p = kind == 0   ? ouro_calloc(1, slot->size)
              : kind == 1 ? ouro_aligned_alloc((size_t)1 << next_random(seed) % 13, slot->size)
                          : ouro_malloc(slot->size);
    assert_non_null(slot->p);
    if (kind == 0)
        is_zero(slot->p, slot->size < 4096 ? slot->size : 4096);
    fill(slot->p, slot->size);
}

static void live_blocks_never_overlap(void **state)
{
    (void)state;
    enum { SLOTS = 2000 };
    static struct slot slots[SLOTS];
    uint64_t seed = 20240607;
    int rounds = is_slow() ? 30000 : 300000;
    for (int i = 0; i < rounds; i++)
        churn(&slots[next_random(&seed) % SLOTS], &seed);
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i].p)
            assert_true(is_filled(slots[i].p, slots[i].size));
        ouro_free(slots[i].p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_zero_gives_a_block_of_its_own),
        cmocka_unit_test(null_is_no_block),
        cmocka_unit_test(sizes_that_no_machine_has_give_null_and_enomem),
        cmocka_unit_test(what_libc_finds_too_much_for_the_machine_is_refused),
        cmocka_unit_test(a_product_that_overflows_gives_null),
        cmocka_unit_test(an_alignment_that_is_no_power_of_two_gives_null),
        cmocka_unit_test(calloc_gives_zeroes_in_memory_that_was_used),
        cmocka_unit_test(realloc_keeps_the_common_part),
        cmocka_unit_test(realloc_gives_memory_back_when_it_shrinks_much),
        cmocka_unit_test(realloc_of_an_aligned_block_keeps_its_contents),
        cmocka_unit_test(live_blocks_never_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
