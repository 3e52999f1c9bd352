/* SPDX-License-Identifier: MIT */
/* hooks_deepcopy.c: white-box tests of deepcopy. */
#include "hooks_graph.h"

#include <string.h>

static struct ouro_type shared_type = {.flags = OURO_SHARED, .size = 8, .name = "shared"};

static void push_ref(ouro_seq *seq, void *object)
{
    assert_int_equal(ouro_seq_push(seq, &ouro_ref_type, &object), OURO_OK);
}

static void *ref_at(const ouro_seq *seq, size_t i)
{
    return ((void **)ouro_seq_data(seq))[i];
}

static void sharing_is_kept(void **state)
{
    (void)state;
    struct node *root = new_node(1), *leaf = new_node(2);
    root->next = leaf;
    root->other = mock_incref(leaf);
    push_ref(&root->refs, mock_incref(leaf));
    push_ref(&root->refs, mock_incref(leaf));
    struct node *copy = deepcopy(root), *copied = copy->next;
    assert_true(copy != root && copied != leaf);
    assert_ptr_equal(copy->other, copied);
    assert_ptr_equal(ref_at(&copy->refs, 0), copied);
    assert_ptr_equal(ref_at(&copy->refs, 1), copied);
    assert_int_equal(mock_count(copy), 1);
    assert_int_equal(mock_count(copied), 4);
    assert_int_equal(mock_count(leaf), 4);
    assert_int_equal(copied->n, 2);
    assert_int_equal(mock_world.settled, 2);
    mock_drop(root);
    mock_drop(copy);
}

static void cycles_are_kept(void **state)
{
    (void)state;
    struct node *a = new_node(1), *b = new_node(2);
    a->next = b;
    b->next = mock_incref(a);
    b->other = mock_incref(b);
    struct node *copy = deepcopy(a), *copied = copy->next;
    assert_true(copied->next == copy && copied->other == copied && copied != b);
    assert_int_equal(mock_count(copy), 2);
    assert_int_equal(mock_count(copied), 2);
    mock_drop(b->other);
    b->other = NULL;
    cut(b);
    mock_drop(a);
    mock_drop(copied->other);
    copied->other = NULL;
    cut(copied);
    mock_drop(copy);
}

static void shared_and_immutable_objects_are_counted_not_copied(void **state)
{
    (void)state;
    static struct ouro_type fixed = {.flags = OURO_IMMUTABLE, .size = 8, .name = "fixed"};
    struct node *root = new_node(1);
    root->other = mock_new(&shared_type);
    push_ref(&root->refs, mock_new(&fixed));
    struct node *copy = deepcopy(root);
    assert_ptr_equal(copy->other, root->other);
    assert_ptr_equal(ref_at(&copy->refs, 0), ref_at(&root->refs, 0));
    assert_int_equal(mock_count(root->other), 2);
    assert_int_equal(mock_world.settled, 1);
    mock_drop(root);
    mock_drop(copy);
}

static void links_inside_the_graph_lead_to_copies(void **state)
{
    (void)state;
    struct node *root = new_node(1), *child = new_node(2), *outside = new_node(3);
    root->next = child;
    child->back = root;
    child->weak = mock_weak_of(root);
    root->back = outside;
    root->weak = mock_weak_of(outside);
    struct node *copy = deepcopy(root), *copied = copy->next;
    assert_ptr_equal(copied->back, copy);
    assert_ptr_equal(((struct mock_weak *)copied->weak)->object, mock_of(copy));
    assert_ptr_equal(copy->back, outside);
    assert_ptr_equal(copy->weak, root->weak);
    assert_int_equal(mock_weak_count(root->weak), 2);
    assert_int_equal(mock_weak_count(child->weak), 1);
    assert_int_equal(mock_count(copy), 1);
    mock_drop(root);
    mock_drop(copy);
    mock_drop(outside);
}

static void what_is_shared_keeps_its_links(void **state)
{
    (void)state;
    struct link {
        void *back;
    };
    static const struct ouro_field link_fields[] = {OURO_BORROW(struct link, back)};
    static struct ouro_type kept = OURO_TYPE(struct link, link_fields);
    static struct ouro_type moved = OURO_TYPE(struct link, link_fields);
    kept.flags = OURO_SHARED;
    struct both {
        void *ref;
        struct link kept, moved;
    };
    static const struct ouro_field fields[] = {OURO_REF(struct both, ref, &node_type),
                                               OURO_VALUE(struct both, kept, &kept),
                                               OURO_VALUE(struct both, moved, &moved)};
    static struct ouro_type type = OURO_TYPE(struct both, fields);
    struct node *node = new_node(1);
    struct both both = {node, {node}, {node}}, copy;
    assert_int_equal(ouro_deepcopy_value(&copy, &both, &type), OURO_OK);
    assert_ptr_equal(copy.kept.back, node);
    assert_ptr_equal(copy.moved.back, copy.ref);
    mock_drop(node);
    mock_drop(copy.ref);
}

static void a_weak_handle_whose_object_is_gone_is_copied(void **state)
{
    (void)state;
    struct node *root = new_node(1), *gone = new_node(2);
    root->weak = mock_weak_of(gone);
    mock_drop(gone);
    struct node *copy = deepcopy(root);
    assert_ptr_equal(copy->weak, root->weak);
    assert_int_equal(mock_weak_count(copy->weak), 2);
    mock_drop(root);
    mock_drop(copy);
}

