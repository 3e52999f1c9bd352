/* SPDX-License-Identifier: MIT */
/* What stops a program under libouro-malloc.so, and what it says then. */
#include "malloc_util.h"
#include <pthread.h>

static void *volatile other; /* the compiler knows nothing of it */

static void stops(void (*body)(void *), void *arg, const char *kind)
{
    char text[1024];
    int status = run_in_child(body, arg, text, sizeof text);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, "ouro: "));
    assert_non_null(strstr(text, kind));
    assert_non_null(strstr(text, "object 0x"));
}

static void free_twice(void *arg)
{
    char *p = malloc(*(size_t *)arg);
    other = p;
    free(p);
    free(other);
}

static void free_twice_with_others_between(void *arg)
{
    size_t size = *(size_t *)arg;
    char *blocks[100];
    for (int i = 0; i < 100; i++)
        blocks[i] = malloc(size);
    other = blocks[50];
    for (int i = 20; i < 80; i++)
        free(blocks[i]);
    free(other);
}

/* Half of many blocks are freed, and some taken again, so that the other one is in its page's list,
 * or in that of what is given out next. No page is empty. */
enum { ROUND = 20000, ROUND_SIZE = 100 };
static void free_twice_after_a_round(void *arg)
{
    static char *blocks[ROUND];
    for (int i = 0; i < ROUND; i++)
        blocks[i] = malloc(ROUND_SIZE);
    other = blocks[*(size_t *)arg];
    for (int i = 0; i < ROUND; i += 2)
        free(blocks[i]);
    bool taken = false;
    for (int i = 0; i < ROUND / 10; i++)
        taken |= malloc(ROUND_SIZE) == other;
    if (taken)
        free(other);
    free(other);
}

static void a_block_freed_twice_is_named(void **state)
{
    (void)state;
    size_t sizes[] = {1, 16, 100, 1000, 8000, 10000, 30000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        stops(free_twice, &sizes[i], "double free");
        if (sizes[i] < 8000) /* else the page may be gone */
            stops(free_twice_with_others_between, &sizes[i], "double free");
    }
    for (size_t i = 0; i < ROUND; i += 1000)
        stops(free_twice_after_a_round, &i, "double free");
}

static void realloc_after_free(void *arg)
{
    size_t size = *(size_t *)arg;
    char *p = malloc(size);
    other = p;
    free(p);
    other = realloc(other, size); /* would stay where it is */
}

static void a_block_that_was_freed_is_no_more_resized(void **state)
{
    (void)state;
    size_t sizes[] = {16, 100, 1000, 8000, 20000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        stops(realloc_after_free, &sizes[i], "use after free");
}

static void a_large_block_freed_twice_is_named(void **state)
{
    (void)state;
    size_t sizes[] = {20000, 200000, 5 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bool kept = i == 0 || (hardening() == 3 && i == 1); /* else it is nobody's any more */
        stops(free_twice, &sizes[i], kept ? "double free" : "foreign pointer");
    }
}

static void free_inside(void *arg)
{
    size_t at = *(size_t *)arg;
    other = (char *)malloc(1000) + at;
    free(other);
}

static void free_inside_a_middling_one(void *arg)
{
    size_t at = *(size_t *)arg;
    for (int i = 0; i < 20; i++) /* in each slice of a page */
        other = (char *)malloc(30000) + at;
    free(other);
}

static void free_inside_a_large_one(void *arg)
{
    size_t at = *(size_t *)arg;
    other = (char *)malloc(300000) + at;
    free(other);
}

static void a_pointer_inside_a_block_is_named(void **state)
{
    (void)state;
    size_t offsets[] = {1, 8, 16, 17, 500, 999};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        stops(free_inside, &offsets[i], "interior pointer");
        stops(free_inside_a_middling_one, &offsets[i], "interior pointer");
        stops(free_inside_a_large_one, &offsets[i], "interior pointer");
    }
}

static void free_it(void *arg)
{
    free(arg);
}
static void realloc_it(void *arg)
{
    other = realloc(arg, 10);
}
static void ask_size_of_it(void *arg)
{
    other = (void *)malloc_usable_size(arg);
}

static void what_is_no_block_is_named(void **state)
{
    (void)state;
    static char bytes[64] __attribute__((aligned(16)));
    char on_stack[64] __attribute__((aligned(16)));
    void *pointers[] = {bytes, on_stack, (void *)16, (void *)(uintptr_t)0x123450, (void *)-16L};
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        stops(free_it, pointers[i], "foreign pointer");
        stops(realloc_it, pointers[i], "foreign pointer");
        stops(ask_size_of_it, pointers[i], "foreign pointer");
    }
}

/* Blocks of its page that were never given out. */
static void free_what_was_not_given_yet(void *arg)
{
    size_t size = *(size_t *)arg;
    free((char *)malloc(size) + 60 * 1024);
}

static void a_block_that_was_not_given_out_is_named(void **state)
{
    (void)state;
    size_t size = 1024;
    stops(free_what_was_not_given_yet, &size, "foreign pointer");
}

static void *free_in_thread(void *p)
{
    free(p);
    return NULL;
}

static void free_twice_elsewhere(void *arg)
{
    (void)arg;
    pthread_t thread;
    other = malloc(100);
    pthread_create(&thread, NULL, free_in_thread, other);
    pthread_join(thread, NULL);
    for (int i = 0; i < 1000; i++) /* it comes home */
        malloc(2000);
    free(other); /* nobody took any of its size meanwhile */
}

/* The owner frees it while it is on its way to it. */
static void free_twice_meanwhile(void *arg)
{
    (void)arg;
    pthread_t thread;
    other = malloc(100);
    pthread_create(&thread, NULL, free_in_thread, other);
    pthread_join(thread, NULL);
    free(other);
    for (int i = 0; i < 1000; i++) /* not of its size: it would be given out again */
        malloc(2000);
}

static void a_block_freed_by_another_thread_too_is_named(void **state)
{
    (void)state;
    stops(free_twice_elsewhere, NULL, "double free");
    stops(free_twice_meanwhile, NULL, "double free");
}

static void *second_word(void *freed)
{
    return ((void *volatile *)freed)[1]; /* after its death, on purpose */
}

/* A block is no double free because it looks like a free one to its own thread, */
static void contents_do_not_matter(void **state)
{
    (void)state;
    for (int i = 0; i < 64; i++) {
        void **p = malloc(32);
        free(p);
        void *mark = second_word(p);
        void **again = malloc(32);
        again[1] = mark; /* its own, at levels 0 and 1 */
        free(again);
    }
}

/* nor to another one because of what stood in another block. */
static void copies_do_not_matter(void **state)
{
    (void)state;
    for (int i = 0; i < 64; i++) {
        pthread_t thread;
        void **p = malloc(32), **q = malloc(32);
        free(q);
        p[1] = second_word(q);
        assert_int_equal(pthread_create(&thread, NULL, free_in_thread, p), 0);
        pthread_join(thread, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_freed_twice_is_named),
        cmocka_unit_test(a_block_that_was_freed_is_no_more_resized),
        cmocka_unit_test(a_large_block_freed_twice_is_named),
        cmocka_unit_test(a_pointer_inside_a_block_is_named),
        cmocka_unit_test(what_is_no_block_is_named),
        cmocka_unit_test(a_block_that_was_not_given_out_is_named),
        cmocka_unit_test(a_block_freed_by_another_thread_too_is_named),
        cmocka_unit_test(contents_do_not_matter),
        cmocka_unit_test(copies_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
