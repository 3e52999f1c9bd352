/* SPDX-License-Identifier: MIT */
/* What the levels of hardening of libouro-malloc.so find, and what they say. The level is that of
 * the process (OURO_HARDEN): the build runs this program at each. */
#include "malloc_util.h"
#include <pthread.h>

static char *volatile other; /* the compiler knows nothing of it */

/* Not to be seen by the compiler: it knows what is wrong here. */
static void (*volatile give)(void *) = free;

static void *free_in_thread(void *p)
{
    give(p);
    return NULL;
}
static void in_thread(void *(*body)(void *), void *arg)
{
    pthread_t thread;
    pthread_create(&thread, NULL, body, arg);
    pthread_join(thread, NULL);
}

/* -- what may be wrong ------------------------------------------------------------------------- */

static void free_twice(void *arg)
{
    give(other = malloc(*(size_t *)arg));
    give(other);
}

static void free_twice_with_others_between(void *arg)
{
    void *blocks[60];
    for (int i = 0; i < 60; i++)
        blocks[i] = malloc(*(size_t *)arg);
    other = blocks[30];
    for (int i = 10; i < 50; i++)
        give(blocks[i]);
    give(other);
}

static void free_after_a_thread(void *arg)
{
    void *q = malloc(*(size_t *)arg); /* its page stays */
    other = malloc(*(size_t *)arg);
    in_thread(free_in_thread, other);
    give(other);
    give(q);
}

static void free_before_a_thread(void *arg)
{
    void *q = malloc(*(size_t *)arg);
    give(other = malloc(*(size_t *)arg));
    in_thread(free_in_thread, other);
    give(q);
}

static void *free_twice_in_thread(void *p)
{
    void *q = malloc(1000); /* of that size it keeps what it frees of others' */
    give(p);
    give(p);
    give(q);
    return NULL;
}

static void free_twice_in_a_thread(void *arg)
{
    void *q = malloc(*(size_t *)arg);
    in_thread(free_twice_in_thread, other = malloc(*(size_t *)arg));
    give(q);
}

static void free_at_1(void *arg)
{
    give((other = malloc(*(size_t *)arg)) + 1);
}
static void free_at_8(void *arg)
{
    give((other = malloc(*(size_t *)arg)) + 8);
}
static void free_at_16(void *arg)
{
    give((other = malloc(*(size_t *)arg)) + 16);
}
static void resize_at_16(void *arg)
{
    other = malloc(*(size_t *)arg);
    other = realloc(other + 16, 1000);
}
static void ask_at_16(void *arg)
{
    other = malloc(*(size_t *)arg);
    malloc_usable_size(other + 16);
}

static void free_of_the_stack(void *arg)
{
    (void)arg;
    char bytes[64] __attribute__((aligned(16)));
    other = bytes;
    give(other);
}
static void free_of_the_program(void *arg)
{
    (void)arg;
    static char bytes[64] __attribute__((aligned(16)));
    give(other = bytes);
}
static void free_of_a_mapping(void *arg)
{
    (void)arg;
    give(other = (char *)(uintptr_t)0x7000);
}

static void write_one_byte_behind(void *arg)
{
    size_t size = *(size_t *)arg;
    other = malloc(size);
    other[size] ^= 0x10;
    give(other);
}
static void write_a_nul_behind(void *arg)
{
    size_t size = *(size_t *)arg;
    other = malloc(size);
    other[size] = '\0';
    give(other);
}
static void resize_what_was_overflowed(void *arg)
{
    size_t size = *(size_t *)arg;
    other = malloc(size);
    other[size] = '\0';
    other = realloc(other, size - 1);
}

/* Takes blocks of the size, and gives others back, until all that was free has been out. */
static void take_many(size_t size)
{
    for (int i = 0; i < 20000; i++) {
        void *p = malloc(size);
        give(malloc(size));
        if (i % 2)
            give(p);
    }
}
static void write_in_the_middle_after_free(void *arg)
{
    size_t size = *(size_t *)arg;
    give(other = malloc(size));
    other[size / 2] = 1;
    take_many(size);
}
static void write_at_the_start_after_free(void *arg)
{
    give(other = malloc(*(size_t *)arg));
    other[0] ^= 1;
    take_many(*(size_t *)arg);
}
static void link_to_elsewhere(void *arg)
{
    static char target[256];
    give(other = malloc(*(size_t *)arg));
    *(char *volatile *)(void *)other = target;
    take_many(*(size_t *)arg);
}
static void read_after_free(void *arg)
{
    give(other = malloc(*(size_t *)arg));
    other[0] = other[1];
}
static void ask_after_free(void *arg)
{
    void *q = malloc(*(size_t *)arg);
    give(other = malloc(*(size_t *)arg));
    malloc_usable_size(other);
    give(q);
}

/* -- what is said then ------------------------------------------------------------------------- */

