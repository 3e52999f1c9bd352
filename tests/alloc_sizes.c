/* SPDX-License-Identifier: MIT */
/* Size classes, and the alignment of every size. */
#include "alloc_util.h"

OURO_STATIC_ASSERT(OURO__CLASSES == 64, "the loops below cover every class");

static void every_size_fits_its_class_and_not_the_one_below(void **state)
{
    (void)state;
    for (size_t size = 0; size <= OURO__CLASS_MAX_SIZE; size++) {
        unsigned cls = ouro__class_of(size);
        assert_true(cls < OURO__CLASSES);
        assert_true(ouro__class_size(cls) >= size);
        if (cls > 0)
            assert_true(ouro__class_size(cls - 1) < size);
    }
}

static void every_class_is_its_sizes_class_and_a_multiple_of_16(void **state)
{
    (void)state;
    for (unsigned cls = 0; cls < OURO__CLASSES; cls++) {
        assert_int_equal(ouro__class_of(ouro__class_size(cls)), cls);
        assert_int_equal(ouro__class_size(cls) % 16, 0);
    }
    assert_int_equal(ouro__class_size(OURO__CLASSES - 1), OURO__CLASS_MAX_SIZE);
}

static void a_block_is_hardly_larger_than_asked_for(void **state)
{
    (void)state;
    for (size_t size = 1; size <= OURO__CLASS_MAX_SIZE; size++) {
        size_t more = ouro__class_size(ouro__class_of(size)) - size;
        assert_true(more < (size <= 128    ? 16
                            : size <= 256  ? 32
                            : size <= 8192 ? size / 8 + 1
                                           : size / 4 + 1));
    }
}

static void the_class_of_a_multiple_of_an_alignment_is_one_itself(void **state)
{
    (void)state;
    for (size_t align = 16; align <= OURO__CLASS_MAX_SIZE; align *= 2) {
        for (size_t size = align; size <= OURO__CLASS_MAX_SIZE; size += align)
            assert_int_equal(ouro__class_size(ouro__class_of(size)) % align, 0);
    }
}

static void every_size_is_aligned_to_16_and_usable(void **state)
{
    (void)state;
    for (size_t size = 0; size < 20000; size += size < 1100 ? 1 : 37) {
        char *p = ouro_malloc(size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_true(ouro_usable_size(p) >= size);
        fill(p, size);
        ouro_free(p);
    }
}

static void every_alignment_is_kept_for_every_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 1000, 4096, 5000, 40000, 65536, 70000};
    size_t most = ouro_supply_get()->block ? MIB : 64 * MIB; /* tools have bounds of their own */
    for (size_t align = 1; align <= most; align *= 2) {
        void *kept[sizeof sizes / sizeof *sizes];
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            kept[i] = ouro_aligned_alloc(align, sizes[i]);
            assert_non_null(kept[i]);
            assert_int_equal((uintptr_t)kept[i] % align, 0);
            assert_true(ouro_usable_size(kept[i]) >= sizes[i]);
            fill(kept[i], sizes[i]);
        }
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            assert_true(is_filled(kept[i], sizes[i]));
            ouro_free(kept[i]);
        }
    }
}

static void large_sizes_around_their_bounds_are_usable_to_the_last_byte(void **state)
{
    (void)state;
    static const size_t bounds[] = {8192, 65536, 131072, 2097152, 4194304, 16777216};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        for (int off = -17; off <= 17; off++) {
            size_t size = bounds[i] + (size_t)off;
            char *p = ouro_malloc(size);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 16, 0);
            assert_true(ouro_usable_size(p) >= size);
            p[0] = 1;
            p[size - 1] = 2;
            ouro_free(p);
        }
    }
}

#define PAIR(size)                                                                                 \
    do {                                                                                           \
        void *p = ouro_alloc_sized(size), *q = ouro_alloc_sized(size);                             \
        assert_non_null(p);                                                                        \
        assert_non_null(q);                                                                        \
        assert_int_equal(((uintptr_t)p | (uintptr_t)q) % 16, 0);                                   \
        fill(p, size);                                                                             \
        fill(q, size);                                                                             \
        assert_true(is_filled(p, size) && is_filled(q, size));                                     \
        ouro_free_sized(p, size);                                                                  \
        ouro_free_sized(q, size);                                                                  \
    } while (0)

static void the_sized_pair_serves_constants_of_every_kind(void **state)
{
    (void)state;
    for (int round = 0; round < 100; round++) {
        PAIR(1);
        PAIR(16);
        PAIR(32);
        PAIR(33);
        PAIR(128);
        PAIR(129);
        PAIR(1000);
        PAIR(8192);
        PAIR(8193);
        PAIR(65536);
        PAIR(65537);
        PAIR(3000000);
    }
}

static void the_sized_pair_serves_sizes_known_only_when_running(void **state)
{
    (void)state;
    for (volatile size_t size = 0; size < 10000; size += 7) {
        void *p = ouro_alloc_sized(size);
        assert_non_null(p);
        fill(p, size);
        ouro_free_sized(p, size);
    }
}

static void free_takes_blocks_of_the_sized_family(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        ouro_free(ouro_alloc_sized(48));
    ouro_free(ouro_alloc_sized(100000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_fits_its_class_and_not_the_one_below),
        cmocka_unit_test(every_class_is_its_sizes_class_and_a_multiple_of_16),
        cmocka_unit_test(a_block_is_hardly_larger_than_asked_for),
        cmocka_unit_test(the_class_of_a_multiple_of_an_alignment_is_one_itself),
        cmocka_unit_test(every_size_is_aligned_to_16_and_usable),
        cmocka_unit_test(every_alignment_is_kept_for_every_size),
        cmocka_unit_test(large_sizes_around_their_bounds_are_usable_to_the_last_byte),
        cmocka_unit_test(the_sized_pair_serves_constants_of_every_kind),
        cmocka_unit_test(the_sized_pair_serves_sizes_known_only_when_running),
        cmocka_unit_test(free_takes_blocks_of_the_sized_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
