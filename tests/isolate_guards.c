/* SPDX-License-Identifier: MIT */
/* White-box: includes orc_kit.h. Guarded locations: when they open, and what is said when not. */
#include "lock_kit.h"

static struct ouro_lock high = OURO_LOCK_INIT("high", 9), low = OURO_LOCK_INIT("low", 1);
static struct ouro_condition condition = OURO_CONDITION_INIT;

static int data = 1, other_data = 2;
static struct ouro_guarded guarded = OURO_GUARDED_INIT(&low, &data);

/* The rest of the child has had a second thread, which is there still. */
static void have_another_thread(void)
{
    if (OURO_THREADS)
        (void)kit_other_start();
}
static void open_early(void *arg)
{
    (void)arg;
    struct ouro_opening opening;
    KIT_CHECK(ouro_guard_open(&guarded, &opening, "early.c:1") == &data);
    KIT_CHECK(ouro_opening_pointer(&opening, "early.c:2") == &data);
    KIT_CHECK(ouro_guard_exchange(&guarded, &other_data, NULL) == &data);
    ouro_guard_check(&low, NULL);
    KIT_CHECK(ouro_guard_open(&guarded, &opening, "early.c:3") == &other_data);
    ouro_lock_take(&low, NULL);
    KIT_CHECK(ouro_guard_open(&guarded, NULL, NULL) == &other_data);
    KIT_CHECK(ouro_opening_pointer(&opening, "early.c:4") == &other_data); /* nobody had it since */
}
static void open_late(void *arg)
{
    (void)arg;
    have_another_thread();
    ouro_lock_take(&low, NULL);
    KIT_CHECK(ouro_guard_open(&guarded, NULL, NULL) == &data);
    ouro_lock_release(&low, NULL);
    (void)ouro_guard_open(&guarded, NULL, "late.c:9");
}
static void open_with_another_lock(void *arg)
{
    (void)arg;
    have_another_thread();
    ouro_lock_take(&high, NULL);
    (void)ouro_guard_open(&guarded, NULL, "late.c:9");
}
static void exchange_late(void *arg)
{
    (void)arg;
    have_another_thread();
    (void)ouro_guard_exchange(&guarded, NULL, "late.c:9");
}
static void check_late(void *arg)
{
    (void)arg;
    have_another_thread();
    ouro_guard_check(&low, "late.c:9");
}
static void check_elsewhere(void *arg)
{
    (void)arg;
    ouro_guard_check(&low, "late.c:9");
}
static void check_what_another_holds(void *arg)
{
    ouro_lock_take(&low, NULL);
    kit_elsewhere(check_elsewhere, arg);
}

static void a_guard_opens_with_its_lock_or_before_there_are_threads(void **state)
{
    (void)state;
    void (*const late[])(void *) = {open_late, open_with_another_lock, exchange_late, check_late,
                                    check_what_another_holds};
    not_named(open_early, NULL);
    for (size_t i = 0; THREADS_IN_CHILDREN && i < OURO_COUNT_OF(late); i++)
        said(OURO_FAIL_NOT_HELD, &low, "lock 'low' (level 1) is needed at late.c:9",
             "this thread does not hold it", "", late[i]);
}

static void use_after_release(void *arg)
{
    (void)arg;
    struct ouro_opening opening;
    ouro_lock_take(&low, NULL);
    (void)ouro_guard_open(&guarded, &opening, "open.c:1");
    ouro_lock_release(&low, NULL);
    (void)ouro_opening_pointer(&opening, "use.c:2");
}
static void use_after_pause(void *arg)
{
    (void)arg;
    struct ouro_opening opening;
    ouro_lock_take(&low, NULL);
    (void)ouro_guard_open(&guarded, &opening, "open.c:1");
    ouro_lock_pause(&low, NULL);
    ouro_lock_resume(&low, NULL);
    (void)ouro_opening_pointer(&opening, "use.c:2");
}
static void use_after_wait(void *arg)
{
    (void)arg;
    struct ouro_opening opening;
    ouro_lock_take(&low, NULL);
    (void)ouro_guard_open(&guarded, &opening, "open.c:1");
    (void)ouro_condition_wait_for(&condition, &low, 1, NULL);
    (void)ouro_opening_pointer(&opening, "use.c:2");
}
static void use_after_exchange(void *arg)
{
    (void)arg;
    struct ouro_opening opening;
    ouro_lock_take(&low, NULL);
    (void)ouro_guard_open(&guarded, &opening, "open.c:1");
    (void)ouro_guard_exchange(&guarded, &other_data, NULL);
    (void)ouro_opening_pointer(&opening, "use.c:2");
}
static void use_early_opening_late(void *arg)
{
    (void)arg;
    struct ouro_opening opening;
    (void)ouro_guard_open(&guarded, &opening, "open.c:1");
    have_another_thread();
    (void)ouro_opening_pointer(&opening, "use.c:2");
}

static void stale_openings_are_named_with_both_places(void **state)
{
    (void)state;
    struct ouro_opening opening;
    ouro_lock_take(&low, OURO_HERE);
    assert_ptr_equal(ouro_guard_open(&guarded, &opening, OURO_HERE), &data);
    assert_ptr_equal(ouro_opening_pointer(&opening, OURO_HERE), &data);
    ouro_lock_release(&low, OURO_HERE);
    const char *use = "needed for a stale opening at use.c:2";
    const struct {
        void (*act)(void *);
        const char *why;
    } stale[] = {{use_after_release, "not held any more: opened at open.c:1"},
                 {use_after_pause, "left and retaken since: opened at open.c:1"},
                 {use_after_wait, "left and retaken since: opened at open.c:1"},
                 {use_after_exchange, "exchanged since: opened at open.c:1"}};
    for (size_t i = 0; i < OURO_COUNT_OF(stale); i++)
        said_if_checked(OURO_FAIL_NOT_HELD, &low, use, stale[i].why, "'low' (level 1)",
                        stale[i].act);
    if (THREADS_IN_CHILDREN)
        said_if_checked(OURO_FAIL_NOT_HELD, &low, use, "not held any more: opened at open.c:1", "",
                        use_early_opening_late);
}

static void a_guarded_location_owns_what_is_put_in(void **state)
{
    (void)state;
    struct ouro_guarded location = OURO_GUARDED_INIT(&low, NULL);
    ouro_lock_take(&low, OURO_HERE);
    ouro_guard_set(&location, hooked_new(1), OURO_HERE);
    assert_int_equal(kit_destroyed, 0);
    ouro_guard_set(&location, hooked_new(2), OURO_HERE);
    assert_int_equal(kit_destroyed, 1);
    struct hooked *was = ouro_guard_exchange(&location, NULL, OURO_HERE);
    assert_int_equal(was->id, 2);
    ouro_guard_set(&location, NULL, OURO_HERE);
    ouro_lock_release(&low, OURO_HERE);
    ouro_decref(was);
    assert_int_equal(kit_destroyed, 2);
}

int main(void)
{
    report_share();
    const struct CMUnitTest tests[] = {
        /* first: the process has had no thread */
        kit_test(a_guard_opens_with_its_lock_or_before_there_are_threads),
        kit_test(stale_openings_are_named_with_both_places),
        kit_test(a_guarded_location_owns_what_is_put_in),
    };
    return kit_run(tests);
}
