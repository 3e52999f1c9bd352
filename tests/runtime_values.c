/* SPDX-License-Identifier: MIT */
/* White-box: see orc_kit.h. A runtime is a value: its own limit, options, handlers, statistics,
 * triggers and leaks; what wrong use of one does. */
#include "orc_kit.h"
#include "alloc/valgrind.h"

#include <string.h>

static struct ouro_runtime *made(const struct ouro_runtime_config *config)
{
    struct ouro_runtime *runtime = NULL;
    assert_int_equal(ouro_runtime_new(config, &runtime), OURO_OK);
    assert_non_null(runtime);
    return runtime;
}

static void enter(struct ouro_runtime *runtime)
{
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
}

static void destroy(struct ouro_runtime *runtime)
{
    const char *why = "?";
    assert_int_equal(ouro_runtime_destroy(runtime, &why), OURO_OK);
    assert_null(why);
}

static void entering_and_leaving_nest(void **state)
{
    (void)state;
    struct ouro_runtime *a = made(NULL), *b = made(NULL);
    assert_ptr_equal(ouro_runtime_current(), ouro_runtime_default());
    enter(a);
    enter(b);
    enter(a);
    enter(a);
    assert_ptr_equal(ouro_runtime_current(), a);
    ouro_runtime_leave(a);
    ouro_runtime_leave(a);
    assert_ptr_equal(ouro_runtime_current(), b);
    for (int i = 0; i < 100; i++)
        enter(i % 2 ? a : ouro_runtime_default());
    for (int i = 99; i >= 0; i--)
        ouro_runtime_leave(i % 2 ? a : ouro_runtime_default());
    ouro_runtime_leave(b);
    ouro_runtime_leave(a);
    assert_ptr_equal(ouro_runtime_current(), ouro_runtime_default());
    destroy(a);
    destroy(b);
}

static void births_and_cycles_stay_where_they_were_made(void **state)
{
    (void)state;
    struct ouro_runtime *a = made(NULL);
    struct node *outside = kit_garbage_ring(10);
    enter(a);
    (void)kit_garbage_ring(7);
    struct node *kept = node_new(1);
    assert_int_equal(ouro_candidates(), 1);
    assert_int_equal(ouro_collect(NULL), 7);
    ouro_runtime_leave(a);
    assert_int_equal(ouro_candidates(), 1);
    assert_int_equal(outside->id, 0);
    assert_int_equal(ouro_collect(NULL), 10);
    enter(a);
    ouro_decref(kept);
    ouro_runtime_leave(a);
    destroy(a);
}

static void a_limit_is_the_runtimes_own(void **state)
{
    (void)state;
    struct ouro_runtime_config config = {.limit = 1 << 20};
    struct ouro_runtime *a = made(&config);
    enter(a);
    void *blocks[64] = {NULL};
    unsigned n = 0;
    while (n < 64 && (blocks[n] = ouro_malloc(60000)) != NULL)
        n++;
    assert_in_range(n, 1, 20);
    ouro_runtime_leave(a);
    void *p = ouro_malloc(8 << 20);
    assert_non_null(p);
    ouro_free(p);
    for (unsigned i = 0; i < n; i += 2)
        ouro_free(blocks[i]); /* from another runtime */
    enter(a);
    p = ouro_malloc(60000);
    assert_non_null(p);
    ouro_runtime_leave(a);
    destroy(a); /* the rest goes with it */
}

static bool refused(size_t bytes, void *arg)
{
    (void)bytes;
    ++*(int *)arg;
    return false;
}

static void options_and_callbacks_are_the_runtimes_own(void **state)
{
    (void)state;
    int calls = 0;
    static const struct ouro_option_value options[] = {{"collect_candidates", 77},
                                                       {"purge_delay", 5}};
    struct ouro_runtime_config config = {.limit = 1 << 18,
                                         .memory_callback = refused,
                                         .memory_arg = &calls,
                                         .options = options,
                                         .option_count = 2};
    struct ouro_runtime *a = made(&config);
    int64_t before = ouro_option_get(OURO_OPTION_collect_candidates);
    enter(a);
    assert_int_equal(ouro_option_get(OURO_OPTION_collect_candidates), 77);
    assert_int_equal(ouro_option_get(OURO_OPTION_limit), 1 << 18);
    assert_null(ouro_malloc(1 << 20));
    assert_int_equal(calls, 1);
    assert_int_equal(ouro_option_set("collect_candidates", 5), OURO_OK);
    ouro_runtime_leave(a);
    assert_int_equal(ouro_option_get(OURO_OPTION_collect_candidates), before);
    destroy(a);
}

