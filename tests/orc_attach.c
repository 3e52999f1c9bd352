/* SPDX-License-Identifier: MIT */
/* Threads that Ouro did not start: attached and detached by word or by touch, again and again, and
 * at their very end. White-box: see orc_kit.h. */
#include "orc_kit.h"

#include <pthread.h>
#include <string.h>
#include <threads.h>

static size_t attached(void)
{
    ouro_word *above = ouro__runtime_above(ouro_runtime_default());
    return ouro__attached((const struct ouro__orc *)ouro__load(above));
}

/* -- attach and detach ------------------------------------------------------------------------- */

static void a_thread_may_come_and_go(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ouro_thread_attach(), OURO_OK);
        assert_int_equal(ouro_thread_attach(), OURO_OK);
        assert_int_equal(attached(), 1);
        struct leaf *leaf = leaf_new(i);
        ouro_thread_detach();
        assert_int_equal(attached(), 0);
        ouro_thread_detach(); /* nothing */
        ouro_decref(leaf);    /* attaches by touch, and finds its own token again */
        assert_int_equal(attached(), 1);
        assert_int_equal(kit_destroyed, i + 1);
        ouro_thread_detach();
    }
}

static void a_detach_settles_and_collects(void **state)
{
    (void)state;
    struct hooked *ring = hooked_new(1);
    ouro_slot_copy(ring, (void **)&ring->a, ring);
    ouro_decref(ring);
    ouro_decref_later(leaf_new(2));
    ouro_thread_detach();
    if (!KIT_ATOMIC) /* merged candidates wait for a thread that is alone */
        assert_int_equal(kit_destroyed, 2);
    ouro_collect(NULL);
}

static void inlined_paths_find_nothing_of_a_detached_thread(void **state)
{
    (void)state;
    struct node *n = node_new(1);
    ouro_thread_detach();
    ouro_incref_biased(n);
    ouro_slot_store(n, (void **)&n->a, NULL);
    ouro_thread_detach();
    assert_int_equal(ouro_count(n), 2);
    ouro_decref_biased(n);
    ouro_thread_detach();
    struct node *m = ouro_new_biased(&node_type, sizeof *m);
    assert_non_null(m);
    ouro_decref(m);
    ouro_decref(n);
}

static void attaching_needs_memory_and_says_so(void **state)
{
    (void)state;
    if (OURO_THREADS)
        skip(); /* records of ended threads are there: tests/orc_exhaust.c starves births */
    assert_int_equal(ouro_thread_attach(), OURO_OK);
}

/* -- refusals ---------------------------------------------------------------------------------- */

static void detach_in_hook(struct hooked *dying)
{
    (void)dying;
    ouro_thread_detach();
}
static void in_a_hook(void *arg)
{
    kit_on_destroy = detach_in_hook;
    struct hooked *h = hooked_new(1);
    if (arg)
        ouro_slot_copy(h, (void **)&h->a, h);
    ouro_decref(h);
    ouro_collect(NULL);
}
static void while_parked(void *arg)
{
    (void)arg;
    ouro_decref(leaf_new(1));
    ouro_park();
    ouro_thread_detach();
}
static void with_a_frame(void *arg)
{
    (void)arg;
    KIT_CHECK(ouro_frame_own(leaf_new(1)) == OURO_OK);
    ouro_thread_detach();
}
static bool detach_in_callback(size_t bytes, void *arg)
{
    (void)bytes;
    (void)arg;
    ouro_thread_detach();
    return false;
}
static void in_the_memory_callback(void *arg)
{
    (void)arg;
    ouro_decref(leaf_new(1));
    ouro_set_limit(1, detach_in_callback, NULL);
    ouro_free(ouro_malloc(100 << 20));
}

static void a_detach_is_refused_by_name_where_it_cannot_be(void **state)
{
    (void)state;
    void *const on_a_ring = &kit_destroyed;
    assert_int_equal(kit_failure_of(in_a_hook, NULL), OURO_FAIL_MISUSE);
    if (!OURO_TSAN)
        assert_int_equal(kit_failure_of(in_a_hook, on_a_ring), OURO_FAIL_MISUSE);
    assert_int_equal(kit_failure_of(while_parked, NULL), OURO_FAIL_MISUSE);
    assert_int_equal(kit_failure_of(with_a_frame, NULL), OURO_FAIL_MISUSE);
    assert_int_equal(kit_failure_of(in_the_memory_callback, NULL), OURO_FAIL_MISUSE);
}

/* -- other people's threads -------------------------------------------------------------------- */

