/* SPDX-License-Identifier: MIT */
/* White-box: includes orc_kit.h, by isolate_kit.h. Graphs that are isolated on somebody's word, or
 * as a copy; and what other threads have of a graph, or have left. */
#include "isolate_kit.h"

enum { NODES = 1000 };

/* -- without a proof, and by a copy ------------------------------------------------------------ */

static void a_graph_isolated_without_a_proof_is_whole(void **state)
{
    (void)state;
    struct node *root = random_graph(NODES, kit_seed(8));
    struct ouro_isolated *handle = NULL;
    assert_int_equal(ouro_isolate_unchecked(root, &handle), OURO_OK);
    assert_int_equal(ouro_isolated_objects(handle), NODES);
    root = ouro_extract(handle);
    ouro_check_heap();
    ouro_decref(root);
    ouro_collect(NULL);
    assert_int_equal(ouro_isolate_unchecked(NULL, &handle), OURO_BAD_ARGUMENT);
}

static void a_copy_is_isolated_whoever_refers_to_the_original(void **state)
{
    (void)state;
    struct place *root = place_new(place_new(NULL));
    root->next->next = root; /* a cycle */
    ouro_incref(root);
    root->leaf = root->next->leaf = leaf_new(1);
    ouro_incref(root->leaf);
    ouro_incref(root->next); /* a stray reference */
    struct place *stray = root->next;
    struct ouro_isolated *handle = NULL;
    assert_int_equal(ouro_deepcopy(root, &handle, NULL), OURO_OK);
    assert_int_equal(ouro_isolated_objects(handle), 3);
    struct place *copy = ouro_extract(handle);
    assert_ptr_not_equal(copy, root);
    assert_ptr_equal(copy->next->next, copy);
    assert_ptr_equal(copy->leaf, copy->next->leaf);
    assert_ptr_not_equal(copy->leaf, root->leaf);
    ouro_decref(copy);
    ouro_decref(stray);
    ouro_decref(root);
    ouro_collect(NULL);
}

static void what_a_copy_cannot_have_is_refused(void **state)
{
    (void)state;
    struct place *root = place_new(NULL), *other = place_new(NULL);
    root->weak = ouro_weak_new(other);
    struct ouro_isolated *handle = NULL;
    struct ouro_escape why;
    assert_int_equal(ouro_deepcopy(root, &handle, &why), OURO_NOT_ISOLATED);
    assert_int_equal(why.kind, OURO_ESCAPE_WEAK_OUT);
    assert_string_equal(why.path, "struct place.weak");
    assert_null(handle);
    assert_int_equal(ouro_deepcopy(NULL, &handle, NULL), OURO_BAD_ARGUMENT);
    ouro_decref(root);
    ouro_decref(other);
    ouro_collect(NULL);
}

#if OTHERS_COUNT
static void a_reference_that_another_thread_has_refuses_it(void **state)
{
    (void)state;
    struct node *root = random_graph(NODES, kit_seed(5)), *inner = root->a->a;
    kit_elsewhere(kit_incref, inner);
    struct ouro_escape why = refused(root, OURO_ESCAPE_IN);
    assert_ptr_equal(why.object, inner);
    kit_elsewhere(kit_decref, inner);
    ouro_isolated_drop(isolated(root));
    ouro_collect(NULL);
}

static void make_node(void *arg)
{
    *(struct node **)arg = node_new(1);
}

/* Each thread makes a few, and ends. */
static void objects_of_ended_threads_are_taken_along(void **state)
{
    (void)state;
    struct node *root = node_new(0);
    for (int i = 0; i < 40; i++) {
        struct kit_other *others[3]; /* at once, so that they have several tokens */
        for (int k = 0; k < 3; k++)
            others[k] = kit_other_start();
        for (int k = 0; k < 3; k++) {
            struct node *made = NULL;
            kit_other_do(others[k], make_node, &made);
            made->a = root;
            root = made;
        }
        for (int k = 0; k < 3; k++)
            kit_other_end(others[k]);
    }
    struct ouro_isolated *handle = isolated(root);
    assert_int_equal(ouro_isolated_objects(handle), 121);
    root = ouro_extract(handle);
    for (struct node *at = root; at && !is_merged(root); at = at->a)
        assert_int_equal(ouro__load(&ouro__header(at)->shared) & OURO__OWNER_MASK,
                         ouro__self->home);
    ouro_check_heap();
    ouro_decref(root);
    ouro_collect(NULL);
}

/* What keeps another thread's candidates from being looked at: they reach a merged object. */
static void leave_a_candidate(void *arg)
{
    struct node *n = node_new(1), *merged = ouro_new_atomic(&node_type, sizeof *merged);
    KIT_CHECK(merged != NULL);
    n->a = merged;
    n->b = n;
    ouro_incref(n);
    ouro_incref(n);
    ouro_decref(n); /* a candidate, which it stays */
    *(struct node **)arg = n;
}

/* The same of an object that counts atomically, whose entry has a claim. */
static void leave_a_claim(void *arg)
{
    struct node *merged = ouro_new_atomic(&node_type, sizeof *merged);
    KIT_CHECK(merged != NULL);
    ouro_incref_atomic(merged);
    ouro_decref_atomic(merged);
    *(struct node **)arg = merged;
}

static void what_ended_threads_left_as_candidates_goes_along(void **state)
{
    (void)state;
    struct kit_other *bystander = kit_other_start(); /* nobody is alone */
    struct node *other = NULL;
    kit_other_do(bystander, make_node, &other);
    static void (*const leaves[])(void *) = {leave_a_candidate, leave_a_claim};
    for (size_t i = 0; i < OURO_COUNT_OF(leaves); i++) {
        struct node *root = NULL;
        kit_elsewhere(leaves[i], &root);
        ouro_isolated_drop(isolated(root));
    }
    kit_other_do(bystander, kit_decref, other);
    kit_other_end(bystander);
    ouro_collect(NULL);
}

static void a_reference_to_another_threads_object_refuses_it(void **state)
{
    (void)state;
    struct kit_other *other = kit_other_start();
    struct node *root = node_new(1), *foreign = NULL;
    kit_other_do(other, make_node, &foreign);
    root->b = node_new(2);
    root->b->a = foreign;
    if (is_merged(foreign)) { /* it is nobody's */
        ouro_isolated_drop(isolated(root));
    } else {
        struct ouro_escape why = refused(root, OURO_ESCAPE_OUT);
        assert_ptr_equal(why.object, foreign);
        assert_string_equal(why.path, "struct node.b -> struct node.a -> struct node");
        root->b->a = NULL;
        kit_other_do(other, kit_decref, foreign);
        ouro_isolated_drop(isolated(root));
    }
    kit_other_end(other);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_graph_isolated_without_a_proof_is_whole),
        kit_test(a_copy_is_isolated_whoever_refers_to_the_original),
        kit_test(what_a_copy_cannot_have_is_refused),
#if OTHERS_COUNT
        kit_test(a_reference_that_another_thread_has_refuses_it),
        kit_test(objects_of_ended_threads_are_taken_along),
        kit_test(what_ended_threads_left_as_candidates_goes_along),
        kit_test(a_reference_to_another_threads_object_refuses_it),
#endif
    };
    return kit_run(tests);
}
