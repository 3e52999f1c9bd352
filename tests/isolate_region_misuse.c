/* SPDX-License-Identifier: MIT */
/* White-box: includes orc_kit.h, by region_kit.h. What a program must not do with regions, and how it
 * is told. */
#include "named.h"
#include "region_kit.h"

static void misused(void (*act)(void *), void *arg, const char *detail)
{
    run_in_child(act, arg);
    assert_true(aborted());
    assert_int_equal(report->times, 1);
    assert_int_equal(report->failure.kind, OURO_FAIL_MISUSE);
    assert_string_equal(report->detail, detail);
}

static struct ouro_region *isolated_region(void)
{
    struct ouro_region *region = region_new();
    enter(region);
    struct node *root = node_new(1);
    ouro_region_leave(region);
    struct ouro_isolated *handle;
    KIT_CHECK(ouro_region_isolate(region, root, &handle, NULL) == OURO_OK);
    return region;
}

static void enter_isolated(void *arg)
{
    (void)arg;
    (void)ouro_region_enter(isolated_region());
}
static void end_isolated(void *arg)
{
    (void)arg;
    (void)ouro_region_end(isolated_region());
}
static void isolate_twice(void *unchecked)
{
    struct ouro_isolated *handle;
    int none = 0;
    if (unchecked)
        (void)ouro_region_isolate_unchecked(isolated_region(), &none, &handle);
    else
        (void)ouro_region_isolate(isolated_region(), &none, &handle, NULL);
}
static void leave_the_outer_one(void *arg)
{
    (void)arg;
    struct ouro_region *outer = region_new(), *inner = region_new();
    enter(outer);
    enter(inner);
    ouro_region_leave(outer);
}
static void leave_none(void *arg)
{
    ouro_region_leave(arg);
}
static void leave_after_a_runtime(void *arg)
{
    struct ouro_region *region = arg;
    enter(region);
    KIT_CHECK(ouro_runtime_enter(ouro_runtime_default()) == OURO_OK);
    ouro_region_leave(region);
}
static void leave_the_runtime(void *arg)
{
    KIT_CHECK(ouro_runtime_enter(ouro_runtime_default()) == OURO_OK);
    enter(arg);
    ouro_runtime_leave(ouro_runtime_default());
}
static void detach_inside(void *arg)
{
    enter(arg);
    ouro_thread_detach();
}
static void extract_twice(void *arg)
{
    (void)arg;
    struct ouro_region *region = isolated_region();
    struct ouro_isolated *handle = (void *)region; /* where it stands */
    KIT_CHECK(ouro_region_extract(handle, NULL) == region);
    KIT_CHECK(ouro_region_extract(handle, NULL) == NULL);
    (void)ouro_extract(handle);
}

static void enter_ended(void *arg)
{
    KIT_CHECK(ouro_region_end(arg) == OURO_OK);
    (void)ouro_region_enter(arg);
}
static void end_twice(void *arg)
{
    KIT_CHECK(ouro_region_end(arg) == OURO_OK);
    (void)ouro_region_end(arg);
}
static void drop_twice(void *arg)
{
    (void)arg;
    struct ouro_isolated *handle = (void *)isolated_region();
    ouro_isolated_drop(handle);
    ouro_isolated_drop(handle);
}
static struct ouro_mark before;
static void jump(struct hooked *dying)
{
    (void)dying;
    ouro_frame_unwind(&before);
}
static void leave_by_a_hook(void *arg)
{
    (void)arg;
    struct ouro_region *region = region_new();
    enter(region);
    struct hooked *root = hooked_new(1);
    ouro_region_leave(region);
    struct ouro_isolated *handle;
    KIT_CHECK(ouro_region_isolate(region, root, &handle, NULL) == OURO_OK);
    before = ouro_frame_mark();
    kit_on_destroy = jump;
    ouro_isolated_drop(handle);
}

static void misuse_of_regions_is_named(void **state)
{
    (void)state;
    static const char left[] = "a region was left that is not what was entered last";
    struct ouro_region *region = region_new();
    misused(enter_isolated, NULL, "a region was entered, but it is isolated");
    misused(end_isolated, NULL, "a region was ended, but it is isolated");
    misused(isolate_twice, NULL, "a region was isolated, but it is so already");
    misused(isolate_twice, region, "a region was isolated, but it is so already");
    misused(leave_the_outer_one, NULL, left);
    misused(leave_none, NULL, left);
    misused(leave_none, region, left);
    misused(leave_after_a_runtime, region, left);
    misused(leave_the_runtime, region, "a runtime was left that is not the one entered last");
    misused(detach_inside, region, "a thread was detached while it was in a region");
    misused(extract_twice, NULL, "a handle was extracted, but it is none any more");
    misused(enter_ended, region, "a region was used after its end");
    misused(end_twice, region, "a region was used after its end");
    misused(drop_twice, NULL, "a handle was extracted, but it is none any more");
    if (OURO_THREADS && !OURO_CHECKED && !KIT_ATOMIC && !ouro__supply()->block)
        misused(leave_by_a_hook, NULL, "a hook left the end of a region");
    assert_int_equal(ouro_region_end(region), OURO_OK);
}

/* Borrowed pointers that the sender keeps. */
static void incref(void *object)
{
    ouro_incref(object);
}
static void store_null(void *object)
{
    struct node *node = object;
    ouro_slot_store(node, (void **)&node->b, NULL);
}
static void ask_unique(void *object)
{
    (void)ouro_is_unique(object);
}

static void a_pointer_into_an_isolated_region_is_found(void **state)
{
    (void)state;
    static void (*const uses[])(void *) = {incref, store_null, ask_unique};
    if (!OURO_TEST_CHECKED || OURO_RC == OURO_RC_LOCAL || ouro__supply()->block)
        skip(); /* of local mode it is the wrong thread's already */
    struct ouro_region *region = region_new();
    enter(region);
    struct node *root = node_new(1);
    ouro_region_leave(region);
    struct ouro_isolated *handle;
    KIT_CHECK(ouro_region_isolate(region, root, &handle, NULL) == OURO_OK);
    for (size_t i = 0; i < OURO_COUNT_OF(uses); i++)
        named(OURO_FAIL_MISUSE, root, "struct node", uses[i], root);
    KIT_CHECK(ouro_region_extract(handle, NULL) == region);
    enter(region);
    for (size_t i = 0; i < OURO_COUNT_OF(uses); i++)
        not_named(uses[i], root);
    ouro_decref(root);
    ouro_region_leave(region);
    assert_int_equal(ouro_region_end(region), OURO_OK);
}

static void trust(void *arg)
{
    (void)arg;
    struct ouro_region *region = region_new();
    enter(region);
    struct node *root = node_new(1);
    root->a = node_new(2);
    ouro_incref(root->a);
    ouro_region_leave(region);
    struct ouro_isolated *handle;
    (void)ouro_region_isolate_unchecked(region, root, &handle);
}

static void the_checked_library_looks_at_what_it_is_told(void **state)
{
    (void)state;
    if (OURO_TEST_CHECKED)
        misused(trust, NULL, "said to be isolated, but it is not: struct node.a -> struct node");
}

int main(void)
{
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    KIT_CHECK(report != MAP_FAILED);
    const struct CMUnitTest tests[] = {
        kit_test(misuse_of_regions_is_named),
        kit_test(a_pointer_into_an_isolated_region_is_found),
        kit_test(the_checked_library_looks_at_what_it_is_told),
    };
    return kit_run(tests);
}
