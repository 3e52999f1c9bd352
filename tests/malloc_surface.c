/* SPDX-License-Identifier: MIT */
/* What malloc and its kin promise, asked of libouro-malloc.so. */
#include "malloc_util.h"

#define TOO_MUCH ((size_t)PTRDIFF_MAX + 1)

/* What the compiler must not know beforehand. */
static volatile size_t huge = TOO_MUCH, most = SIZE_MAX;

static void blocks_are_aligned_whole_and_apart(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static char *blocks[COUNT];
    static size_t sizes[COUNT];
    uint64_t seed = 1;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < COUNT; i++) {
            sizes[i] = random_size(&seed);
            blocks[i] = malloc(sizes[i]);
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % 16, 0);
            fill(blocks[i], sizes[i]);
        }
        for (int i = 0; i < COUNT; i++) {
            assert_true(is_filled(blocks[i], sizes[i]));
            free(blocks[i]);
        }
    }
}

static void each_size_has_room_and_none_is_null(void **state)
{
    (void)state;
    for (size_t size = 0; size < 70000; size += size < 9000 ? 1 : 61) {
        char *p = malloc(size), *q = malloc(size);
        assert_true(p && q && p != q);
        assert_true(malloc_usable_size(p) >= size);
        if (size <= 64 * KIB)
            assert_true(malloc_usable_size(p) <= size + size / 4 + 16);
        memset(p, 1, malloc_usable_size(p));
        memset(q, 2, malloc_usable_size(q));
        assert_true(holds(p, 1, malloc_usable_size(p)));
        free(p);
        assert_true(holds(q, 2, malloc_usable_size(q)));
        free(q);
    }
    assert_int_equal(malloc_usable_size(NULL), 0);
}

#define FAILS(call)                                                                                \
    do {                                                                                           \
        errno = 0;                                                                                 \
        assert_null(call);                                                                         \
        assert_int_equal(errno, ENOMEM);                                                           \
    } while (0)

static void what_no_machine_has_is_refused_with_enomem(void **state)
{
    (void)state;
    char *volatile p = malloc(100);
    fill(p, 100);
    for (int i = 0; i < 3; i++) {
        size_t size = i == 0 ? huge : i == 1 ? most : huge - 1;
        FAILS(malloc(size));
        FAILS(calloc(1, size));
        FAILS(calloc(size, 1));
        FAILS(realloc(p, size));
        FAILS(reallocarray(p, size, 1));
        FAILS(realloc(NULL, size));
        FAILS(aligned_alloc(64, size));
        FAILS(memalign(64, size));
        FAILS(valloc(size));
        FAILS(pvalloc(size));
        FAILS(reallocf(NULL, size));
        FAILS(__libc_malloc(size));
        FAILS(__libc_calloc(1, size));
        FAILS(__libc_realloc(p, size));
        FAILS(__libc_reallocarray(p, size, 1));
        FAILS(__libc_memalign(64, size));
        FAILS(__libc_valloc(size));
        FAILS(__libc_pvalloc(size));
    }
    FAILS(memalign(huge / 2, 1));
    FAILS(memalign(huge / 2, huge));
    assert_true(is_filled(p, 100));
    free(p);
}

static void products_that_overflow_are_refused(void **state)
{
    (void)state;
    char *volatile p = malloc(100);
    fill(p, 100);
    FAILS(calloc(most / 2 + 1, 2));
    FAILS(calloc(2, most / 2 + 1));
    FAILS(calloc(most, most));
    FAILS(calloc(huge / 4, 16));
    FAILS(reallocarray(p, most / 2 + 1, 2));
    FAILS(reallocarray(NULL, most, most));
    FAILS(__libc_calloc(most, 3));
    assert_true(is_filled(p, 100));
    free(p);
}