static void statistics_and_leaks_are_the_runtimes_own(void **state)
{
    (void)state;
    struct ouro_stats outside, inside;
    struct ouro_runtime *a = made(NULL);
    enter(a);
    struct node *n = node_new(1);
    void *p = ouro_malloc(100);
    ouro_stats_get(&inside);
    ouro_runtime_leave(a);
    ouro_stats_get(&outside);
    if (heapcheck_can_walk()) {
        assert_int_equal(inside.counted.blocks, 1);
        assert_int_equal(heapcheck_count(NULL), 0);
        enter(a);
        assert_int_equal(heapcheck_count(NULL), 1);
        assert_int_equal(ouro_check_heap(), 1);
        ouro_runtime_leave(a);
    }
    assert_true(inside.used > 0);
    ouro_free(p);
    enter(a);
    ouro_decref(n);
    ouro_runtime_leave(a);
    destroy(a);
}

static void the_end_collects_cycles_and_runs_their_hooks(void **state)
{
    (void)state;
    struct ouro_runtime *a = made(NULL);
    enter(a);
    struct hooked *h = hooked_new(1), *i = hooked_new(2);
    h->a = i;
    i->a = h;
    ouro_incref(h);
    ouro_decref(h);
    ouro_runtime_leave(a);
    destroy(a);
    assert_int_equal(kit_destroyed, 2);
}

static void hooks_of_what_is_left_run_if_asked_for(void **state)
{
    (void)state;
    for (int run = 0; run < 2; run++) {
        struct ouro_runtime_config config = {.run_hooks = run};
        struct ouro_runtime *a = made(&config);
        static const struct ouro_option_value quiet = {"leaks", 0};
        config.options = &quiet;
        config.option_count = 1;
        destroy(a);
        a = made(&config);
        kit_destroyed = 0;
        enter(a);
        struct hooked *h = hooked_new(1);
        h->a = hooked_new(2);
        h->b = hooked_new(3);
        h->a->a = h->b;
        ouro_incref(h->b);
        (void)node_new(4);
        (void)leaf_new(5);
        ouro_runtime_leave(a);
        destroy(a);
        assert_int_equal(kit_destroyed, run ? 4 : 0);
    }
}

static void leave_something(void *arg)
{
    struct ouro_runtime *a = arg;
    KIT_CHECK(ouro_runtime_enter(a) == OURO_OK);
    (void)node_new(4);
    KIT_CHECK(ouro_option_set("leaks", 1) == OURO_OK);
    ouro_runtime_leave(a);
    KIT_CHECK(ouro_runtime_destroy(a, NULL) == OURO_OK);
}

static void what_is_left_is_reported_if_asked_for(void **state)
{
    (void)state;
    if (!heapcheck_can_walk())
        skip();
    const char *said = kit_stderr_of(leave_something, made(NULL));
    assert_non_null(strstr(said, "alive: 1 object of type struct node"));
}

static void references_to_other_runtimes_are_dropped_at_the_end(void **state)
{
    (void)state;
    static const struct ouro_option_value quiet = {"leaks", 0};
    struct ouro_runtime_config config = {.options = &quiet, .option_count = 1};
    struct ouro_runtime *a = made(&config);
    struct hooked *outside = ouro_new_biased(&hooked_type, sizeof *outside);
    assert_non_null(outside);
    enter(a);
    struct node *n = node_new(1);
    ouro_incref_biased(outside);
    n->a = (struct node *)(void *)outside;
    ouro_runtime_leave(a);
    destroy(a);
    ouro_poll();
    assert_int_equal(ouro_count(outside), 1);
    ouro_decref_biased(outside);
    assert_int_equal(kit_destroyed, 1);
}

/* -- wrong use --------------------------------------------------------------------------------- */

