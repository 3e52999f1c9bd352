/* SPDX-License-Identifier: MIT */
/* The cycle collector: shapes of garbage, what stays, exhaustion. White-box: looks at the candidate
 * buffer. */
#include "orc_kit.h"

#include <string.h>

static void rings_of_any_length_are_collected(void **state)
{
    (void)state;
    for (size_t n = 1; n < 200; n += 1 + n / 3) {
        kit_garbage_ring(n);
        assert_int_equal(ouro_candidates(), 1);
        struct ouro_collection c;
        assert_int_equal(ouro_collect(&c), n);
        assert_int_equal(c.captured, n);
        assert_int_equal(c.live, 0);
        assert_int_equal(c.abandoned, 0);
        assert_int_equal(ouro_candidates(), 0);
    }
}

static void rings_that_share_a_member_and_tails_go_together(void **state)
{
    (void)state;
    struct node *shared = node_new(1), *left = node_new(2), *right = node_new(3);
    kit_link(left, shared);
    kit_link(right, shared);
    shared->a = left;
    shared->b = right;
    struct leaf *tail = leaf_new(1);
    left->b = (struct node *)(void *)tail; /* an acyclic tail, shared with the program */
    ouro_incref(tail);
    right->b = node_new(4); /* and one that could be cyclic */
    ouro_decref(shared);
    assert_int_equal(ouro_collect(NULL), 4);
    assert_int_equal(ouro_count(tail), 1);
    assert_int_equal(kit_destroyed, 0);
    ouro_decref(tail);
    assert_int_equal(kit_destroyed, 1);
}

/* Pathology 4: a destructor skipped, or run twice, in a cycle or hanging off one. */
static void each_hook_in_and_behind_a_cycle_runs_once(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 20; n++) {
        kit_destroyed = 0;
        struct hooked *first = hooked_new(0), *last = first;
        for (size_t i = 1; i < n; i++) {
            struct hooked *next = hooked_new((int64_t)i);
            last->a = next;
            last->b = hooked_new(-1);
            last->b->a = hooked_new(-2); /* hangs off */
            last->b->b = next;           /* leads back in */
            ouro_incref(next);
            last = next;
        }
        last->a = first;
        ouro_incref(first);
        ouro_decref(first);
        assert_int_equal(kit_destroyed, 0);
        ouro_collect(NULL);
        assert_int_equal(kit_destroyed, n + 2 * (n - 1));
        assert_int_equal(heapcheck_count(&hooked_type), 0);
    }
}

static struct ouro_type holder_type = {.flags = OURO_ACYCLIC,
                                       .size = sizeof(struct node),
                                       .align = _Alignof(struct node),
                                       .name = "holder"};

/* A capture ends at what is acyclic: what that keeps shows when it died. */
static void cycles_that_only_the_dead_kept_go_with_them(void **state)
{
    (void)state;
    holder_type.fields = node_type.fields;
    holder_type.field_count = node_type.field_count;
    struct hooked *next = NULL;
    for (int i = 0; i < 6; i++) {
        struct hooked *ring = hooked_new(i);
        struct node *holder = ouro_new(&holder_type, sizeof *holder);
        holder->a = (struct node *)(void *)next;
        ring->a = (struct hooked *)(void *)holder;
        ring->b = ring;
        next = ring;
        ouro_incref(ring);
    }
    ouro_decref(next);
    struct ouro_collection result;
    assert_int_equal(ouro_collect(&result), 6);
    assert_int_equal(result.collections, 6);
    assert_int_equal(kit_destroyed, 6);
}

static void make_another(struct hooked *dying)
{
    struct hooked *ring = hooked_new(dying->id + 1);
    ring->a = ring;
    ouro_incref(ring);
    ouro_decref(ring);
}

static void a_hook_that_makes_garbage_for_ever_does_not_hold_up_a_collection(void **state)
{
    (void)state;
    kit_on_destroy = make_another;
    make_another(&(struct hooked){.id = 0});
    size_t freed = ouro_collect(NULL);
    assert_in_range(freed, 1, 8);
    kit_on_destroy = NULL;
    assert_int_equal(ouro_collect(NULL), 1);
}

