/* SPDX-License-Identifier: MIT */
/* White-box: includes orc_kit.h, by isolate_kit.h. Isolated graphs: what is proved, what is
 * refused and how it is named, and whose they are afterwards. */
#include "isolate_kit.h"

#include <string.h>

/* -- whose they are ---------------------------------------------------------------------------- */

enum { NODES = 1000 };

static void take_and_collect(void *arg)
{
    struct node *root = ouro_extract(arg);
    check_mine(root, NODES);
    ouro_incref(root);
    ouro_decref(root);
    ouro_decref(root);
    ouro_collect(NULL);
}

static void a_graph_is_the_receivers_and_dies_there(void **state)
{
    (void)state;
    struct node *root = random_graph(NODES, kit_seed(1));
    struct ouro_isolated *handle = isolated(root);
    assert_int_equal(ouro_isolated_objects(handle), NODES);
    ouro_check_heap();
    if (OURO_THREADS)
        kit_elsewhere(take_and_collect, handle);
    else
        take_and_collect(handle);
}

static void who_extracts_may_be_who_isolated(void **state)
{
    (void)state;
    struct node *root = random_graph(NODES, kit_seed(2));
    for (int i = 0; i < 3; i++) {
        struct ouro_isolated *handle = isolated(root);
        assert_ptr_equal(ouro_extract(handle), root);
        check_mine(root, NODES);
    }
    ouro_decref(root);
    ouro_collect(NULL);
}

static void a_handle_that_is_dropped_destroys_the_graph(void **state)
{
    (void)state;
    struct hooked *root = hooked_new(1);
    root->a = hooked_new(2);
    root->b = hooked_new(3);
    root->a->b = root;
    ouro_incref(root);
    ouro_isolated_drop(isolated(root));
    ouro_collect(NULL);
    assert_int_equal(kit_destroyed, 3);
    ouro_isolated_drop(NULL);
    assert_null(ouro_extract(NULL));
}

#if OURO_THREADS
static void hand_on(void *arg)
{
    struct ouro_isolated **handle = arg;
    struct node *root = ouro_extract(*handle);
    KIT_CHECK(root != NULL && ouro_isolate(root, handle, NULL) == OURO_OK);
}

static void a_graph_may_go_from_thread_to_thread(void **state)
{
    (void)state;
    struct ouro_isolated *handle = isolated(random_graph(NODES, kit_seed(3)));
    for (int i = 0; i < 10; i++)
        kit_elsewhere(hand_on, &handle);
    struct node *root = ouro_extract(handle);
    check_mine(root, NODES);
    ouro_decref(root);
    ouro_collect(NULL);
}

#endif

static void candidates_go_with_their_graph(void **state)
{
    (void)state;
    struct node *root = random_graph(NODES, kit_seed(4)), *other = kit_garbage_ring(3);
    (void)other;
    for (struct node *at = root; at; at = at->a)
        kit_touch(at);
    size_t before = ouro_candidates();
    struct ouro_isolated *handle = isolated(root);
    if (!KIT_ATOMIC)
        assert_true(ouro_candidates() < before);
    assert_int_equal(ouro_collect(NULL), 3); /* not what is on its way */
    if (OURO_THREADS)
        kit_elsewhere(take_and_collect, handle);
    else
        take_and_collect(handle);
}

/* The array closes up where a candidate goes, once it had a bare one: places change meanwhile. */
static void candidates_that_stay_keep_their_places(void **state)
{
    (void)state;
    struct node *root = random_graph(10, kit_seed(6)), *others[10];
    struct ouro__visited *v = &ouro__self->visited;
    bool bare = v->bare;
    for (int i = 0; i < 10; i++)
        others[i] = node_new(i);
    size_t i = 0;
    for (struct node *at = root; at; at = at->a, i++) {
        kit_touch(at);
        if (i % 3 == 0)
            kit_touch(others[i]);
    }
    v->bare = true;
    struct ouro_isolated *handle = isolated(root);
    v->bare = bare;
    for (i = 0; i < v->count; i++) {
        const void *object = v->entries[i].object;
        assert_true(!object || ouro__half_load(&ouro__header(object)->visited) == i + 1);
        for (struct node *at = root; at; at = at->a)
            assert_ptr_not_equal(object, at);
    }
    ouro_isolated_drop(handle);
    for (i = 0; i < 10; i++)
        ouro_decref(others[i]);
    ouro_collect(NULL);
}

