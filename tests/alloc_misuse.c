/* SPDX-License-Identifier: MIT */
/* Pointers that are no blocks are named and stop the program; nothing has changed by then. */
#include "alloc_util.h"
#include <pthread.h>

static jmp_buf back;
static struct ouro_failure told;

static void remember(const struct ouro_failure *failure, void *arg)
{
    told = *failure;
    longjmp(*(jmp_buf *)arg, 1);
}

/* What ouro_free, or `act`, says of p; -1: nothing. */
static int failure_of(void *p, void (*act)(void *))
{
    told.kind = (ouro_failure_kind)-1;
    ouro_set_fail_handler(remember, &back);
    if (setjmp(back) == 0)
        act(p);
    ouro_set_fail_handler(NULL, NULL);
    return (int)told.kind;
}

static void ask_size(void *p)
{
    ouro_usable_size(p);
}

static void reallocate(void *p)
{
    void *q = ouro_realloc(p, 100000);
    (void)q;
}

static void pointers_of_others_are_foreign(void **state)
{
    (void)state;
    int on_stack = 0;
    static int in_data;
    void *of_libc = malloc(100);
    void *foreign[] = {&on_stack,
                       &in_data,
                       of_libc,
                       (void *)16,
                       (void *)(uintptr_t)0xFFFFFFFFFFFFFFF0u,
                       (void *)((uintptr_t)1 << 46)};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        assert_int_equal(failure_of(foreign[i], ouro_free), OURO_FAIL_FOREIGN_POINTER);
        assert_ptr_equal(told.object, foreign[i]);
        assert_int_equal(failure_of(foreign[i], ask_size), OURO_FAIL_FOREIGN_POINTER);
        assert_int_equal(failure_of(foreign[i], reallocate), OURO_FAIL_FOREIGN_POINTER);
    }
    free(of_libc);
}

static void *take_counted(void *size)
{
    return ouro__cell_alloc(OURO__COUNTED, (size_t)(uintptr_t)size, 16);
}

/* Where the header of an object stands a block of its page begins, but none of the program's. */
static void the_header_of_an_object_is_no_block(void **state)
{
    (void)state;
    static const size_t sizes[] = {48, 5000, 20000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *cell = take_counted((void *)(uintptr_t)sizes[i]), *other = NULL;
        if (OURO_THREADS) {
            pthread_t thread;
            pthread_create(&thread, NULL, take_counted, (void *)(uintptr_t)sizes[i]);
            pthread_join(thread, &other);
        }
        assert_int_equal(failure_of((char *)cell - 16, ouro_free), OURO_FAIL_INTERIOR_POINTER);
        ouro__cell_free(cell, OURO__COUNTED, 16);
        if (!other)
            continue;
        assert_int_equal(failure_of((char *)other - 16, ouro_free), OURO_FAIL_INTERIOR_POINTER);
        ouro__cell_free(other, OURO__COUNTED, 16);
    }
}

static void interior_pointers_are_told_in_blocks_of_every_kind(void **state)
{
    (void)state;
    static const size_t sizes[] = {48, 100, 5000, 20000, 65536, 100000, 2000000, 9000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *p = ouro_malloc(sizes[i]);
        fill(p, sizes[i]);
        size_t offsets[] = {1, 8, 16, 32, sizes[i] / 2, sizes[i] - 1};
        for (size_t j = 0; j < sizeof offsets / sizeof *offsets; j++) {
            assert_int_equal(failure_of(p + offsets[j], ouro_free), OURO_FAIL_INTERIOR_POINTER);
            assert_int_equal(failure_of(p + offsets[j], ask_size), OURO_FAIL_INTERIOR_POINTER);
        }
        assert_true(is_filled(p, sizes[i]));
        ouro_free(p);
    }
}

static void a_large_block_freed_twice_is_foreign(void **state)
{
    (void)state;
    static const size_t sizes[] = {100000, 3000000, 9000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *p = ouro_malloc(sizes[i]);
        ouro_free(p);
        assert_int_equal(failure_of(p, ouro_free), OURO_FAIL_FOREIGN_POINTER);
    }
}

static void free_other_sized(void *p)
{
    ouro_free_sized(p, 16);
}

