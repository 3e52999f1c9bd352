/* SPDX-License-Identifier: MIT */
/* White-box: includes orc_kit.h, by region_kit.h. Regions that are entered, moved and proved
 * to be isolated, or refused; want of memory; runtimes. */
#include "region_kit.h"

/* -- moving ------------------------------------------------------------------------------------ */

static void what_is_made_in_a_region_is_plainly_counted_there(void **state)
{
    (void)state;
    struct node *root;
    struct ouro_region *region = region_with(&root);
    unsigned outside = ouro__self->home;
    enter(region);
    assert_ptr_equal(ouro_region_current(), region);
    if (OURO_THREADS)
        assert_int_not_equal(ouro__self->home, outside);
    check_mine(root, NODES);
    ouro_region_leave(region);
    assert_int_equal(ouro__self->home, outside);
    assert_null(ouro_region_current());
    drop_in(region, root);
    assert_int_equal(ouro_region_end(region), OURO_OK);
}

static void an_isolated_region_is_extracted_as_it_was(void **state)
{
    (void)state;
    struct node *root;
    struct ouro_region *region = region_with(&root);
    struct ouro_isolated *handle = sealed(region, root);
    assert_int_equal(ouro_isolated_objects(handle), NODES);
    void *again = NULL;
    assert_ptr_equal(ouro_region_extract(handle, &again), region);
    assert_ptr_equal(again, root);
    enter(region);
    check_mine(root, NODES);
    ouro_check_heap();
    ouro_region_leave(region);
    assert_null(ouro_region_extract(NULL, NULL));
    struct ouro_isolated *unlooked = NULL;
    assert_int_equal(ouro_region_isolate_unchecked(region, root, &unlooked), OURO_OK);
    drop_sealed(unlooked);
}

static void extract_makes_a_region_the_threads_own(void **state)
{
    (void)state;
    struct node *root;
    struct ouro_region *region = region_with(&root);
    root = ouro_extract(sealed(region, root));
    assert_non_null(root);
    check_mine(root, NODES);
    ouro_check_heap();
    ouro_decref(root);
    ouro_collect(NULL);
}

static void a_graph_that_is_no_region_is_not_extracted_as_one(void **state)
{
    (void)state;
    struct ouro_isolated *handle = isolated(random_graph(3, 1));
    assert_null(ouro_region_extract(handle, NULL));
    drop_sealed(handle);
}

static void regions_nest(void **state)
{
    (void)state;
    struct ouro_region *outer = region_new(), *inner = region_new();
    enter(outer);
    struct node *a = node_new(1);
    enter(inner);
    struct node *b = node_new(2);
    enter(outer);
    struct node *c = node_new(3);
    enter(outer);
    assert_ptr_equal(ouro_region_current(), outer);
    ouro_region_leave(outer);
    ouro_region_leave(outer);
    assert_ptr_equal(ouro_region_current(), inner);
    ouro_region_leave(inner);
    assert_ptr_equal(ouro_region_current(), outer);
    check_mine(a, 1);
    check_mine(c, 1);
    assert_int_equal(ouro_region_end(outer), OURO_BUSY);
    struct ouro_isolated *handle;
    assert_int_equal(ouro_region_isolate(outer, a, &handle, NULL), OURO_BUSY);
    assert_int_equal(ouro_region_isolate_unchecked(outer, a, &handle), OURO_BUSY);
    ouro_decref(a);
    ouro_decref(c);
    ouro_region_leave(outer);
    drop_in(inner, b);
    assert_int_equal(ouro_region_end(inner), OURO_OK);
    assert_int_equal(ouro_region_end(outer), OURO_OK);
}