#define CRASH "crash" /* SIGSEGV, where it happens */

/* What each level says; NULL: it does not look, and anything may come of it. */
struct misuse {
    void (*body)(void *);
    size_t size;
    const char *said[4];
};

#define ALL(kind)                                                                                  \
    {                                                                                              \
        kind, kind, kind, kind                                                                     \
    }
#define FROM_2(kind)                                                                               \
    {                                                                                              \
        NULL, NULL, kind, kind                                                                     \
    }
#define DOUBLE   "double free"
#define FOREIGN  "foreign pointer"
#define INTERIOR "interior pointer"
#define AFTER    "use after free"
#define BEHIND   "corrupt memory: object 0x"

static struct misuse misuses[] = {
    {free_twice, 1, ALL(DOUBLE)},
    {free_twice, 24, ALL(DOUBLE)},
    {free_twice, 1000, ALL(DOUBLE)},
    {free_twice, 20000, ALL(DOUBLE)},
    {free_twice, 200000, {FOREIGN, FOREIGN, FOREIGN, DOUBLE}},
    {free_twice, 5 * MIB, ALL(FOREIGN)},
    {free_twice_with_others_between, 24, ALL(DOUBLE)},
    {free_twice_with_others_between, 700, ALL(DOUBLE)},
    {free_after_a_thread, 24, FROM_2(DOUBLE)},
    {free_after_a_thread, 1000, FROM_2(DOUBLE)},
    {free_before_a_thread, 24, ALL(DOUBLE)},
    {free_before_a_thread, 1000, ALL(DOUBLE)},
    {free_twice_in_a_thread, 24, ALL(DOUBLE)},
    {free_twice_in_a_thread, 1000, ALL(DOUBLE)},
    {free_at_1, 100, ALL(INTERIOR)},
    {free_at_8, 100, ALL(INTERIOR)},
    {free_at_16, 100, ALL(INTERIOR)},
    {free_at_8, 20000, ALL(INTERIOR)},
    {free_at_16, 200000, ALL(INTERIOR)},
    {free_at_16, 5 * MIB, ALL(INTERIOR)},
    {resize_at_16, 100, ALL(INTERIOR)},
    {ask_at_16, 100, ALL(INTERIOR)},
    {free_of_the_stack, 0, ALL(FOREIGN)},
    {free_of_the_program, 0, ALL(FOREIGN)},
    {free_of_a_mapping, 0, ALL(FOREIGN)},
    {write_one_byte_behind, 1, FROM_2(BEHIND)},
    {write_one_byte_behind, 8, FROM_2(BEHIND)},
    {write_one_byte_behind, 24, FROM_2(BEHIND)},
    {write_one_byte_behind, 1001, FROM_2(BEHIND)},
    {write_one_byte_behind, 8184, FROM_2(BEHIND)},
    {write_one_byte_behind, 20001, FROM_2(BEHIND)},
    {write_one_byte_behind, 20000, {NULL, NULL, BEHIND, CRASH}},
    {write_one_byte_behind, 64 * KIB, {NULL, NULL, BEHIND, CRASH}},
    {write_one_byte_behind, 5 * MIB, {NULL, NULL, BEHIND, CRASH}},
    {write_one_byte_behind, 5 * MIB + 7, FROM_2(BEHIND)},
    {write_a_nul_behind, 24, FROM_2(BEHIND)},
    {write_a_nul_behind, 56, FROM_2(BEHIND)},
    {resize_what_was_overflowed, 56, FROM_2(BEHIND)},
    {resize_what_was_overflowed, 300001, FROM_2(BEHIND)},
    {write_in_the_middle_after_free, 100, FROM_2(AFTER)},
    {write_in_the_middle_after_free, 5000, FROM_2(AFTER)},
    {write_in_the_middle_after_free, 200000, {NULL, NULL, NULL, CRASH}},
    {write_at_the_start_after_free, 100, {NULL, NULL, "corrupted free list", AFTER}},
    {link_to_elsewhere, 100, {NULL, NULL, "corrupted free list", AFTER}},
    {link_to_elsewhere, 16, {NULL, NULL, "corrupted free list", AFTER}},
    {read_after_free, 20000, {NULL, NULL, NULL, CRASH}},
    {ask_after_free, 100, FROM_2(AFTER)},
};

static void check(const struct misuse *misuse, const char *said)
{
    char text[4096];
    size_t size = misuse->size;
    int status = run_in_child(misuse->body, &size, text, sizeof text);
    if (strcmp(said, CRASH) == 0) {
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
        return;
    }
    assert_non_null(strstr(text, "ouro: "));
    assert_non_null(strstr(text, said));
    assert_non_null(strstr(text, ": object 0x"));
    if (hardening() == 0) {
        assert_int_equal(status, 0);
        assert_non_null(strstr(text, "(passed over"));
    } else {
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

static void each_misuse_is_named_at_the_levels_that_look_for_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof misuses / sizeof *misuses; i++) {
        const char *said = misuses[i].said[hardening()];
        if (said)
            check(&misuses[i], said);
    }
}

