/* SPDX-License-Identifier: MIT */
/* White-box: includes orc_kit.h. Locks and conditions: what is allowed, and what is said of what is
 * not. Guarded locations: isolate_guards.c; threads that contend: isolate_lock_races.c. */
#include "lock_kit.h"

#include <pthread.h>

#define MILLISECOND ((uint64_t)1000000)

static struct ouro_lock high = OURO_LOCK_INIT("high", 9), middle = OURO_LOCK_INIT("middle", 5);
static struct ouro_lock twin = OURO_LOCK_INIT("twin", 5), low = OURO_LOCK_INIT("low", 1);
static struct ouro_condition condition = OURO_CONDITION_INIT;
static bool had; /* what a try answered */

/* -- levels ------------------------------------------------------------------------------------ */

static void locks_are_taken_at_falling_levels_and_left_in_any_order(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        ouro_lock_take(&high, OURO_HERE);
        ouro_lock_take(&middle, OURO_HERE);
        ouro_lock_take(&low, OURO_HERE);
        assert_true(ouro_lock_is_held(&high) && ouro_lock_is_held(&middle));
        ouro_lock_release(&middle, OURO_HERE);
        assert_false(ouro_lock_is_held(&middle));
        ouro_lock_release(&high, OURO_HERE);
        assert_true(ouro_lock_is_held(&low));
        ouro_lock_assert(&low, OURO_HERE);
        ouro_lock_release(&low, OURO_HERE);
    }
    assert_null(ouro__held);
}

static void take_above(void *arg)
{
    (void)arg;
    ouro_lock_take(&middle, "below.c:12");
    ouro_lock_take(&high, "above.c:34");
}
static void take_beside(void *arg)
{
    (void)arg;
    ouro_lock_take(&high, "high.c:1");
    ouro_lock_take(&middle, "one.c:12");
    ouro_lock_take(&twin, "other.c:34");
}
static void take_above_what_remains(void *arg)
{
    (void)arg;
    ouro_lock_take(&high, "high.c:1");
    ouro_lock_take(&low, "low.c:2");
    ouro_lock_release(&high, NULL);
    ouro_lock_take(&middle, NULL);
}
static void take_for_above(void *arg)
{
    (void)arg;
    ouro_lock_take(&middle, "below.c:12");
    had = ouro_lock_take_for(&high, 1, "above.c:34");
}

static void a_lock_out_of_order_is_named_with_both_places(void **state)
{
    (void)state;
    said_if_checked(OURO_FAIL_LOCK_ORDER, &high, "lock 'high' (level 9) is taken at above.c:34",
                    "while lock 'middle' (level 5) is held, taken at below.c:12",
                    "levels must fall", take_above);
    said_if_checked(OURO_FAIL_LOCK_ORDER, &twin, "lock 'twin' (level 5) is taken at other.c:34",
                    "while lock 'middle' (level 5) is held, taken at one.c:12", "one call",
                    take_beside);
    said_if_checked(OURO_FAIL_LOCK_ORDER, &middle, "taken at a place that is not known", "'low'",
                    "low.c:2", take_above_what_remains);
    said_if_checked(OURO_FAIL_LOCK_ORDER, &high, "above.c:34", "below.c:12", "levels must fall",
                    take_for_above);
}

static void take_twice(void *arg)
{
    (void)arg;
    ouro_lock_take(&middle, "first.c:1");
    ouro_lock_take(&low, "low.c:2");
    ouro_lock_take(&middle, "second.c:3");
}
static void take_twice_for(void *arg)
{
    (void)arg;
    ouro_lock_take(&middle, "first.c:1");
    had = ouro_lock_take_for(&middle, MILLISECOND, "second.c:3");
}
static void take_twice_in_all(void *arg)
{
    (void)arg;
    ouro_lock_take(&middle, "first.c:1");
    struct ouro_lock *const locks[] = {&low, &middle};
    ouro_lock_all(locks, 2, "second.c:3");
}

