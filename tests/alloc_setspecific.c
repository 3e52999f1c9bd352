/* SPDX-License-Identifier: MIT */
/* White-box: looks at the states of heaps. A thread for whose exit the system has no memory to note
 * down that Ouro wants to hear of it. */
#include "alloc_check.h"
#include <pthread.h>

void *__libc_calloc(size_t count, size_t size);

static OURO_THREAD_LOCAL bool refuse;

/* Takes the place of libc's, for libc's own calls too. */
void *calloc(size_t count, size_t size)
{
    return refuse ? NULL : __libc_calloc(count, size);
}

static void *use_without_notice(void *arg)
{
    void **blocks = arg;
    refuse = true;
    for (int i = 0; i < 100; i++) {
        blocks[i] = ouro_malloc(100);
        fill(blocks[i], 100);
        if (i % 2)
            ouro_free(blocks[i]);
    }
    refuse = false;
    return NULL;
}

static void a_thread_whose_exit_is_not_told_keeps_no_heap(void **state)
{
    (void)state;
    static void *blocks[100];
    for (int n = 0; n < 10; n++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, use_without_notice, blocks), 0);
        pthread_join(thread, NULL);
        for (int i = 0; i < 100; i += 2) {
            assert_true(is_filled(blocks[i], 100));
            ouro_free(blocks[i]);
        }
    }
    for (struct ouro__heap *heap = ouro__heaps_first(); heap; heap = heap->next_heap)
        assert_true(&heap->pub == ouro__context.heap || heap->state == OURO__HEAP_ABANDONED);
}

/* The first 32 keys have their room in the thread; Ouro's is not among them. */
static int use_keys_up(void **state)
{
    pthread_key_t key;
    for (int i = 0; i < 40; i++) {
        if (pthread_key_create(&key, NULL) != 0)
            return -1;
    }
    return use_mmap(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_whose_exit_is_not_told_keeps_no_heap),
    };
    return cmocka_run_group_tests(tests, use_keys_up, NULL);
}
