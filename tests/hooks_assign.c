/* SPDX-License-Identifier: MIT */
/* hooks_assign.c: white-box; values become copies of parts of themselves, and what is refused
 * changes nothing. */
#include "hooks_zoo.h"

/* Copies of parts of themselves. */

struct tree {
    void *ref;
    ouro_seq children;
};
extern struct ouro_type tree_type;
static const struct ouro_field tree_fields[] = {
    OURO_REF(struct tree, ref, &target_type),
    OURO_SEQ(struct tree, children, &tree_type),
};
struct ouro_type tree_type = OURO_TYPE(struct tree, tree_fields);

static struct tree make_tree(void *target, int depth)
{
    struct tree tree = {mock_incref(target), {0, NULL}};
    for (int i = 0; i < 2 && depth > 1; i++) {
        struct tree child = make_tree(target, depth - 1);
        assert_int_equal(ouro_seq_push(&tree.children, &tree_type, &child), OURO_OK);
    }
    return tree;
}

static void a_value_can_become_a_copy_of_its_part(void **state)
{
    (void)state;
    void *target = mock_new(&target_type);
    struct tree tree = make_tree(target, 4);
    assert_int_equal(mock_count(target), 1 + 15);
    struct tree *child = ouro_seq_data(&tree.children);
    assert_int_equal(ouro_copy(&tree, &child[1], &tree_type), OURO_OK);
    assert_int_equal(mock_count(target), 1 + 7);
    ouro_destroy_value(&tree, &tree_type);
    mock_drop(target);
}

static void a_part_can_become_a_copy_of_the_whole(void **state)
{
    (void)state;
    void *target = mock_new(&target_type);
    struct tree tree = make_tree(target, 3);
    struct tree *child = ouro_seq_data(&tree.children);
    assert_int_equal(ouro_copy(&child[0], &tree, &tree_type), OURO_OK);
    assert_int_equal(mock_count(target), 1 + 7 - 3 + 7);
    ouro_destroy_value(&tree, &tree_type);
    assert_int_equal(mock_count(target), 1);
    mock_drop(target);
}

static void a_value_can_be_replaced_by_moving_its_part(void **state)
{
    (void)state;
    void *target = mock_new(&target_type);
    struct tree tree = make_tree(target, 4);
    struct tree *child = ouro_seq_data(&tree.children);
    ouro_sink(&tree, &child[1], &tree_type);
    assert_int_equal(mock_count(target), 1 + 7);
    ouro_destroy_value(&tree, &tree_type);
    mock_drop(target);
}

/* list = list.next, where the last reference to the old head is the one that goes. */
static void a_reference_can_be_replaced_by_what_only_it_holds(void **state)
{
    (void)state;
    struct node {
        void *next;
    };
    static struct ouro_type node;
    static const struct ouro_field fields[] = {OURO_REF(struct node, next, &node)};
    node = (struct ouro_type)OURO_TYPE(struct node, fields);
    struct node *head = mock_new(&node), *second = mock_new(&node);
    head->next = second;
    void *list = head;
    assert_int_equal(ouro_copy(&list, &head->next, &ouro_ref_type), OURO_OK);
    assert_ptr_equal(list, second);
    assert_int_equal(mock_count(second), 1);
    second->next = mock_new(&node);
    ouro_sink(&list, &second->next, &ouro_ref_type);
    assert_int_equal(mock_world.died, 2);
    assert_int_equal(mock_count(list), 1);
    ouro_destroy_value(&list, &ouro_ref_type);
}

/* Refusals. */

struct attempt {
    struct zoo to, from;
    void *old, *new;
    ouro_status (*hook)(void *, const void *, const struct ouro_type *);
    bool fresh;
};

static ouro_status attempt_copy(void *arg)
{
    struct attempt *a = arg;
    struct zoo to_was = a->to, from_was = a->from;
    ouro_status status = a->hook(&a->to, &a->from, &zoo_type);
    ouro_fail_nth_alloc(0, false);
    if (status == OURO_OK) {
        assert_same_zoo(&a->to, &a->from);
        assert_int_equal(mock_count(a->new), 1 + 2 * zoo_refs(&a->from));
        assert_int_equal(mock_count(a->old), 1);
        if (a->fresh) {
            ouro_destroy_value(&a->to, &zoo_type);
            return status;
        }
        struct zoo again = make_zoo(a->old, ZOO_REF);
        ouro_sink(&a->to, &again, &zoo_type);
        return status;
    }
    if (!a->fresh)
        assert_memory_equal(&a->to, &to_was, sizeof a->to);
    assert_memory_equal(&a->from, &from_was, sizeof a->from);
    assert_int_equal(mock_count(a->new), 1 + zoo_refs(&a->from));
    assert_int_equal(mock_weak_count(a->from.value.weak), zoo_weaks(&a->from));
    assert_int_equal(mock_count(a->old), 1 + (a->fresh ? 0 : zoo_refs(&a->to)));
    return status;
}

static void a_refused_dup_leaves_nothing(void **state)
{
    (void)state;
    struct attempt a = {.hook = ouro_dup, .fresh = true};
    a.old = mock_new(&target_type);
    a.new = mock_new(&target_type);
    a.from = make_zoo(a.new, ZOO_LEAFY);
    mock_fail_everywhere(attempt_copy, &a);
    ouro_destroy_value(&a.from, &zoo_type);
    mock_drop(a.old);
    mock_drop(a.new);
}

static void a_refused_copy_changes_nothing(void **state)
{
    (void)state;
    struct attempt a = {.hook = ouro_copy};
    a.old = mock_new(&target_type);
    a.new = mock_new(&target_type);
    a.from = make_zoo(a.new, ZOO_LEAFY);
    a.to = make_zoo(a.old, ZOO_REF);
    mock_fail_everywhere(attempt_copy, &a);
    ouro_destroy_value(&a.from, &zoo_type);
    ouro_destroy_value(&a.to, &zoo_type);
    mock_drop(a.old);
    mock_drop(a.new);
}

static ouro_status attempt_tree(void *arg)
{
    struct tree *tree = arg, copy;
    int64_t count = mock_count(tree->ref);
    ouro_status status = ouro_dup(&copy, tree, &tree_type);
    if (status == OURO_OK)
        ouro_destroy_value(&copy, &tree_type);
    assert_int_equal(mock_count(tree->ref), count);
    return status;
}

static void a_refused_dup_of_a_tree_leaves_nothing(void **state)
{
    (void)state;
    void *target = mock_new(&target_type);
    struct tree tree = make_tree(target, 5);
    mock_fail_everywhere(attempt_tree, &tree);
    ouro_destroy_value(&tree, &tree_type);
    mock_drop(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)
        T(a_value_can_become_a_copy_of_its_part),
        T(a_part_can_become_a_copy_of_the_whole),
        T(a_value_can_be_replaced_by_moving_its_part),
        T(a_reference_can_be_replaced_by_what_only_it_holds),
        T(a_refused_dup_leaves_nothing),
        T(a_refused_copy_changes_nothing),
        T(a_refused_dup_of_a_tree_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
