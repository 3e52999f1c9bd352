/* SPDX-License-Identifier: MIT */
/* hooks_deepcopy_written.c: white-box tests of deepcopy with hooks of the program's own. */
#include "hooks_graph.h"

static ouro_status hook_status;
static int hook_calls;

static ouro_status by_hand(void *fresh, const void *from, const struct ouro_type *type,
                           struct ouro_memo *memo)
{
    const struct node *old = from;
    struct node *new = fresh;
    void *copy = NULL;
    (void)type;
    hook_calls++;
    memset(new, 0, sizeof *new);
    new->n = old->n + 100;
    ouro_status status = ouro_deepcopy_ref(&copy, old->next, memo);
    if (status != OURO_OK)
        return status;
    assert_true(copy == NULL || mock_count(copy) >= 2); /* one of the memo's, one for the caller */
    new->next = copy;
    if (hook_status != OURO_OK && old->n == 3) {
        if (copy != NULL)
            mock_drop(copy);
        return hook_status;
    }
    return OURO_OK;
}

static struct ouro_type hand_type = {.size = sizeof(struct node),
                                     .align = 8,
                                     .name = "by hand",
                                     .fields = node_fields,
                                     .field_count = OURO_COUNT_OF(node_fields),
                                     .hooks = {.deepcopy = by_hand}};

static struct node *hand_ring(void)
{
    struct node *first = NULL, *last = NULL;
    for (int i = 0; i < 5; i++) {
        struct node *node = mock_new(&hand_type);
        node->n = i;
        node->next = first;
        first = node;
        last = last != NULL ? last : node;
    }
    last->next = mock_incref(first);
    return first;
}

static void end_ring(struct node *node)
{
    for (int i = 0; i < 4; i++)
        node = node->next;
    struct node *first = node->next;
    cut(node);
    mock_drop(first);
}

static void a_written_deepcopy_is_called_once_for_each_object(void **state)
{
    (void)state;
    struct node *ring = hand_ring();
    hook_status = OURO_OK;
    hook_calls = 0;
    struct node *copy = deepcopy(ring), *at = copy;
    assert_int_equal(hook_calls, 5);
    for (int i = 4; i >= 0; i--, at = at->next)
        assert_int_equal(at->n, 100 + i);
    assert_ptr_equal(at, copy);
    end_ring(copy);
    end_ring(ring);
}

static void what_a_written_deepcopy_refuses_is_refused_as_a_whole(void **state)
{
    (void)state;
    struct node *ring = hand_ring();
    void *copy;
    hook_status = OURO_BUSY;
    assert_int_equal(ouro_deepcopy_value(&copy, &ring, &ouro_ref_type), OURO_BUSY);
    assert_int_equal(mock_world.live, 5);
    assert_int_equal(mock_count(ring), 2);
    end_ring(ring);
}

static ouro_status hides(void *fresh, const void *from, const struct ouro_type *type,
                         struct ouro_memo *memo)
{
    if (ouro_lifted_deepcopy(fresh, from, type, memo) != OURO_OK)
        memset(fresh, 0, type->size);
    return OURO_OK;
}

static ouro_status attempt_hidden(void *arg)
{
    void *copy = NULL;
    ouro_status status = ouro_deepcopy_value(&copy, &arg, &ouro_ref_type);
    ouro_fail_nth_alloc(0, false);
    if (status == OURO_OK)
        mock_drop(copy);
    assert_int_equal(mock_world.live, 3);
    return status;
}

static void a_failure_that_a_hook_hides_is_final_all_the_same(void **state)
{
    (void)state;
    static struct ouro_type hiding;
    hiding = hand_type;
    hiding.hooks.deepcopy = hides;
    hiding.id = 0;
    hiding.refs = NULL;
    hiding.counts = hiding.birth = hiding.state = 0;
    struct node *root = mock_new(&hiding);
    root->next = mock_new(&hiding);
    ((struct node *)root->next)->other = new_node(1);
    mock_fail_everywhere(attempt_hidden, root);
    mock_drop(root);
}

/* Copies the bytes first, as hooks do, and refuses. */
static ouro_status copies_bytes_and_refuses(void *fresh, const void *from,
                                            const struct ouro_type *type, struct ouro_memo *memo)
{
    (void)memo;
    memcpy(fresh, from, type->size);
    return OURO_BUSY;
}

/* Destroys without leaving anything in order. */
static void destroys_untidily(void *value, const struct ouro_type *type)
{
    struct node *node = value;
    struct node was = *node;
    ouro_lifted_destroy(value, type);
    node->next = was.next;
    node->other = was.other;
}

static size_t seen;

static void see(struct ouro_visitor *self, void **slot, const struct ouro_type *target)
{
    (void)self;
    (void)slot;
    (void)target;
    seen++;
}

static void *originals[3];

/* What a collection would find that starts in a hook: only what is counted. */
static void looks_at_all_copies(void *value, const struct ouro_type *type)
{
    struct ouro_visitor visitor = {see};
    for (struct mock *m = mock_world.all; m != NULL; m = m->next) {
        void *object = m + 1;
        if (object != value && object != originals[0] && object != originals[1] &&
            object != originals[2])
            ouro_trace(object, m->type, &visitor);
    }
    ouro_lifted_destroy(value, type);
}

static void what_is_taken_back_reports_no_references(void **state)
{
    (void)state;
    static struct ouro_type types[3];
    for (int i = 0; i < 3; i++) {
        types[i] = (struct ouro_type)OURO_TYPE(struct node, node_fields);
        originals[i] = mock_new(&types[i]);
    }
    types[0].hooks.destroy = destroys_untidily;
    types[1].hooks.destroy = looks_at_all_copies;
    types[2].hooks.deepcopy = copies_bytes_and_refuses;
    struct node *first = originals[0], *second = originals[1], *third = originals[2];
    first->next = second;
    second->next = third;
    third->next = mock_incref(third);
    void *copy;
    seen = 0;
    assert_int_equal(ouro_deepcopy_value(&copy, &originals[0], &ouro_ref_type), OURO_BUSY);
    assert_int_equal(seen, 0);
    third->next = NULL;
    mock_drop(third);
    mock_drop(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)
        T(a_written_deepcopy_is_called_once_for_each_object),
        T(what_a_written_deepcopy_refuses_is_refused_as_a_whole),
        T(a_failure_that_a_hook_hides_is_final_all_the_same),
        T(what_is_taken_back_reports_no_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