static void the_fields_type_stands_in_for_an_unknown_one(void **state)
{
    (void)state;
    struct node *root = new_node(1), *copy = NULL;
    root->next = new_node(2);
    struct node holder = {.next = root};
    mock_world.untyped = true;
    struct node fresh;
    assert_int_equal(ouro_deepcopy_value(&fresh, &holder, &node_type), OURO_OK);
    copy = fresh.next;
    assert_int_equal(((struct node *)copy->next)->n, 2);
    mock_drop(copy);
    mock_drop(root);
}

static void an_object_of_no_known_type_is_refused(void **state)
{
    (void)state;
    struct node *root = new_node(1);
    root->next = new_node(2);
    root->other = mock_new(&shared_type);
    push_ref(&root->refs, new_node(3));
    struct node holder = {.next = root}, fresh;
    mock_world.untyped = true;
    assert_int_equal(ouro_deepcopy_value(&fresh, &holder, &node_type), OURO_BAD_TYPE);
    assert_int_equal(mock_world.live, 4);
    assert_int_equal(mock_count(root), 1);
    assert_int_equal(mock_count(root->other), 1);
    mock_drop(root);
}

struct text {
    uint32_t len;
    char bytes[];
};

static void an_inline_tail_is_copied(void **state)
{
    (void)state;
    static struct ouro_type byte_type = OURO_PLAIN_TYPE(char);
    static const struct ouro_field text_fields[] = {OURO_TAIL(struct text, bytes, len, &byte_type)};
    static struct ouro_type text_type = OURO_TYPE(struct text, text_fields);
    struct node *root = new_node(1);
    struct text *large = ouro__refops->allocate(&text_type, sizeof *large + 32);
    large->len = 32;
    memcpy(large->bytes, "a tail of thirty-two characters", 32);
    root->next = (void *)large;
    struct node *copy = deepcopy(root);
    struct text *copied = (void *)copy->next;
    assert_int_equal(mock_of(copied)->size, sizeof *large + 32);
    assert_int_equal(copied->len, 32);
    assert_string_equal(copied->bytes, "a tail of thirty-two characters");
    mock_drop(root);
    mock_drop(copy);
}

/* Graphs of any size, on a small stack. */

enum { LONG = 1000000 };

static void copy_long_list(void *arg)
{
    (void)arg;
    struct cell {
        void *next;
    };
    static struct ouro_type cell;
    static const struct ouro_field fields[] = {OURO_REF(struct cell, next, &cell)};
    cell = (struct ouro_type)OURO_TYPE(struct cell, fields);
    void *list = NULL;
    for (size_t i = 0; i < LONG; i++) {
        struct cell *head = mock_new(&cell);
        head->next = list;
        list = head;
    }
    void *copy = deepcopy(list);
    assert_int_equal(mock_world.live, 2 * LONG);
    size_t length = 0;
    for (struct cell *c = copy; c != NULL; c = c->next)
        length++;
    assert_int_equal(length, LONG);
    mock_drop(copy);
    assert_int_equal(mock_world.live, LONG);
    ouro_fail_nth_alloc(LONG / 2, true);
    assert_int_equal(ouro_deepcopy_value(&copy, &list, &ouro_ref_type), OURO_NO_MEMORY);
    ouro_fail_nth_alloc(0, false);
    assert_int_equal(mock_world.live, LONG);
    mock_drop(list);
}

static void a_million_nodes_are_copied_on_a_small_stack(void **state)
{
    (void)state;
    mock_on_small_stack(copy_long_list, NULL);
}

/* Refusals. */

static ouro_status attempt(void *arg)
{
    struct node *root = arg, *copy = NULL;
    size_t live = mock_world.live, weaks = mock_world.weaks;
    int64_t shared = mock_count(root->other);
    ouro_status status = ouro_deepcopy_value(&copy, &root, &ouro_ref_type);
    ouro_fail_nth_alloc(0, false);
    if (status == OURO_OK) {
        assert_int_equal(mock_world.live, live + 20);
        for (int i = 0; i < 20; i++) { /* take the cycle apart */
            struct node *next = copy->next;
            copy->next = NULL;
            mock_drop(copy);
            copy = next;
        }
        mock_drop(copy);
    }
    assert_int_equal(mock_world.live, live);
    assert_int_equal(mock_world.weaks, weaks);
    assert_int_equal(mock_count(root->other), shared);
    assert_int_equal(mock_count(root), 2);
    return status;
}

static void a_refused_deepcopy_leaves_nothing(void **state)
{
    (void)state;
    struct node *nodes[20];
    for (int i = 0; i < 20; i++)
        nodes[i] = new_node(i);
    nodes[0]->other = mock_new(&shared_type);
    for (int i = 0; i < 20; i++) {
        nodes[i]->next = mock_incref(nodes[(i + 1) % 20]);
        nodes[i]->weak = mock_weak_of(nodes[(i + 7) % 20]);
        nodes[i]->back = nodes[(i + 13) % 20];
        push_ref(&nodes[i]->refs, mock_incref(nodes[0]->other));
    }
    for (int i = 1; i < 20; i++)
        mock_drop(nodes[i]);
    mock_fail_everywhere(attempt, nodes[0]);
    cut(nodes[19]);
    mock_drop(nodes[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)
        T(sharing_is_kept),
        T(cycles_are_kept),
        T(shared_and_immutable_objects_are_counted_not_copied),
        T(links_inside_the_graph_lead_to_copies),
        T(what_is_shared_keeps_its_links),
        T(a_weak_handle_whose_object_is_gone_is_copied),
        T(the_fields_type_stands_in_for_an_unknown_one),
        T(an_object_of_no_known_type_is_refused),
        T(an_inline_tail_is_copied),
        T(a_million_nodes_are_copied_on_a_small_stack),
        T(a_refused_deepcopy_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
