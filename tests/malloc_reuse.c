/* SPDX-License-Identifier: MIT */
/* What libouro-malloc.so gives out again, and when its pages go. */
#include "malloc_util.h"

enum { SIZE = 112, COUNT = 40000 };
static void *blocks[COUNT];

static void take_all(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        assert_non_null(blocks[i] = malloc(SIZE));
        fill(blocks[i], SIZE);
    }
}

static void give_all(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(is_filled(blocks[i], SIZE));
        free(blocks[i]);
    }
}

static void shuffle(uint64_t seed)
{
    for (size_t i = COUNT - 1; i > 0; i--) {
        size_t other = (next_random(&seed) >> 8) % (i + 1);
        void *block = blocks[i];
        blocks[i] = blocks[other];
        blocks[other] = block;
    }
}

/* As malloc_info tells it. */
static size_t pages_in_use(void)
{
    static char text[8192];
    FILE *f = tmpfile();
    assert_int_equal(malloc_info(0, f), 0);
    rewind(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    const char *at = strstr(text, "to=\"112\"");
    assert_non_null(at = strstr(at ? at : text, "pages=\""));
    return strtoul(at + 7, NULL, 10);
}

static void reuse(void *a, void *b, void *c, size_t size)
{
    free(a);
    free(b);
    free(c);
    assert_ptr_equal(malloc(size), c);
    assert_ptr_equal(malloc(size), b);
    assert_ptr_equal(malloc(size), a);
    fill(a, size), fill(b, size), fill(c, size);
}

static void what_was_freed_last_is_given_out_first(void **state)
{
    (void)state;
    if (hardening() >= 2)
        skip(); /* there the order is another one */
    take_all();
    reuse(blocks[10], blocks[COUNT / 2], blocks[COUNT / 3], SIZE);
    give_all();
    void *large[40];
    for (size_t i = 0; i < 40; i++)
        large[i] = malloc(20000);
    reuse(large[3], large[37], large[20], 20000); /* of pages of several slices too */
    for (size_t i = 0; i < 40; i++)
        free(large[i]);
}

/* What is kept to be given out again holds no pages. */
static void pages_go_in_whatever_order_blocks_are_freed(void **state)
{
    (void)state;
    if (hardening() >= 2)
        skip(); /* a quarantine holds some, guards have pages of their own */
    size_t least = (size_t)COUNT * SIZE / (64 * KIB);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        take_all();
        assert_true(pages_in_use() >= least);
        if (seed > 1)
            shuffle(seed);
        for (size_t i = 0; i < 5000; i++) { /* while some are taken too */
            free(blocks[i]);
            assert_non_null(blocks[i] = malloc(SIZE));
            fill(blocks[i], SIZE);
        }
        give_all();
        assert_in_range(pages_in_use(), 0, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_freed_last_is_given_out_first),
        cmocka_unit_test(pages_go_in_whatever_order_blocks_are_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