/* -- structured values in cycles --------------------------------------------------------------- */

struct rich {
    ouro_seq children; /* of references */
    uint8_t has;
    struct rich *maybe;
    int32_t tag;
    union {
        struct rich *one;
        int64_t number;
        ouro_string text;
    } u;
};
static struct ouro_type rich_type;
static const struct ouro_field one_fields[] = {OURO_REF(struct rich, u.one, &rich_type)};
static const struct ouro_field text_fields[] = {OURO_STRING(struct rich, u.text)};
static const struct ouro_case rich_cases[] = {
    {.name = "one", .first = 1, .last = 1, .fields = one_fields, .field_count = 1},
    {.name = "text", .first = 2, .last = 2, .fields = text_fields, .field_count = 1}};
static const struct ouro_field rich_fields[] = {
    OURO_SEQ(struct rich, children, &ouro_ref_type),
    OURO_OPTION(struct rich, maybe, has, &ouro_ref_type),
    OURO_UNION(struct rich, u, tag, rich_cases),
};
static struct ouro_type rich_type = OURO_TYPE(struct rich, rich_fields);

static void add_child(struct rich *to, struct rich *child)
{
    void *reference = child;
    ouro_incref(child);
    assert_int_equal(ouro_seq_push(&to->children, &ouro_ref_type, &reference), OURO_OK);
}

static void sequences_options_and_unions_are_followed(void **state)
{
    (void)state;
    for (int way = 0; way < 8; way++) {
        struct rich *r[6];
        for (int i = 0; i < 6; i++)
            r[i] = OURO_NEW(struct rich, &rich_type);
        for (int i = 0; i < 6; i++) {
            struct rich *next = r[(i + 1) % 6];
            if (i % 3 == 0) {
                for (int k = 0; k < 5; k++)
                    add_child(r[i], k % 2 ? next : r[i]);
            } else if (i % 3 == 1) {
                ouro_incref(next);
                r[i]->has = 1;
                r[i]->maybe = next;
                r[i]->tag = 2;
                assert_int_equal(ouro_string_make(&r[i]->u.text, "text", 4), OURO_OK);
            } else {
                ouro_incref(next);
                r[i]->tag = 1;
                r[i]->u.one = next;
            }
        }
        for (int i = 0; i < 6; i++) {
            if (i != way)
                ouro_decref(r[i]);
        }
        if (way < 6) { /* one is held */
            assert_int_equal(ouro_collect(NULL), 0);
            ouro_decref(r[way]);
        }
        assert_int_equal(ouro_collect(NULL), 6);
    }
}

/* -- what stays -------------------------------------------------------------------------------- */

static void live_graphs_stay_and_count_exactly(void **state)
{
    (void)state;
    struct node *root = node_new(1), *inner = node_new(2);
    kit_link(root, inner);
    kit_link(inner, root);
    struct node *garbage = kit_garbage_ring(3);
    garbage->b = inner; /* garbage that refers to what lives */
    ouro_incref(inner);
    ouro_decref(inner);
    assert_int_equal(ouro_collect(NULL), 3);
    assert_int_equal(ouro_count(inner), 1);
    assert_int_equal(ouro_count(root), 2);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ouro_collect(NULL), 0);
    ouro_decref(root);
    assert_int_equal(ouro_collect(NULL), 2);
}

/* Pathology 11: borrowed back pointers, then a full collection; live objects exact afterwards. */
static void borrowed_back_pointers_count_nothing(void **state)
{
    (void)state;
    static struct ouro_type type;
    static const struct ouro_field fields[] = {OURO_REF(struct node, a, &type),
                                               OURO_BORROW(struct node, b)};
    type = (struct ouro_type){
        .size = sizeof(struct node), .name = "back", .fields = fields, .field_count = 2};
    struct node *parent = OURO_NEW(struct node, &type), *child = OURO_NEW(struct node, &type);
    parent->a = child;
    child->b = parent;
    ouro_incref(parent);
    ouro_decref(parent);
    ouro_incref(child);
    ouro_decref(child);
    assert_int_equal(ouro_collect(NULL), 0);
    assert_ptr_equal(child->b, parent);
    if (heapcheck_can_walk())
        assert_int_equal(heapcheck_count(&type), 2);
    ouro_decref(parent);
    assert_int_equal(heapcheck_count(&type), 0);
}