static void a_long_chain_needs_no_stack(void *arg)
{
    (void)arg;
    struct node *root = node_new(0), *at = root;
    for (size_t i = 1; i < kit_scaled(1000000); i++)
        at = at->a = node_new((int64_t)i);
    struct ouro_isolated *handle = NULL;
    KIT_CHECK(ouro_isolate(root, &handle, NULL) == OURO_OK);
    ouro_isolated_drop(handle);
}

static void graphs_of_any_depth_are_isolated_on_a_small_stack(void **state)
{
    (void)state;
    kit_on_small_stack(a_long_chain_needs_no_stack, NULL);
}

/* -- what belongs to it ------------------------------------------------------------------------ */

static void leaves_that_several_share_are_part_of_it(void **state)
{
    (void)state;
    struct place *root = place_new(place_new(place_new(NULL)));
    struct leaf *leaf = leaf_new(1), *other = leaf_new(2);
    root->leaf = leaf;
    ouro_incref(leaf);
    root->next->leaf = leaf;
    root->next->next->leaf = other;
    ouro_incref(leaf);
    struct ouro_escape why = refused(root, OURO_ESCAPE_IN);
    assert_ptr_equal(why.object, leaf);
    assert_int_equal(why.references, 1);
    assert_string_equal(why.path, "struct place.leaf -> leaf");
    ouro_decref(leaf);
    struct ouro_isolated *handle = isolated(root);
    assert_int_equal(ouro_isolated_objects(handle), 5);
    ouro_isolated_drop(handle);
}

static void elements_of_sequences_belong_to_it(void **state)
{
    (void)state;
    struct place *root = place_new(NULL), *kept = place_new(NULL);
    for (int i = 0; i < 20; i++) {
        struct place *element = i == 7 ? kept : place_new(NULL);
        assert_int_equal(ouro_seq_push(&root->list, &ouro_ref_type, &element), OURO_OK);
    }
    ouro_incref(kept);
    struct ouro_escape why = refused(root, OURO_ESCAPE_IN);
    assert_string_equal(why.path, "struct place.list -> struct place");
    ouro_decref(kept);
    ouro_isolated_drop(isolated(root));
}

static void merged_objects_belong_to_it(void **state)
{
    (void)state;
    struct node *root = node_new(1), *merged = node_new_merged(2);
    root->a = merged;
    root->b = merged;
    ouro_incref(merged);
    ouro_incref(merged);
    refused(root, OURO_ESCAPE_IN);
    ouro_decref(merged);
    ouro_isolated_drop(isolated(root));
}

#if OTHERS_COUNT
/* By another thread's counts, or because its owner had none left. */
static void what_others_counted_is_plain_again(void **state)
{
    (void)state;
    enum { N = 3 };
    struct node *root = node_new(0), *merged = node_new(1), *counted = node_new(2);
    kit_elsewhere(kit_incref, merged);
    ouro_decref(merged);
    kit_elsewhere(kit_incref, counted);
    kit_elsewhere(kit_incref, counted);
    kit_elsewhere(kit_decref, counted);
    root->a = merged;
    merged->a = counted;
    root->b = counted;
    ouro_collect(NULL);
    root = ouro_extract(isolated(root));
    check_mine(root, N);
    assert_int_equal(ouro_count(root), 1);
    assert_int_equal(ouro_count(merged), 1);
    assert_int_equal(ouro_count(counted), 2);
    if (!is_merged(counted))
        assert_int_equal(ouro__count_of(ouro__load(&ouro__header(counted)->shared)), 0);
    ouro_decref(root);
    ouro_collect(NULL);
}
#endif

/* -- what is refused --------------------------------------------------------------------------- */

static void a_reference_from_outside_is_named_with_its_path(void **state)
{
    (void)state;
    struct node *root = random_graph(5, 1), *inner = root->a->a->a;
    ouro_incref(inner);
    struct ouro_escape why = refused(root, OURO_ESCAPE_IN);
    assert_ptr_equal(why.object, inner);
    assert_int_equal(why.references, 1);
    assert_string_equal(why.type_name, node_type.name);
    assert_non_null(strstr(why.path, "struct node.a -> "));
    ouro_decref(inner);
    ouro_incref(root);
    why = refused(root, OURO_ESCAPE_IN);
    assert_ptr_equal(why.object, root);
    assert_string_equal(why.path, "struct node");
    ouro_decref(root);
    ouro_isolated_drop(isolated(root));
    ouro_collect(NULL);
}