static void a_lock_that_is_held_already_is_named_by_both_libraries(void **state)
{
    (void)state;
    void (*const acts[])(void *) = {take_twice, take_twice_for, take_twice_in_all};
    for (size_t i = 0; i < OURO_COUNT_OF(acts); i++)
        said(OURO_FAIL_LOCK_ORDER, &middle, "'middle' (level 5) is taken at second.c:3",
             "it is held, taken at first.c:1", "by the same thread", acts[i]);
}

/* -- leaving ----------------------------------------------------------------------------------- */

static void release_what_is_not_held(void *arg)
{
    (void)arg;
    ouro_lock_take(&high, "high.c:1");
    ouro_lock_release(&low, "there.c:7");
}
static void release_low(void *arg)
{
    (void)arg;
    ouro_lock_release(&low, "there.c:7");
}
static void release_anothers(void *arg)
{
    ouro_lock_take(&low, "here.c:1");
    kit_elsewhere(release_low, arg);
}
static void pause_what_is_not_held(void *arg)
{
    (void)arg;
    ouro_lock_pause(&low, "there.c:7");
}
static void release_all_but_one(void *arg)
{
    (void)arg;
    struct ouro_lock *const locks[] = {&high, &low};
    ouro_lock_take(&high, NULL);
    ouro_lock_release_all(locks, 2, "there.c:7");
}
static void assert_what_is_not_held(void *arg)
{
    (void)arg;
    ouro_lock_assert(&low, "there.c:7");
}
static void wait_with_what_is_not_held(void *arg)
{
    (void)arg;
    (void)ouro_condition_wait_for(&condition, &low, 1, "there.c:7");
}

static void leaving_a_lock_that_is_not_held_is_named_by_both_libraries(void **state)
{
    (void)state;
    const char *not_held = "this thread does not hold it";
    said(OURO_FAIL_NOT_HELD, &low, "'low' (level 1) is released at there.c:7", not_held, "",
         release_what_is_not_held);
    if (THREADS_IN_CHILDREN)
        said(OURO_FAIL_NOT_HELD, &low, "released at there.c:7", not_held, "", release_anothers);
    said(OURO_FAIL_NOT_HELD, &low, "paused at there.c:7", not_held, "", pause_what_is_not_held);
    said(OURO_FAIL_NOT_HELD, &low, "released at there.c:7", not_held, "", release_all_but_one);
    said(OURO_FAIL_NOT_HELD, &low, "needed at there.c:7", not_held, "", assert_what_is_not_held);
    said(OURO_FAIL_NOT_HELD, &low, "waited with at there.c:7", not_held, "",
         wait_with_what_is_not_held);
}

static void end_a_held_one(void *arg)
{
    (void)arg;
    ouro_lock_take(&low, NULL);
    ouro_lock_end(&low);
}

static void a_lock_is_made_and_ended_and_not_while_it_is_held(void **state)
{
    (void)state;
    struct ouro_lock lock;
    memset(&lock, 0xA5, sizeof lock);
    for (int i = 0; i < 2; i++) {
        ouro_lock_init(&lock, "made", 3);
        ouro_lock_take(&lock, OURO_HERE);
        ouro_lock_release(&lock, OURO_HERE);
        ouro_lock_end(&lock);
    }
    said(OURO_FAIL_MISUSE, &low, "ended by the thread that holds it", "", "", end_a_held_one);
}

static void zeroes_are_what_the_system_initializes_with(void **state)
{
    (void)state;
    static const ouro__mutex mutex = OURO__MUTEX_INIT;
    static const ouro__condition system = OURO__CONDITION_INIT;
    static const uint64_t zeroes[6];
    assert_memory_equal(&mutex, zeroes, sizeof mutex);
    assert_memory_equal(&system, zeroes, sizeof system);
}

/* -- several ----------------------------------------------------------------------------------- */