/* -- exhaustion -------------------------------------------------------------------------------- */

static size_t mixed_garbage(void)
{
    struct hooked *saved = hooked_new(1);
    for (int i = 0; i < 300; i++) {
        struct hooked *h = hooked_new(i);
        h->a = saved;
        saved = h;
        struct hooked *self = hooked_new(i);
        self->a = self;
        ouro_incref(self);
        ouro_decref(self);
    }
    struct hooked *end = saved;
    while (end->a)
        end = end->a;
    end->a = saved;
    ouro_incref(saved);
    ouro_decref(saved);
    kit_garbage_ring(1000);
    return 601;
}

static void a_collection_without_memory_is_abandoned_and_done_later(void **state)
{
    (void)state;
    for (int for_good = 0; for_good < 2; for_good++) {
        for (size_t nth = 1; nth < 8; nth++) {
            kit_destroyed = 0;
            ouro_collect_pause();
            size_t hooks = mixed_garbage();
            ouro_fail_nth_alloc(nth, for_good);
            struct ouro_collection c;
            ouro_collect(&c);
            ouro_fail_nth_alloc(0, false);
            if (c.abandoned) {
                assert_int_equal(kit_destroyed, 0);
                assert_int_equal(c.freed, 0);
            }
            ouro_collect(NULL);
            assert_int_equal(kit_destroyed, hooks);
            assert_int_equal(heapcheck_count(&node_type), 0);
            ouro_collect_resume();
        }
    }
}

static void candidates_that_could_not_be_remembered_are_found(void **state)
{
    (void)state;
    ouro_decref(node_new(1));
    if (!heapcheck_can_walk())
        skip(); /* there are no pages to look through */
    if (KIT_ATOMIC && OURO_TSAN)
        skip(); /* merged objects are looked for by a thread that is alone */
    ouro_collect_pause();
    /* More than fit, also once the array has taken all of its block. */
    size_t n = ouro_usable_size(ouro__self->visited.entries) / sizeof(struct ouro__entry) + 400;
    struct node **many = malloc(n * sizeof *many);
    for (size_t i = 0; i < n; i++)
        many[i] = node_new((int64_t)i);
    for (size_t i = 0; i < n; i++)
        kit_link(many[i], many[i]);
    static struct ouro_type wide;
    static const struct ouro_field fields[] = {OURO_REF(struct node, a, NULL)};
    wide = (struct ouro_type){
        .size = 200000, .name = "large node", .fields = fields, .field_count = 1};
    struct node *large = ouro_new(&wide, 200000); /* alone in its pages */
    kit_link(large, large);
    ouro_fail_nth_alloc(1, true);
    for (size_t i = 0; i < n; i++)
        ouro_decref(many[i]);
    ouro_decref(large);
    ouro_fail_nth_alloc(0, false);
    assert_true(ouro_candidates() < n);
    assert_int_equal(ouro_collect(NULL), n + 1);
    ouro_collect_resume();
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(rings_of_any_length_are_collected),
        kit_test(rings_that_share_a_member_and_tails_go_together),
        kit_test(each_hook_in_and_behind_a_cycle_runs_once),
        kit_test(cycles_that_only_the_dead_kept_go_with_them),
        kit_test(a_hook_that_makes_garbage_for_ever_does_not_hold_up_a_collection),
        kit_test(sequences_options_and_unions_are_followed),
        kit_test(live_graphs_stay_and_count_exactly),
        kit_test(borrowed_back_pointers_count_nothing),
        kit_test(a_collection_without_memory_is_abandoned_and_done_later),
        kit_test(candidates_that_could_not_be_remembered_are_found),
    };
    return kit_run(tests);
}