static void calloc_gives_zeroes_where_others_wrote(void **state)
{
    (void)state;
    for (size_t size = 1; size < 8 * MIB; size = size * 3 / 2 + 1) {
        for (int i = 0; i < 4; i++) {
            char *p = calloc(size, 1);
            assert_true(holds(p, 0, size));
            memset(p, 0xff, malloc_usable_size(p));
            free(p);
        }
    }
    void *p = calloc(0, 5), *q = calloc(5, 0);
    assert_true(p && q && p != q);
    free(p);
    free(q);
}

static void realloc_keeps_what_there_was(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 300; i++) {
        size_t size = random_size(&seed) + 1, other = random_size(&seed) + 1;
        unsigned char *p = realloc(NULL, size);
        memset(p, 0x5a, size);
        p = realloc(p, other);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_true(malloc_usable_size(p) >= other);
        assert_true(holds(p, 0x5a, size < other ? size : other));
        free(p);
    }
}

/* glibc's choice among those that C leaves open. */
static void a_size_that_nothing_has_leaves_the_block_alone(void **state)
{
    (void)state;
    static const size_t sizes[] = {100, 5000, 20000, 100000, 5 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *p = malloc(sizes[i]);
        fill(p, sizes[i]);
        for (size_t less = 0; less < 40; less++) {
            errno = 0;
            volatile size_t size = SIZE_MAX - less; /* the compiler would warn */
            assert_null(realloc(p, size));
            assert_int_equal(errno, ENOMEM);
        }
        assert_true(is_filled(p, sizes[i]));
        assert_in_range(malloc_usable_size(p), sizes[i], 2 * sizes[i]);
        free(p);
    }
}

static void a_large_block_that_shrinks_gives_memory_back(void **state)
{
    (void)state;
    const size_t size = 400 * MIB;
    if (hardening() >= 2 || is_slow())
        skip(); /* there another block is made */
    char *p = malloc(size);
    assert_non_null(p);
    memset(p, 1, size);
    char *q = realloc(p, size - size / 4);
    assert_ptr_equal(q, p);
    assert_true(malloc_usable_size(q) < size);
    malloc_trim(0);
    assert_true(resident() < size - size / 5);
    assert_ptr_equal(q = realloc(q, 10 * MIB), p);
    malloc_trim(0);
    assert_true(resident() < size / 4);
    assert_true(q[0] == 1 && q[10 * MIB - 1] == 1);
    free(q);
}

static void realloc_to_nothing_frees(void **state)
{
    (void)state;
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < 1000; i++) {
        errno = 5;
        assert_null(realloc(malloc(100 * KIB), 0));
        assert_null(reallocarray(malloc(100 * KIB), 0, 8));
        assert_null(reallocf(malloc(100 * KIB), 0));
        assert_int_equal(errno, 5);
    }
    assert_true(mallinfo2().uordblks <= before.uordblks);
    void *p = realloc(NULL, 0);
    assert_non_null(p);
    free(p);
}

static void reallocf_frees_what_cannot_grow(void **state)
{
    (void)state;
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < 1000; i++)
        FAILS(reallocf(malloc(100 * KIB), huge));
    assert_true(mallinfo2().uordblks <= before.uordblks);
}

static void every_alignment_is_kept(void **state)
{
    (void)state;
    for (size_t align = 1; align <= (size_t)1 << 30; align *= 2) {
        const size_t sizes[] = {0, 1, 17, 1000, 5000, 70000, 3 * MIB};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            void *p = NULL, *q = aligned_alloc(align, sizes[i]), *r = memalign(align, sizes[i]);
            assert_non_null(q);
            assert_non_null(r);
            if (align >= sizeof(void *))
                assert_int_equal(posix_memalign(&p, align, sizes[i]), 0);
            assert_int_equal(((uintptr_t)p | (uintptr_t)q | (uintptr_t)r) & (align - 1), 0);
            memset(q, 1, malloc_usable_size(q) < MIB ? malloc_usable_size(q) : sizes[i]);
            memset(r, 2, sizes[i]);
            assert_true(holds(q, 1, sizes[i]));
            r = realloc(r, sizes[i] + 100);
            assert_true(holds(r, 2, sizes[i]));
            free(p);
            free(q);
            free_aligned_sized(r, align, sizes[i]);
        }
    }
}