static void many_locks_are_taken_and_left_whatever_their_order(void **state)
{
    (void)state;
    enum { MANY = 40 };
    static struct ouro_lock locks[MANY];
    struct ouro_lock *all[MANY];
    uint64_t seed = kit_seed(1);
    for (int i = 0; i < MANY; i++)
        ouro_lock_init(all[i] = &locks[i], "one of many", (uint32_t)(kit_random(&seed) % 8));
    ouro_lock_take(&high, OURO_HERE);
    for (int round = 0; round < 20; round++) {
        for (size_t i = MANY - 1; i > 0; i--) {
            size_t j = kit_random(&seed) % (i + 1);
            struct ouro_lock *other = all[i];
            all[i] = all[j];
            all[j] = other;
        }
        size_t n = (size_t)round * 2 + 1;
        ouro_lock_all(all, n, OURO_HERE);
        for (size_t i = 0; i < MANY; i++)
            assert_int_equal(ouro_lock_is_held(all[i]), i < n);
        ouro_lock_release_all(all, n, OURO_HERE);
        assert_true(ouro__held == &high && !high.next);
    }
    ouro_lock_all(NULL, 0, OURO_HERE);
    ouro_lock_release(&high, OURO_HERE);
    ouro_lock_both(&twin, &middle, OURO_HERE);
    assert_true(ouro_lock_is_held(&twin) && ouro_lock_is_held(&middle));
    ouro_lock_release_both(&middle, &twin, OURO_HERE);
    for (int i = 0; i < MANY; i++)
        ouro_lock_end(&locks[i]);
}

static void take_all_with_one_twice(void *arg)
{
    (void)arg;
    struct ouro_lock *const locks[] = {&low, &middle, &low};
    ouro_lock_all(locks, 3, "there.c:7");
}
static void release_all_with_one_twice(void *arg)
{
    (void)arg;
    struct ouro_lock *const locks[] = {&low, &low};
    ouro_lock_take(&low, NULL);
    ouro_lock_release_all(locks, 2, "there.c:7");
}
static void take_all_above(void *arg)
{
    (void)arg;
    ouro_lock_take(&middle, "below.c:12");
    struct ouro_lock *const locks[] = {&low, &twin};
    ouro_lock_all(locks, 2, "above.c:34");
}

static void only_low_is_held(const struct ouro_failure *failure, void *arg)
{
    KIT_CHECK(ouro__held == &low && !low.next);
    on_failure(failure, arg);
}
static void take_all_with_a_held_one(void *arg)
{
    (void)arg;
    struct ouro_lock *const locks[] = {&high, &low};
    ouro_lock_take(&low, "first.c:1");
    ouro_set_fail_handler(only_low_is_held, report);
    ouro_lock_all(locks, 2, "second.c:3");
}
static void release_all_with_one_that_is_not_held(void *arg)
{
    (void)arg;
    struct ouro_lock *const locks[] = {&low, &high};
    ouro_lock_take(&low, NULL);
    ouro_set_fail_handler(only_low_is_held, report);
    ouro_lock_release_all(locks, 2, "second.c:3");
}

static void a_call_for_several_is_checked_before_it_changes_any(void **state)
{
    (void)state;
    said(OURO_FAIL_LOCK_ORDER, &low, "'low' (level 1) is named twice", "there.c:7", "",
         take_all_with_one_twice);
    said(OURO_FAIL_LOCK_ORDER, &low, "'low' (level 1) is named twice", "there.c:7", "",
         release_all_with_one_twice);
    said_if_checked(OURO_FAIL_LOCK_ORDER, &twin, "'twin' (level 5) is taken at above.c:34",
                    "'middle' (level 5) is held, taken at below.c:12", "one call", take_all_above);
    said(OURO_FAIL_LOCK_ORDER, OURO_TEST_CHECKED ? &high : &low, "is taken at second.c:3",
         "held, taken at first.c:1", "", take_all_with_a_held_one);
    said(OURO_FAIL_NOT_HELD, &high, "released at second.c:3", "does not hold it", "",
         release_all_with_one_that_is_not_held);
}

/* -- without waiting --------------------------------------------------------------------------- */

static void try_low(void *arg)
{
    (void)arg;
    had = ouro_lock_try(&low, OURO_HERE);
    if (had)
        ouro_lock_release(&low, OURO_HERE);
}
static void try_low_for(void *arg)
{
    (void)arg;
    had = ouro_lock_take_for(&low, 2 * MILLISECOND, OURO_HERE);
    if (had)
        ouro_lock_release(&low, OURO_HERE);
}
static void take_between(void *arg)
{
    (void)arg;
    ouro_lock_take(&low, "low.c:1");
    KIT_CHECK(ouro_lock_try(&high, "high.c:2"));
    ouro_lock_take(&middle, "middle.c:3");
}