/* Strings are what overflows by one byte, and that byte is 0. */
static void a_nul_behind_any_block_is_seen(void **state)
{
    (void)state;
    for (size_t size = 1; hardening() >= 2 && size < 200; size += 3) {
        struct misuse misuse = {write_a_nul_behind, size, {NULL}};
        check(&misuse, "written behind its end");
    }
}

static void the_message_names_the_pointer_and_its_block(void **state)
{
    (void)state;
    char text[1024], pointer[32], block[64];
    other = malloc(100);
    snprintf(pointer, sizeof pointer, "object %p", (void *)(other + 40));
    snprintf(block, sizeof block, "40 bytes inside a block: that begins at %p", (void *)other);
    run_in_child((void (*)(void *))free, other + 40, text, sizeof text);
    assert_non_null(strstr(text, pointer));
    assert_non_null(strstr(text, block));
    give(other);
}

/* -- what each level promises ------------------------------------------------------------------ */

static void misuse_all_the_time(void *arg)
{
    static char bytes[64];
    char *p = arg;
    for (int i = 0; i < 100; i++) {
        give(bytes);
        give(p + 1);
        if (realloc(bytes, 10) || malloc_usable_size(p + 8) != 0)
            _exit(1);
    }
    if (!is_filled(p, 100))
        _exit(2);
    give(p);
}

static unsigned lines_of(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void at_level_0_each_kind_is_told_once(void **state)
{
    (void)state;
    char text[4096];
    if (hardening() != 0)
        skip();
    char *p = malloc(100);
    fill(p, 100);
    assert_int_equal(run_in_child(misuse_all_the_time, p, text, sizeof text), 0);
    assert_int_equal(lines_of(text), 2);
    free(p);
}

static void what_was_asked_for_is_what_may_be_used(void **state)
{
    (void)state;
    if (hardening() < 2)
        skip();
    for (size_t size = 1; size < 300000; size += size < 300 ? 1 : size / 7) {
        char *p = malloc(size), *q = memalign(64, size);
        assert_int_equal(malloc_usable_size(p), size);
        assert_int_equal(malloc_usable_size(q), size);
        for (size_t less = size; less > size / 2; less -= less / 10 + 1) {
            p = realloc(p, less);
            assert_int_equal(malloc_usable_size(p), less);
            memset(p, 1, less);
        }
        free(p);
        free(q);
    }
}

/* Behind the link, and before the word that says what it is. */
static void what_is_free_reads_as_zeroes(void **state)
{
    (void)state;
    if (hardening() < 2)
        skip();
    for (size_t size = 32; size < 8000; size += 100) {
        void *q = malloc(size);
        memset(other = malloc(size), 0xAA, size);
        give(other);
        assert_true(holds(other + 8, 0, size - 8));
        free(q);
    }
}

static void what_was_freed_is_kept_back_for_a_while(void **state)
{
    (void)state;
    if (hardening() < 3)
        skip();
    give(other = malloc(100));
    for (int i = 0; i < 2000; i++) {
        void *p = malloc(100);
        assert_true(p != other);
        give(p);
    }
}

static void *fill_a_quarantine(void *arg)
{
    for (int i = 0; i < 10000; i++)
        give(malloc(i % 3000));
    return arg;
}

static void a_thread_that_ends_keeps_nothing_back(void **state)
{
    (void)state;
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 50; i++)
        in_thread(fill_a_quarantine, NULL);
    assert_true(mallinfo2().uordblks <= before + 64 * KIB);
}

/* More of them than there may be guards. */
static void large_blocks_do_without_guards_where_there_are_too_many(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static char *blocks[COUNT];
    if (hardening() < 3)
        skip();
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = malloc(9000 + i % 100);
        assert_non_null(blocks[i]);
        blocks[i][0] = blocks[i][9000 + i % 100 - 1] = 1;
    }
    for (size_t i = 0; i < COUNT; i++)
        free(blocks[i]);
    misuses[0] = (struct misuse){write_one_byte_behind, 20000, {NULL}};
    check(&misuses[0], CRASH); /* there are guards again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_misuse_is_named_at_the_levels_that_look_for_it),
        cmocka_unit_test(a_nul_behind_any_block_is_seen),
        cmocka_unit_test(the_message_names_the_pointer_and_its_block),
        cmocka_unit_test(at_level_0_each_kind_is_told_once),
        cmocka_unit_test(what_was_asked_for_is_what_may_be_used),
        cmocka_unit_test(what_is_free_reads_as_zeroes),
        cmocka_unit_test(what_was_freed_is_kept_back_for_a_while),
        cmocka_unit_test(a_thread_that_ends_keeps_nothing_back),
        cmocka_unit_test(large_blocks_do_without_guards_where_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