static void alignments_that_are_none_are_refused(void **state)
{
    (void)state;
    static char none;
    static volatile size_t bad[] = {0, 3, 24, SIZE_MAX, SIZE_MAX / 2 + 2};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        void *p = &none;
        errno = 7;
        assert_null(aligned_alloc(bad[i], 8));
        assert_int_equal(errno, EINVAL);
        errno = 7;
        assert_int_equal(posix_memalign(&p, bad[i], 8), EINVAL);
        assert_true(p == &none && errno == 7);
    }
    void *p = &none;
    assert_int_equal(posix_memalign(&p, 4, 8), EINVAL); /* no multiple of a pointer's size */
    assert_int_equal(posix_memalign(&p, 64, huge), ENOMEM);
    assert_int_equal(posix_memalign(&p, huge, 8), ENOMEM);
    assert_true(p == &none && errno == 7);
    char *q = memalign(24, 100); /* rounded up */
    assert_int_equal((uintptr_t)q % 32, 0);
    free(q);
    errno = 0;
    assert_null(memalign(huge + 1, 1));
    assert_int_equal(errno, EINVAL);
}

static void valloc_and_pvalloc_give_pages(void **state)
{
    (void)state;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t size = 0; size < 5 * page; size += 1000) {
        char *p = valloc(size), *q = pvalloc(size);
        assert_int_equal(((uintptr_t)p | (uintptr_t)q) % page, 0);
        assert_true(malloc_usable_size(q) >= (size + page - 1) / page * page);
        memset(q, 1, malloc_usable_size(q));
        free(p);
        free(q);
    }
}

static void giving_back_leaves_errno_alone(void **state)
{
    (void)state;
    for (size_t size = 1; size < 100 * MIB; size *= 3) {
        void *p = malloc(size), *q = malloc(size), *r = malloc(size);
        errno = 1234;
        free(p);
        cfree(q);
        free_sized(r, size);
        free(NULL);
        cfree(NULL);
        free_sized(NULL, 0);
        free_aligned_sized(NULL, 64, 0);
        assert_int_equal(errno, 1234);
    }
}

static void libcs_second_names_are_the_same(void **state)
{
    (void)state;
    free(__libc_malloc(10));
    char *p = __libc_calloc(10, 10);
    assert_true(holds(p, 0, 100));
    p = __libc_realloc(p, 1000);
    p = __libc_reallocarray(p, 1000, 10);
    __libc_free(p);
    p = __libc_memalign(256, 10);
    assert_int_equal((uintptr_t)p % 256, 0);
    free(p);
    free(__libc_valloc(1));
    free(__libc_pvalloc(1));
}

/* -- what it tells of itself ------------------------------------------------------------------- */

static void figures_follow_what_is_taken(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    static void *blocks[COUNT];
    struct mallinfo2 before = mallinfo2(), during, after;
    for (int i = 0; i < COUNT; i++)
        blocks[i] = malloc(128);
    void *large = malloc(40 * MIB);
    during = mallinfo2();
    assert_int_equal(during.uordblks - before.uordblks, COUNT * stored(128));
    assert_int_equal(during.hblks - before.hblks, 1);
    assert_true(during.hblkhd - before.hblkhd >= 40 * MIB);
    assert_true(during.hblkhd - before.hblkhd < 41 * MIB);
    assert_int_equal(during.arena, during.uordblks + during.fordblks);
    assert_int_equal(mallinfo().uordblks, during.uordblks);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
    free(large);
    after = mallinfo2();
    assert_int_equal(after.uordblks, before.uordblks);
    assert_int_equal(after.hblkhd, before.hblkhd);
}