static void what_is_missing_is_said(void **state)
{
    (void)state;
    struct ouro_region *region = region_new();
    struct ouro_isolated *handle = (void *)region;
    int none = 0;
    assert_int_equal(ouro_region_new(NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_region_enter(NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_region_end(NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_region_isolate(region, NULL, &handle, NULL), OURO_BAD_ARGUMENT);
    assert_null(handle);
    assert_int_equal(ouro_region_isolate(NULL, &none, &handle, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_region_isolate_unchecked(region, NULL, &handle), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_region_isolate_unchecked(region, &none, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_region_end(region), OURO_OK);
}

/* -- refusals ---------------------------------------------------------------------------------- */

static void a_stray_reference_in_refuses_a_region(void **state)
{
    (void)state;
    struct node *root;
    struct ouro_region *region = region_with(&root);
    struct node *inner = root->a->a;
    enter(region);
    ouro_incref(inner);
    ouro_region_leave(region);
    struct ouro_escape why = open_region(region, root, OURO_ESCAPE_IN);
    assert_ptr_equal(why.object, inner);
    assert_int_equal(why.references, 1);
    assert_non_null(strstr(why.path, "struct node.a -> struct node"));
    drop_in(region, inner);
    drop_sealed(sealed(region, root));
}

static void what_the_root_does_not_reach_refuses_a_region(void **state)
{
    (void)state;
    struct node *root;
    struct ouro_region *region = region_with(&root);
    enter(region);
    struct node *other = node_new(7);
    struct leaf *leaf = leaf_new(8);
    ouro_region_leave(region);
    if (!ouro__supply()->block) {
        (void)open_region(region, root, OURO_ESCAPE_IN);
        drop_in(region, leaf);
        struct ouro_escape why = open_region(region, root, OURO_ESCAPE_IN);
        assert_ptr_equal(why.object, other);
        assert_string_equal(why.path, "(not reached from the root) struct node");
    } else {
        drop_in(region, leaf);
    }
    drop_in(region, other);
    drop_sealed(sealed(region, root));
}

/* But what counts atomically is no garbage to a thread with regions. */
#if !KIT_ATOMIC
static void garbage_in_it_does_not_refuse_a_region(void **state)
{
    (void)state;
    struct node *root;
    struct ouro_region *region = region_with(&root);
    enter(region);
    kit_garbage_ring(10);
    ouro_region_leave(region);
    drop_sealed(sealed(region, root));
}

#endif

static void a_stray_reference_out_refuses_a_region(void **state)
{
    (void)state;
    struct node *root, *outside = node_new(9);
    struct ouro_region *region = region_with(&root);
    struct node *last = root;
    while (last->a)
        last = last->a;
    last->a = outside; /* moved */
    if (OURO_THREADS && !KIT_ATOMIC) {
        struct ouro_escape why = open_region(region, root, OURO_ESCAPE_OUT);
        assert_ptr_equal(why.object, outside);
    }
    last->a = NULL;
    ouro_decref(outside);
    drop_sealed(sealed(region, root));
}

static void a_weak_handle_outside_refuses_a_region(void **state)
{
    (void)state;
    struct node *root;
    struct ouro_region *region = region_with(&root);
    enter(region);
    struct ouro_weak *weak = ouro_weak_new(root->a);
    ouro_region_leave(region);
    struct ouro_escape why = open_region(region, root, OURO_ESCAPE_WEAK_IN);
    assert_ptr_equal(why.object, root->a);
    ouro_weak_decref(weak);
    drop_sealed(sealed(region, root));
}

/* Weak cells of a region's objects are cleared before anything else is born in their place. */
static void no_weak_cell_outlives_its_region(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        struct ouro_region *region = region_new();
        enter(region);
        struct holder *root = holder_new(NULL, NULL);
        for (unsigned i = 0; i < 50; i++) {
            root = holder_new(root, NULL);
            root->weak = ouro_weak_new(root->next);
        }
        ouro_region_leave(region);
        drop_sealed(sealed(region, root));
    }
    struct node *fresh[100];
    for (size_t i = 0; i < OURO_COUNT_OF(fresh); i++)
        fresh[i] = node_new(1);
    for (size_t i = 0; i < OURO_COUNT_OF(fresh); i++) {
        struct ouro_weak *weak = ouro_weak_new(fresh[i]);
        assert_int_equal(ouro__weak_handles(ouro__self->orc, fresh[i]), 1);
        ouro_weak_decref(weak);
        ouro_decref(fresh[i]);
    }
    ouro_collect(NULL);
}

static void a_graph_that_was_extracted_in_a_region_is_its_own(void **state)
{
    (void)state;
    struct node *given;
    struct ouro_region *other = region_with(&given), *region = region_new();
    struct ouro_isolated *handle = sealed(other, given);
    enter(region);
    struct node *root = node_new(1);
    root->a = ouro_extract(handle);
    check_mine(root->a, NODES);
    ouro_region_leave(region);
    handle = sealed(region, root);
    assert_int_equal(ouro_isolated_objects(handle), NODES + 1);
    drop_sealed(handle);
}

/* -- want of memory ---------------------------------------------------------------------------- */

static void a_region_that_there_is_no_memory_for_changes_nothing(void **state)
{
    (void)state;
    bool made = false;
    for (size_t n = 1; !made && n < 200; n++) {
        struct ouro_region *region = NULL;
        ouro_fail_nth_alloc(n, true);
        ouro_status status = ouro_region_new(&region);
        ouro_fail_nth_alloc(0, false);
        made = status == OURO_OK;
        assert_int_equal(status, made ? OURO_OK : OURO_NO_MEMORY);
        assert_true(made == (region != NULL));
        if (made)
            assert_int_equal(ouro_region_end(region), OURO_OK);
    }
    assert_true(made);
}

static void a_proof_that_there_is_no_memory_for_changes_nothing(void **state)
{
    (void)state;
    struct node *root;
    struct ouro_region *region = region_with(&root);
    struct ouro_isolated *handle = NULL;
    enter(region);
    ouro_fail_nth_alloc(1, true);
    ouro_region_leave(region);
    assert_int_equal(ouro_region_isolate(region, root, &handle, NULL), OURO_NO_MEMORY);
    assert_null(handle);
    enter(region);
    ouro_fail_nth_alloc(0, false);
    check_mine(root, NODES);
    ouro_check_heap();
    ouro_region_leave(region);
    drop_sealed(sealed(region, root));
}

/* -- runtimes ---------------------------------------------------------------------------------- */

static void a_runtime_outlives_its_regions(void **state)
{
    (void)state;
    struct ouro_runtime *runtime;
    const char *why;
    assert_int_equal(ouro_runtime_new(NULL, &runtime), OURO_OK);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    struct node *root;
    struct ouro_region *region = region_with(&root);
    ouro_runtime_leave(runtime);
    assert_int_equal(ouro_runtime_destroy(runtime, &why), OURO_BUSY);
    assert_string_equal(why, "the runtime has regions that were not ended");
    enter(region); /* from outside of the runtime */
    assert_ptr_equal(ouro_runtime_current(), runtime);
    check_mine(root, NODES);
    ouro_region_leave(region);
    assert_ptr_equal(ouro_runtime_current(), ouro_runtime_default());
    drop_sealed(sealed(region, root));
    assert_int_equal(ouro_runtime_destroy(runtime, &why), OURO_OK);
}

static void a_region_of_another_runtime_is_extracted_there(void **state)
{
    (void)state;
    struct ouro_runtime *runtime;
    assert_int_equal(ouro_runtime_new(NULL, &runtime), OURO_OK);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    struct node *root;
    struct ouro_region *region = region_with(&root);
    ouro_runtime_leave(runtime);
    root = ouro_extract(sealed(region, root));
    assert_non_null(root);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    check_mine(root, NODES);
    ouro_decref(root);
    ouro_collect(NULL);
    ouro_runtime_leave(runtime);
    assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
}

int main(void)
{
    region_seed = kit_seed(3);
    const struct CMUnitTest tests[] = {
        kit_test(what_is_made_in_a_region_is_plainly_counted_there),
        kit_test(an_isolated_region_is_extracted_as_it_was),
        kit_test(extract_makes_a_region_the_threads_own),
        kit_test(a_graph_that_is_no_region_is_not_extracted_as_one),
        kit_test(regions_nest),
        kit_test(what_is_missing_is_said),
        kit_test(a_stray_reference_in_refuses_a_region),
        kit_test(what_the_root_does_not_reach_refuses_a_region),
#if !KIT_ATOMIC
        kit_test(garbage_in_it_does_not_refuse_a_region),
#endif
        kit_test(a_stray_reference_out_refuses_a_region),
        kit_test(a_weak_handle_outside_refuses_a_region),
        kit_test(no_weak_cell_outlives_its_region),
        kit_test(a_graph_that_was_extracted_in_a_region_is_its_own),
        kit_test(a_region_that_there_is_no_memory_for_changes_nothing),
        kit_test(a_proof_that_there_is_no_memory_for_changes_nothing),
        kit_test(a_runtime_outlives_its_regions),
        kit_test(a_region_of_another_runtime_is_extracted_there),
    };
    return kit_run(tests);
}