static void a_try_answers_at_once_at_any_level(void **state)
{
    (void)state;
    void (*const tries[])(void *) = {try_low, try_low_for};
    for (size_t i = 0; i < OURO_COUNT_OF(tries); i++) {
        if (OURO_THREADS) {
            ouro_lock_take(&low, OURO_HERE);
            kit_elsewhere(tries[i], NULL);
            assert_false(had);
            ouro_lock_release(&low, OURO_HERE);
        }
        kit_elsewhere(tries[i], NULL);
        assert_true(had);
    }
    ouro_lock_take(&middle, OURO_HERE);
    assert_true(ouro_lock_try(&high, OURO_HERE));
    assert_true(ouro_lock_try(&twin, OURO_HERE));
    assert_false(ouro_lock_try(&high, OURO_HERE));
    ouro_lock_take(&low, OURO_HERE);
    ouro_lock_release(&middle, OURO_HERE);
    ouro_lock_release_both(&twin, &high, OURO_HERE);
    ouro_lock_release(&low, OURO_HERE);
    assert_null(ouro__held);
    said_if_checked(OURO_FAIL_LOCK_ORDER, &middle, "'middle' (level 5) is taken at middle.c:3",
                    "'low' (level 1) is held, taken at low.c:1", "levels must fall", take_between);
}

/* -- pauses and conditions --------------------------------------------------------------------- */

static void resume_above(void *arg)
{
    (void)arg;
    ouro_lock_take(&middle, "first.c:1");
    ouro_lock_pause(&middle, NULL);
    ouro_lock_take(&low, "low.c:2");
    ouro_lock_resume(&middle, "again.c:3");
}

static void a_paused_lock_is_anybodys_and_retaken_by_level(void **state)
{
    (void)state;
    ouro_lock_take(&low, OURO_HERE);
    ouro_lock_pause(&low, OURO_HERE);
    assert_false(ouro_lock_is_held(&low));
    kit_elsewhere(try_low, NULL);
    assert_true(had);
    ouro_lock_take(&high, OURO_HERE);
    ouro_lock_resume(&low, OURO_HERE);
    assert_true(ouro_lock_is_held(&low));
    ouro_lock_release_both(&low, &high, OURO_HERE);
    said_if_checked(OURO_FAIL_LOCK_ORDER, &middle, "'middle' (level 5) is taken at again.c:3",
                    "'low' (level 1) is held, taken at low.c:2", "levels must fall", resume_above);
}

static void wait_above(void *arg)
{
    (void)arg;
    ouro_lock_take(&middle, "middle.c:1");
    ouro_lock_take(&low, "low.c:2");
    (void)ouro_condition_wait_for(&condition, &middle, 1, "wait.c:3");
}
static void wait_beside(void *arg)
{
    (void)arg;
    ouro_lock_both(&middle, &twin, "both.c:1");
    (void)ouro_condition_wait_for(&condition, &twin, 1, "wait.c:3");
}
static void wait_beside_the_other(void *arg)
{
    (void)arg;
    ouro_lock_both(&middle, &twin, "both.c:1");
    (void)ouro_condition_wait_for(&condition, &middle, 1, "wait.c:3");
}
static void wait_for_nobody(void *arg)
{
    (void)arg;
    ouro_lock_take(&low, NULL);
    ouro_condition_wait(&condition, &low, "wait.c:3");
}