static void weak_handles_inside_go_with_it(void **state)
{
    (void)state;
    struct place *root = place_new(place_new(NULL));
    root->next->weak = ouro_weak_new(root);
    root->weak = ouro_weak_new(root->next);
    root->next->back = root;
    struct ouro_weak *outside = root->next->weak;
    ouro_weak_incref(outside);
    struct ouro_escape why = refused(root, OURO_ESCAPE_WEAK_IN);
    assert_int_equal(why.references, 1);
    assert_ptr_equal(why.object, root);
    ouro_weak_decref(outside);
    outside = ouro_weak_new(root->next);
    assert_ptr_equal(refused(root, OURO_ESCAPE_WEAK_IN).object, root->next);
    ouro_weak_decref(outside);
    root = ouro_extract(isolated(root));
    assert_true(ouro__load(&ouro__header(root)->shared) & OURO__WEAK);
    struct place *again = ouro_weak_upgrade(root->next->weak);
    assert_ptr_equal(again, root);
    ouro_decref(again);
    ouro_decref(root);
}

static void weak_and_borrowed_references_must_not_lead_out(void **state)
{
    (void)state;
    struct place *root = place_new(place_new(NULL)), *outside = place_new(NULL);
    root->next->weak = ouro_weak_new(outside);
    assert_ptr_equal(refused(root, OURO_ESCAPE_WEAK_OUT).object, outside);
    ouro_weak_decref(root->next->weak);
    root->next->weak = NULL;
    root->back = outside;
    assert_ptr_equal(refused(root, OURO_ESCAPE_WEAK_OUT).object, outside);
    root->back = root->next;
    ouro_decref(outside);
    ouro_isolated_drop(isolated(root));
}

static struct ouro_isolated *in_hook;
static ouro_status in_hook_status;
static void isolate_in_hook(struct hooked *dying)
{
    kit_on_destroy = NULL;
    (void)dying;
    struct node *root = node_new(1);
    in_hook_status = ouro_isolate(root, &in_hook, NULL);
    ouro_decref(root);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    struct ouro_isolated *handle = NULL;
    struct node *root = node_new(1);
    assert_int_equal(ouro_isolate(NULL, &handle, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_isolate(root, NULL, NULL), OURO_BAD_ARGUMENT);
    ouro_decref(root);
    kit_on_destroy = isolate_in_hook;
    ouro_decref(hooked_new(1));
    assert_int_equal(in_hook_status, OURO_BUSY);
    assert_null(in_hook);
}

static void without_memory_nothing_has_changed(void **state)
{
    (void)state;
    struct place *root = place_new(place_new(NULL));
    struct leaf *leaf = leaf_new(1);
    root->leaf = leaf;
    root->next->leaf = leaf;
    ouro_incref(leaf);
    root->back = root->next;
    kit_touch(root->next);
    struct ouro_isolated *handle = NULL;
    ouro_status status = OURO_NO_MEMORY;
    int refusals = 0;
    for (size_t n = 1; status != OURO_OK; n++, refusals++) {
        ouro_fail_nth_alloc(n, true);
        status = ouro_isolate(root, &handle, NULL);
        ouro_fail_nth_alloc(0, false);
        assert_true(status == OURO_OK || status == OURO_NO_MEMORY);
        ouro_check_heap();
    }
    assert_true(refusals > 3);
    ouro_isolated_drop(handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_graph_is_the_receivers_and_dies_there),
        kit_test(who_extracts_may_be_who_isolated),
        kit_test(a_handle_that_is_dropped_destroys_the_graph),
#if OURO_THREADS
        kit_test(a_graph_may_go_from_thread_to_thread),
#endif
        kit_test(candidates_go_with_their_graph),
        kit_test(candidates_that_stay_keep_their_places),
        kit_test(graphs_of_any_depth_are_isolated_on_a_small_stack),
        kit_test(leaves_that_several_share_are_part_of_it),
        kit_test(elements_of_sequences_belong_to_it),
        kit_test(merged_objects_belong_to_it),
#if OTHERS_COUNT
        kit_test(what_others_counted_is_plain_again),
#endif
        kit_test(a_reference_from_outside_is_named_with_its_path),
        kit_test(weak_handles_inside_go_with_it),
        kit_test(weak_and_borrowed_references_must_not_lead_out),
        kit_test(bad_arguments_are_refused),
        kit_test(without_memory_nothing_has_changed),
    };
    return kit_run(tests);
}
