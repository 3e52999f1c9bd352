/* SPDX-License-Identifier: MIT */
/* White-box: see orc_kit.h. A runtime ends where there is no memory, and where hooks go on making
 * garbage. */
#include "orc_kit.h"
#include "alloc/own.h"

#include <string.h>

static int refuse_now;

static void *map(size_t size, size_t align)
{
    return refuse_now ? NULL : ouro_supply_mmap.map(size, align);
}

static struct ouro_runtime *made(struct ouro_runtime_config config)
{
    static const struct ouro_option_value quiet = {"leaks", 0};
    static struct ouro_supply supply;
    supply = ouro_supply_mmap;
    supply.name = "refusing";
    supply.map = map;
    struct ouro_runtime *runtime = NULL;
    config.options = &quiet;
    config.option_count = 1;
    config.supply = &supply;
    assert_int_equal(ouro_runtime_new(&config, &runtime), OURO_OK);
    return runtime;
}

static void enter(struct ouro_runtime *runtime)
{
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
}

/* A cycle of two that nobody refers to; false: there is no memory. */
static bool make_garbage(void)
{
    struct hooked *h = ouro_new(&hooked_type, sizeof *h);
    struct hooked *i = h ? ouro_new(&hooked_type, sizeof *i) : NULL;
    if (!i) {
        ouro_decref(h);
        return false;
    }
    h->id = 1;
    h->a = i;
    i->a = h;
    ouro_incref(h);
    ouro_decref(h);
    return true;
}

/* Up to so many of them; their objects. Nothing is collected. */
static ouro_word leave_garbage(struct ouro_runtime *runtime, size_t most)
{
    enter(runtime);
    ouro_collect_pause();
    size_t n = 0;
    while (n < most && make_garbage())
        n++;
    ouro_runtime_leave(runtime);
    assert_true(kit_destroyed <= (n < most)); /* one that found no other to refer to */
    kit_destroyed = 0;
    return 2 * n;
}

static void cycles_of_a_runtime_at_its_limit_are_collected_at_its_end(void **state)
{
    (void)state;
    if (ouro_supply_get()->block)
        skip(); /* candidates that found no room are not looked for (lost.c) */
    struct ouro_runtime *runtime = made((struct ouro_runtime_config){.limit = (size_t)16 << 20});
    ouro_word n = leave_garbage(runtime, SIZE_MAX);
    assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
    assert_int_equal(kit_destroyed, n);
}

static void an_end_that_finds_no_memory_is_refused_and_can_be_had_later(void **state)
{
    (void)state;
    if (ouro_supply_get()->block)
        skip(); /* libc's memory is the runtime's */
    const char *why = NULL;
    struct ouro_runtime *runtime = made((struct ouro_runtime_config){.limit = 0});
    ouro_word n = leave_garbage(runtime, 300000);
    refuse_now = 1;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ouro_runtime_destroy(runtime, &why), OURO_NO_MEMORY);
        assert_string_equal(why, "no memory to collect its cycles");
        assert_int_equal(kit_destroyed, 0);
        enter(runtime);
        struct hooked *h = hooked_new(5);
        ouro_decref(h);
        ouro_runtime_leave(runtime);
        assert_int_equal(kit_destroyed, 1);
        kit_destroyed = 0;
    }
    refuse_now = 0;
    assert_int_equal(ouro_runtime_destroy(runtime, &why), OURO_OK);
    assert_null(why);
    assert_int_equal(kit_destroyed, n);
}

static void leave_one(void *runtime)
{
    KIT_CHECK(ouro_runtime_enter(runtime) == OURO_OK);
    (void)hooked_new(1);
    ouro_runtime_leave(runtime);
}

static void a_thread_that_gets_no_record_cannot_end_a_runtime(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    const char *why = NULL;
    struct ouro_runtime *runtime = made((struct ouro_runtime_config){.run_hooks = true});
    kit_elsewhere(leave_one, runtime);
    struct node *mine = node_new(1);
    unsigned exits = ouro__own.exits;
    ouro__own.exits = 100; /* it gets no heap any more */
    assert_int_equal(ouro_runtime_destroy(runtime, &why), OURO_NO_MEMORY);
    ouro__own.exits = exits;
    assert_string_equal(why, "no memory");
    assert_ptr_equal(ouro_runtime_current(), ouro_runtime_default());
    ouro_decref(mine); /* by the record that it had */
    assert_int_equal(kit_destroyed, 0);
    kit_elsewhere(leave_one, runtime);
    assert_int_equal(ouro_runtime_destroy(runtime, &why), OURO_OK);
    assert_int_equal(kit_destroyed, 2);
}

/* -- hooks that go on -------------------------------------------------------------------------- */

static void make_more(struct hooked *dying)
{
    if (dying->id == 1)
        (void)make_garbage();
}

static void hooks_that_make_garbage_for_ever_do_not_hold_up_the_end(void **state)
{
    (void)state;
    for (int run = 0; run < 2; run++) {
        struct ouro_runtime *runtime = made((struct ouro_runtime_config){.run_hooks = run});
        kit_destroyed = 0;
        kit_on_destroy = make_more;
        enter(runtime);
        assert_true(make_garbage());
        ouro_runtime_leave(runtime);
        assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
        assert_true(kit_destroyed > 100);
        kit_on_destroy = NULL;
    }
}

static struct node *outside;
static size_t born;

/* Leaves objects behind that refer to another runtime. */
static void leave_more(struct hooked *dying)
{
    struct hooked *fresh = hooked_new(dying->id + 1);
    ouro_incref_biased(outside);
    fresh->b = (struct hooked *)(void *)outside;
    born++;
}

static void what_hooks_leave_at_the_end_ends_too(void **state)
{
    (void)state;
    outside = node_new(1);
    struct ouro_runtime *runtime = made((struct ouro_runtime_config){.run_hooks = true});
    enter(runtime);
    (void)hooked_new(1);
    ouro_runtime_leave(runtime);
    kit_on_destroy = leave_more;
    assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
    kit_on_destroy = NULL;
    assert_int_equal(born, kit_destroyed);
    assert_true(born > 1);
    ouro_poll();
    assert_int_equal(ouro_count(outside), 1);
    ouro_decref(outside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(cycles_of_a_runtime_at_its_limit_are_collected_at_its_end),
        kit_test(an_end_that_finds_no_memory_is_refused_and_can_be_had_later),
        kit_test(a_thread_that_gets_no_record_cannot_end_a_runtime),
        kit_test(hooks_that_make_garbage_for_ever_do_not_hold_up_the_end),
        kit_test(what_hooks_leave_at_the_end_ends_too),
    };
    return kit_run(tests);
}