static struct hooked *left;

static void leave_one(void)
{
    left = ouro_new_biased(&hooked_type, sizeof *left);
    KIT_CHECK(left != NULL);
    ouro_incref(left);
    ouro_decref(left);
}

static int c11_thread(void *arg)
{
    (void)arg;
    leave_one();
    ouro_thread_detach();
    return 0;
}

static void threads_of_c11_may_leave_objects(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_TSAN) /* which does not notice that they begin */
        skip();
    for (int i = 0; i < 20; i++) {
        thrd_t thread;
        assert_int_equal(thrd_create(&thread, c11_thread, NULL), thrd_success);
        assert_int_equal(thrd_join(thread, NULL), thrd_success);
        ouro_decref(left);
        assert_int_equal(kit_destroyed, i + 1);
    }
}

/* While it is detached others take its token over, and give it back when they end. */
static void touch_left(void *arg)
{
    (void)arg;
    ouro_incref(left);
    ouro_decref(left);
}

static void others_take_over_what_a_detached_thread_left(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_RC == OURO_RC_LOCAL)
        skip();
    leave_one();
    ouro_thread_detach();
    kit_elsewhere(touch_left, NULL);
    kit_elsewhere(kit_decref, left);
    ouro_poll();
    ouro_collect(NULL);
    ouro_poll();
    if (!KIT_ATOMIC)
        assert_int_equal(kit_destroyed, 1);
}

/* -- the end of a thread ----------------------------------------------------------------------- */

static pthread_key_t key;
static int rounds, destructors;

/* Runs after Ouro's destructor or before it, in any round: attaches, detaches, makes and drops. In
 * the third round or the fourth a thread is past its end. */
static void in_a_destructor(void *value)
{
    destructors++;
    KIT_CHECK(ouro_thread_attach() == OURO_OK || destructors > 2);
    struct leaf *leaf = ouro_new_biased(&leaf_type, sizeof *leaf);
    KIT_CHECK(leaf != NULL || destructors > 2);
    if (destructors % 2)
        ouro_thread_detach();
    ouro_decref(leaf);
    if (destructors < rounds)
        pthread_setspecific(key, value);
}

static void *end_with_a_destructor(void *arg)
{
    pthread_setspecific(key, &key);
    if (arg)
        leave_one();
    if (arg == &rounds)
        ouro_thread_detach();
    return NULL;
}

static void destructors_of_a_thread_may_attach_and_detach(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_TSAN) /* which sees no more of a thread than its own end */
        skip();
    assert_int_equal(pthread_key_create(&key, in_a_destructor), 0);
    void *const ways[] = {NULL, &key, &rounds}; /* never attached, attached, detached */
    for (size_t i = 0; i < 12; i++) {
        rounds = 1 + (int)i / 3;
        destructors = 0;
        left = NULL;
        pthread_t thread;
        KIT_CHECK(pthread_create(&thread, NULL, end_with_a_destructor, ways[i % 3]) == 0);
        pthread_join(thread, NULL);
        assert_true(destructors >= rounds);
        ouro_decref(left);
    }
    pthread_key_delete(key);
    ouro_poll();
}

static void coming_and_going_leaves_memory_flat(void **state)
{
    (void)state;
    struct ouro_stats before, after;
    size_t n = kit_scaled(20000);
    for (size_t i = 0; i < n; i++) {
        struct node *ring = ouro_new_biased(&node_type, sizeof *ring);
        ouro_slot_copy(ring, (void **)&ring->a, ring);
        ouro_decref_biased(ring);
        struct ouro_frame frame = ouro_frame_begin();
        KIT_CHECK(ouro_frame_own(leaf_new(1)) == OURO_OK);
        ouro_frame_end(frame);
        ouro_thread_detach();
        if (i == n / 10)
            ouro_stats_get(&before);
    }
    ouro_stats_get(&after);
    if (n > 100 && !OURO_CHECKED) /* it keeps freed objects */
        assert_int_equal(after.used, before.used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_thread_may_come_and_go),
        kit_test(a_detach_settles_and_collects),
        kit_test(inlined_paths_find_nothing_of_a_detached_thread),
        kit_test(attaching_needs_memory_and_says_so),
        kit_test(a_detach_is_refused_by_name_where_it_cannot_be),
        kit_test(threads_of_c11_may_leave_objects),
        kit_test(others_take_over_what_a_detached_thread_left),
        kit_test(destructors_of_a_thread_may_attach_and_detach),
        kit_test(coming_and_going_leaves_memory_flat),
    };
    return kit_run(tests);
}