static void trimming_gives_back_what_is_empty_and_says_so(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static char *blocks[COUNT];
    for (int i = 0; i < COUNT; i++)
        memset(blocks[i] = malloc(1000), 1, 1000);
    size_t full = resident();
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
    assert_int_equal(malloc_trim(0), 1);
    assert_int_equal(malloc_trim(0), 0);
    assert_int_equal(mallinfo2().keepcost, 0);
    assert_true(is_slow() || resident() + 18 * MIB < full);
}

static size_t number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    assert_non_null(at);
    return strtoul(at + strlen(key), NULL, 10);
}

static const char *info(void)
{
    static char text[8192];
    FILE *f = tmpfile();
    assert_int_equal(malloc_info(1, f), EINVAL);
    assert_int_equal(malloc_info(0, f), 0);
    rewind(f);
    size_t len = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    assert_true(len > 0);
    text[len] = '\0';
    return text;
}

static void malloc_info_is_xml_with_the_same_figures(void **state)
{
    (void)state;
    void *large = malloc(40 * MIB);
    const char *text = info();
    assert_int_equal(strncmp(text, "<malloc version=\"1\">\n", 21), 0);
    assert_non_null(strstr(text, "</malloc>\n"));
    assert_int_equal(number_after(text, "\"mmap\" count=\""), 1);
    assert_true(number_after(strstr(text, "\"mmap\""), "size=\"") >= 40 * MIB);
    size_t mapped = number_after(text, "<system type=\"current\" size=\"");
    size_t top = number_after(text, "<system type=\"max\" size=\"");
    assert_true(mapped >= 40 * MIB && top >= mapped);
    free(large);
    malloc_trim(0);
    text = info();
    assert_true(number_after(text, "<system type=\"current\" size=\"") <= mapped - 40 * MIB);
    assert_int_equal(number_after(text, "<system type=\"max\" size=\""), top);
}

static void print_stats(void *arg)
{
    (void)arg;
    malloc_stats();
}

static void malloc_stats_writes_to_the_standard_error(void **state)
{
    (void)state;
    char text[2048];
    void *p = malloc(5 * MIB);
    assert_int_equal(run_in_child(print_stats, NULL, text, sizeof text), 0);
    assert_true(number_after(text, "in use bytes     = ") >= 5 * MIB);
    free(p);
}

static void known_options_are_accepted(void **state)
{
    (void)state;
    for (int what = -8; what <= 1; what++)
        assert_int_equal(mallopt(what, 1), what != 0);
    assert_int_equal(mallopt(77, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_whole_and_apart),
        cmocka_unit_test(each_size_has_room_and_none_is_null),
        cmocka_unit_test(what_no_machine_has_is_refused_with_enomem),
        cmocka_unit_test(products_that_overflow_are_refused),
        cmocka_unit_test(calloc_gives_zeroes_where_others_wrote),
        cmocka_unit_test(realloc_keeps_what_there_was),
        cmocka_unit_test(a_size_that_nothing_has_leaves_the_block_alone),
        cmocka_unit_test(a_large_block_that_shrinks_gives_memory_back),
        cmocka_unit_test(realloc_to_nothing_frees),
        cmocka_unit_test(reallocf_frees_what_cannot_grow),
        cmocka_unit_test(every_alignment_is_kept),
        cmocka_unit_test(alignments_that_are_none_are_refused),
        cmocka_unit_test(valloc_and_pvalloc_give_pages),
        cmocka_unit_test(giving_back_leaves_errno_alone),
        cmocka_unit_test(libcs_second_names_are_the_same),
        cmocka_unit_test(figures_follow_what_is_taken),
        cmocka_unit_test(trimming_gives_back_what_is_empty_and_says_so),
        cmocka_unit_test(malloc_info_is_xml_with_the_same_figures),
        cmocka_unit_test(malloc_stats_writes_to_the_standard_error),
        cmocka_unit_test(known_options_are_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