static void a_wait_retakes_the_lock_by_level(void **state)
{
    (void)state;
    ouro_lock_take(&middle, OURO_HERE);
    ouro_lock_take(&low, OURO_HERE);
    uint64_t section = low.section;
    assert_false(ouro_condition_wait_for(&condition, &low, MILLISECOND, "wait.c:3"));
    assert_true(ouro__held == &low && low.next == &middle && low.section > section);
    assert_string_equal(low.site, "wait.c:3");
    ouro_lock_release_both(&low, &middle, OURO_HERE);
    said_if_checked(OURO_FAIL_LOCK_ORDER, &middle, "'middle' (level 5) is taken at wait.c:3",
                    "'low' (level 1) is held, taken at low.c:2", "levels must fall", wait_above);
    said_if_checked(OURO_FAIL_LOCK_ORDER, &twin, "taken at wait.c:3", "held, taken at both.c:1",
                    "one call", wait_beside);
    said_if_checked(OURO_FAIL_LOCK_ORDER, &middle, "taken at wait.c:3", "held, taken at both.c:1",
                    "one call", wait_beside_the_other);
    if (!OURO_THREADS)
        said(OURO_FAIL_MISUSE, &low, "nobody can end a wait", "", "", wait_for_nobody);
}

static void conditions_are_made_and_ended(void **state)
{
    (void)state;
    struct ouro_condition made;
    memset(&made, 0xA5, sizeof made);
    for (int i = 0; i < 2; i++) {
        ouro_condition_init(&made);
        ouro_condition_signal(&made);
        ouro_condition_broadcast(&made);
        ouro_condition_end(&made);
    }
}

/* -- threads' ends ----------------------------------------------------------------------------- */

static pthread_key_t key;
static void release_at_end(void *arg)
{
    ouro_lock_release(arg, OURO_HERE);
}
static void *keep_low(void *arg)
{
    ouro_lock_take(&low, "kept.c:5");
    if (arg)
        pthread_setspecific(key, arg);
    return NULL;
}
static void end_with_a_lock(void *arg)
{
    pthread_t thread;
    KIT_CHECK(pthread_key_create(&key, release_at_end) == 0);
    KIT_CHECK(pthread_create(&thread, NULL, keep_low, arg) == 0);
    KIT_CHECK(pthread_join(thread, NULL) == 0);
}
static void end_with_a_lock_for_good(void *arg)
{
    (void)arg;
    end_with_a_lock(NULL);
}

static void a_thread_that_ends_with_a_lock_is_named(void **state)
{
    (void)state;
    if (!THREADS_IN_CHILDREN)
        skip();
    said_if_checked(OURO_FAIL_MISUSE, &low, "a thread ends and holds lock 'low' (level 1)",
                    "taken at kept.c:5", "", end_with_a_lock_for_good);
    not_named(end_with_a_lock, &low); /* a destructor of thread-local data leaves it */
}

/* -- forks ------------------------------------------------------------------------------------- */

static void a_forks_child_has_its_threads_locks(void **state)
{
    (void)state;
    ouro_lock_take(&high, OURO_HERE);
    ouro_lock_take(&low, OURO_HERE);
    pid_t child = kit_fork();
    if (child == 0) {
        ouro_lock_release_both(&high, &low, OURO_HERE);
        ouro_lock_take(&high, OURO_HERE);
        kit_child_ends(7);
    }
    ouro_lock_release_both(&high, &low, OURO_HERE);
    assert_int_equal(kit_wait(child), 7);
}

int main(void)
{
    report_share();
    const struct CMUnitTest tests[] = {
        kit_test(locks_are_taken_at_falling_levels_and_left_in_any_order),
        kit_test(a_lock_out_of_order_is_named_with_both_places),
        kit_test(a_lock_that_is_held_already_is_named_by_both_libraries),
        kit_test(leaving_a_lock_that_is_not_held_is_named_by_both_libraries),
        kit_test(a_lock_is_made_and_ended_and_not_while_it_is_held),
        kit_test(zeroes_are_what_the_system_initializes_with),
        kit_test(many_locks_are_taken_and_left_whatever_their_order),
        kit_test(a_call_for_several_is_checked_before_it_changes_any),
        kit_test(a_try_answers_at_once_at_any_level),
        kit_test(a_paused_lock_is_anybodys_and_retaken_by_level),
        kit_test(a_wait_retakes_the_lock_by_level),
        kit_test(conditions_are_made_and_ended),
        kit_test(a_thread_that_ends_with_a_lock_is_named),
        kit_test(a_forks_child_has_its_threads_locks),
    };
    return kit_run(tests);
}