/* Where the block is still the last that was freed in its page, or for its owner. */
static void a_small_block_freed_twice_in_a_row_is_told(void **state)
{
    (void)state;
    if (on_valgrind())
        skip(); /* it tells them too, as errors */
    static const size_t sizes[] = {1, 48, 1000, 8192, 9000, 65536};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *p = ouro_malloc(sizes[i]), *q = ouro_malloc(sizes[i]);
        ouro_free(p);
        assert_int_equal(failure_of(p, ouro_free), OURO_FAIL_DOUBLE_FREE);
        assert_ptr_equal(told.object, p);
        ouro_free(q);
        assert_int_equal(failure_of(q, ouro_free), OURO_FAIL_DOUBLE_FREE);
    }
}

static void a_sized_free_of_a_larger_block_frees_it(void **state)
{
    (void)state;
    static const size_t sizes[] = {100, 9000, 100000, 9000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *p = ouro_malloc(sizes[i]);
        assert_int_equal(failure_of(p, free_other_sized), -1);
    }
}

static void addresses_in_a_chunk_that_are_no_blocks_are_foreign(void **state)
{
    (void)state;
    char *p = ouro_malloc(48);
    char *chunk = (char *)((uintptr_t)p & ~(uintptr_t)(OURO__CHUNK_SIZE - 1));
    assert_int_equal(failure_of(chunk, ouro_free), OURO_FAIL_FOREIGN_POINTER);
    assert_int_equal(failure_of(chunk + 128, ouro_free), OURO_FAIL_FOREIGN_POINTER);
    assert_int_equal(failure_of(chunk + OURO__CHUNK_SIZE - 64, ouro_free),
                     OURO_FAIL_FOREIGN_POINTER);
    ouro_free(p);
}

static void free_interior(void *arg)
{
    ouro_free((char *)arg + 16);
}

static void the_report_names_kind_and_address_and_the_process_aborts(void **state)
{
    (void)state;
    char *p = ouro_malloc(64), text[1024], expected[64];
    int status = run_in_child(free_interior, p, text, sizeof text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    snprintf(expected, sizeof expected, "ouro: interior pointer: object 0x%lx",
             (unsigned long)p + 16);
    assert_non_null(strstr(text, expected));
    assert_int_equal(text[strlen(text) - 1], '\n');
    ouro_free(p);
}

static void fail_at_length(void *arg)
{
    static char detail[2000];
    memset(detail, 'x', sizeof detail - 1);
    ouro_fail(OURO_FAIL_MISUSE, arg, "the_type", detail);
}

static void a_report_longer_than_its_room_is_cut(void **state)
{
    (void)state;
    char text[4096];
    int status = run_in_child(fail_at_length, NULL, text, sizeof text);
    assert_true(WIFSIGNALED(status));
    assert_non_null(strstr(text, "ouro: misuse of type the_type: xxxx"));
    assert_true(strlen(text) < 600);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void every_failure_kind_has_a_name(void **state)
{
    (void)state;
    for (int kind = 0; kind < OURO_FAIL_COUNT; kind++) {
        assert_non_null(ouro_failure_kind_name((ouro_failure_kind)kind));
        assert_string_not_equal(ouro_failure_kind_name((ouro_failure_kind)kind), "failure");
    }
    assert_string_equal(ouro_failure_kind_name(OURO_FAIL_COUNT), "failure");
    assert_string_equal(ouro_failure_kind_name((ouro_failure_kind)-1), "failure");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers_of_others_are_foreign),
        cmocka_unit_test(the_header_of_an_object_is_no_block),
        cmocka_unit_test(interior_pointers_are_told_in_blocks_of_every_kind),
        cmocka_unit_test(a_large_block_freed_twice_is_foreign),
        cmocka_unit_test(a_small_block_freed_twice_in_a_row_is_told),
        cmocka_unit_test(a_sized_free_of_a_larger_block_frees_it),
        cmocka_unit_test(addresses_in_a_chunk_that_are_no_blocks_are_foreign),
        cmocka_unit_test(the_report_names_kind_and_address_and_the_process_aborts),
        cmocka_unit_test(a_report_longer_than_its_room_is_cut),
        cmocka_unit_test(every_failure_kind_has_a_name),
    };
    return cmocka_run_group_tests(tests, use_mmap, NULL);
}