static void refusals_are_named(void **state)
{
    (void)state;
    const char *why;
    struct ouro_runtime *a = made(NULL), *none = a;
    assert_int_equal(ouro_runtime_new(NULL, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_runtime_enter(NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_runtime_destroy(NULL, &why), OURO_BAD_ARGUMENT);
    assert_string_equal(why, "no runtime");
    assert_int_equal(ouro_runtime_destroy(ouro_runtime_default(), &why), OURO_BAD_ARGUMENT);
    assert_string_equal(why, "the default runtime cannot be destroyed");
    enter(a);
    assert_int_equal(ouro_runtime_destroy(a, &why), OURO_BUSY);
    assert_string_equal(why, "the calling thread is in the runtime");
    enter(ouro_runtime_default());
    assert_int_equal(ouro_runtime_destroy(a, &why), OURO_BUSY);
    ouro_runtime_leave(ouro_runtime_default());
    ouro_runtime_leave(a);
    destroy(a);
    assert_int_equal(ouro_runtime_destroy(a, &why), OURO_BAD_ARGUMENT);
    assert_string_equal(why, "the runtime was destroyed before");
    static const struct ouro_option_value options[] = {
        {"no such", 1}, {"purge_delay", -1}, {"supply", 1}, {NULL, 1}};
    static const ouro_status answers[] = {OURO_UNKNOWN_NAME, OURO_BAD_ARGUMENT, OURO_TOO_LATE,
                                          OURO_BAD_ARGUMENT};
    for (size_t i = 0; i < OURO_COUNT_OF(options); i++) {
        struct ouro_runtime_config config = {.options = &options[i], .option_count = 1};
        assert_int_equal(ouro_runtime_new(&config, &none), answers[i]);
        assert_null(none);
    }
    struct ouro_supply incomplete = {.name = "incomplete"};
    struct ouro_runtime_config config = {.supply = &incomplete};
    assert_int_equal(ouro_runtime_new(&config, &none), OURO_BAD_ARGUMENT);
}

static void leave_without_enter(void *arg)
{
    ouro_runtime_leave(arg);
}

static void leave_another(void *arg)
{
    KIT_CHECK(ouro_runtime_enter(arg) == OURO_OK);
    KIT_CHECK(ouro_runtime_enter(ouro_runtime_default()) == OURO_OK);
    ouro_runtime_leave(arg);
}

static void enter_destroyed(void *arg)
{
    KIT_CHECK(ouro_runtime_destroy(arg, NULL) == OURO_OK);
    (void)ouro_runtime_enter(arg);
}

static void misuse_is_named(void **state)
{
    (void)state;
    struct ouro_runtime *a = made(NULL);
    assert_int_equal(kit_failure_of(leave_without_enter, a), OURO_FAIL_MISUSE);
    assert_int_equal(kit_failure_of(enter_destroyed, a), OURO_FAIL_MISUSE);
    destroy(a);
}

static void handler_of_a(const struct ouro_failure *failure, void *arg)
{
    (void)failure;
    kit_child_ends(*(int *)arg);
}

static void fail_inside(void *arg)
{
    KIT_CHECK(ouro_runtime_enter(arg) == OURO_OK);
    ouro_fail(OURO_FAIL_MISUSE, NULL, NULL, "on purpose");
}

static void a_failure_handler_is_the_runtimes_own(void **state)
{
    (void)state;
    int status = 42;
    struct ouro_runtime_config config = {.fail_handler = handler_of_a, .fail_arg = &status};
    struct ouro_runtime *a = made(&config);
    assert_int_equal(kit_failure_of(fail_inside, a), 42);
    assert_int_equal(kit_failure_of(leave_another, a), OURO_FAIL_MISUSE);
    destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(entering_and_leaving_nest),
        kit_test(births_and_cycles_stay_where_they_were_made),
        kit_test(a_limit_is_the_runtimes_own),
        kit_test(options_and_callbacks_are_the_runtimes_own),
        kit_test(statistics_and_leaks_are_the_runtimes_own),
        kit_test(the_end_collects_cycles_and_runs_their_hooks),
        kit_test(hooks_of_what_is_left_run_if_asked_for),
        kit_test(what_is_left_is_reported_if_asked_for),
        kit_test(references_to_other_runtimes_are_dropped_at_the_end),
        kit_test(refusals_are_named),
        kit_test(misuse_is_named),
        kit_test(a_failure_handler_is_the_runtimes_own),
    };
    return kit_run(tests);
}
