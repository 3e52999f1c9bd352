/* SPDX-License-Identifier: MIT */
/* Slots, weak references and reuse, on one thread. White-box: looks at cells. */
#include "orc_kit.h"

#include <string.h>

/* -- slots ------------------------------------------------------------------------------------- */

static void a_slot_owns_what_is_stored(void **state)
{
    (void)state;
    struct hooked *c = hooked_new(1), *x = hooked_new(2);
    void **slot = (void **)&c->a;
    ouro_slot_copy(c, slot, x);
    assert_int_equal(ouro_count(x), 2);
    ouro_slot_copy(c, slot, x); /* the same again */
    assert_int_equal(ouro_count(x), 2);
    ouro_decref(x);
    assert_int_equal(ouro_count(x), 1);
    ouro_slot_copy(c, slot, c->a); /* its own contents, the only reference */
    assert_int_equal(kit_destroyed, 0);
    void *moved = ouro_slot_move(c, slot);
    assert_ptr_equal(moved, x);
    assert_null(c->a);
    assert_null(ouro_slot_move(c, slot));
    assert_null(ouro_slot_exchange(c, slot, moved));
    ouro_slot_store(c, slot, NULL);
    assert_int_equal(kit_destroyed, 1);
    ouro_slot_store(c, slot, hooked_new(3));
    ouro_slot_store(c, slot, hooked_new(4));
    assert_int_equal(kit_destroyed, 2);
    ouro_slot_store(c, (void **)&c->b, ouro_slot_move(c, slot));
    ouro_decref(c);
    assert_int_equal(kit_destroyed, 4);
}

static void a_slot_of_itself_is_a_cycle(void **state)
{
    (void)state;
    struct hooked *c = hooked_new(1);
    ouro_slot_copy(c, (void **)&c->a, c);
    ouro_decref(c);
    ouro_collect(NULL);
    assert_int_equal(kit_destroyed, 1);
}

/* No count goes down when the last reference from outside moves in. */
static void a_move_that_closes_a_cycle_is_noticed(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        kit_destroyed = 0;
        struct hooked *a = hooked_new(1), *b = hooked_new(2);
        ouro_slot_init(a, (void **)&a->a, b);
        if (way == 0) {
            ouro_slot_store(b, (void **)&b->a, a);
        } else if (way == 1) {
            assert_null(ouro_slot_exchange(b, (void **)&b->a, a));
        } else {
            b->a = a;
            ouro_slot_moved_into(b);
        }
        assert_int_equal(ouro_collect(NULL), KIT_ATOMIC && !kit_alone() ? 0 : 2);
        ouro_collect(NULL);
    }
}

static void a_move_of_nothing_makes_no_candidate(void **state)
{
    (void)state;
    struct hooked *a = hooked_new(1);
    struct leaf *leaf = leaf_new(2);
    ouro_slot_store(a, (void **)&a->a, NULL);
    assert_null(ouro_slot_move(a, (void **)&a->a));
    ouro_slot_moved_into(leaf);
    assert_int_equal(ouro_candidates(), 0);
    ouro_slot_moved_into(a);
    ouro_slot_moved_into(a);
    assert_int_equal(ouro_candidates(), 1);
    ouro_decref(leaf);
    ouro_decref(a);
    ouro_collect(NULL);
    assert_int_equal(ouro_candidates(), 0);
}

/* -- weak references --------------------------------------------------------------------------- */

static void a_weak_reference_ends_with_its_object(void **state)
{
    (void)state;
    for (int way = 0; way < 5; way++) {
        kit_destroyed = 0;
        struct hooked *h = hooked_new(1);
        struct ouro_weak *weak = ouro_weak_new(h), *same = ouro_weak_new(h);
        assert_ptr_equal(weak, same); /* one cell */
        ouro_weak_incref(weak);
        assert_ptr_equal(ouro_weak_upgrade(weak), h);
        assert_int_equal(ouro_count(h), 2);
        ouro_decref(h);
        if (way == 0) {
            ouro_decref(h);
        } else if (way == 1) {
            h->a = h;
            ouro_incref(h);
            ouro_decref(h);
            assert_ptr_equal(ouro_weak_upgrade(weak), h); /* garbage, but still there */
            ouro_decref(h);
            ouro_collect(NULL);
        } else if (way == 2) {
            assert_null(ouro_drop_reuse(h).cell); /* not unique */
        } else if (way == 3) {
            ouro_decref_later(h);
            assert_null(ouro_weak_upgrade(weak)); /* its death is decided */
            ouro_poll();
        } else {
            struct hooked *parent = hooked_new(2);
            parent->a = h;
            ouro_decref(parent);
            kit_destroyed--;
        }
        assert_int_equal(kit_destroyed, 1);
        assert_null(ouro_weak_upgrade(weak));
        ouro_weak_decref(weak);
        ouro_weak_decref(same);
        assert_null(ouro_weak_upgrade(weak));
        ouro_weak_decref(weak);
    }
    assert_null(ouro_weak_upgrade(NULL));
    ouro_weak_incref(NULL);
    ouro_weak_decref(NULL);
}

static void handles_may_go_before_the_object_and_come_again(void **state)
{
    (void)state;
    struct leaf *l = leaf_new(1);
    for (int i = 0; i < 1000; i++) {
        struct ouro_weak *weak = ouro_weak_new(l);
        if (i % 2) {
            assert_ptr_equal(ouro_weak_upgrade(weak), l);
            ouro_decref(l);
        }
        ouro_weak_decref(weak);
    }
    assert_int_equal(ouro_count(l), 1);
    ouro_decref(l);
    assert_int_equal(kit_destroyed, 1);
}

static void many_weak_references_share_buckets(void **state)
{
    (void)state;
    enum { N = 5000 };
    static struct leaf *l[N];
    static struct ouro_weak *w[N];
    for (int i = 0; i < N; i++)
        w[i] = ouro_weak_new(l[i] = leaf_new(i));
    for (int i = 0; i < N; i += 2)
        ouro_decref(l[i]);
    for (int i = 0; i < N; i++) {
        struct leaf *again = ouro_weak_upgrade(w[i]);
        assert_ptr_equal(again, i % 2 ? l[i] : NULL);
        ouro_decref(again);
    }
    for (int i = 0; i < N; i++) {
        ouro_weak_decref(w[i]);
        if (i % 2)
            ouro_decref(l[i]);
    }
    assert_int_equal(kit_destroyed, N);
}

static void a_refused_weak_reference_changes_nothing(void **state)
{
    (void)state;
    struct leaf *l = leaf_new(1);
    ouro_fail_nth_alloc(1, true);
    assert_null(ouro_weak_new(l));
    ouro_fail_nth_alloc(0, false);
    assert_true(ouro_is_unique(l));
    ouro_decref(l);
}

static void weak_fields_are_released_with_their_object(void **state)
{
    (void)state;
    struct holder {
        struct ouro_weak *weak;
    };
    static const struct ouro_field fields[] = {OURO_WEAK(struct holder, weak)};
    static struct ouro_type type = OURO_TYPE(struct holder, fields);
    struct leaf *l = leaf_new(1);
    struct holder *h = OURO_NEW(struct holder, &type);
    h->weak = ouro_weak_new(l);
    ouro_decref(h);
    ouro_decref(l);
    assert_int_equal(kit_destroyed, 1);
}

/* -- reuse ------------------------------------------------------------------------------------- */

static void a_unique_object_yields_its_cell(void **state)
{
    (void)state;
    struct hooked *h = ouro_new_biased(&hooked_type, sizeof *h);
    h->a = hooked_new(2);
    ouro_incref(h);
    ouro_reuse none = ouro_drop_reuse(h); /* not the only reference */
    assert_null(none.cell);
    assert_int_equal(kit_destroyed, 0);
    ouro_reuse token = ouro_drop_reuse(h);
    assert_int_equal(kit_destroyed, 2); /* its contents are gone */
    if (!OURO_CHECKED)
        assert_ptr_equal(token.cell, h);
    assert_int_equal(ouro_type_register(&node_type, NULL), OURO_OK);
    struct node *n = ouro_new_reuse(token, &node_type, sizeof *n);
    if (!OURO_CHECKED)
        assert_ptr_equal(n, h);
    assert_ptr_equal(ouro_type_of(n), &node_type);
    assert_int_equal(ouro_count(n), 1);
    memset(n, 0, sizeof *n);
    n->a = n; /* an object like any other */
    ouro_incref(n);
    ouro_decref(n);
    assert_int_equal(ouro_collect(NULL), 1);
}

static void a_cell_that_does_not_fit_is_given_back(void **state)
{
    (void)state;
    static struct ouro_type sizes[] = {
        {.size = 1, .name = "1", .flags = OURO_ACYCLIC},
        {.size = 20, .name = "20", .flags = OURO_ACYCLIC},
        {.size = 30, .name = "30", .flags = OURO_ACYCLIC},
        {.size = 500, .name = "500", .flags = OURO_ACYCLIC},
        {.size = 20000, .name = "20000", .flags = OURO_ACYCLIC},
        {.size = 100, .align = 256, .name = "aligned", .flags = OURO_ACYCLIC},
        {.size = 24, .name = "prompt", .flags = OURO_ACYCLIC | OURO_PROMPT},
    };
    size_t n = OURO_COUNT_OF(sizes);
    for (size_t i = 0; i < n * n; i++) {
        struct ouro_type *from = &sizes[i / n], *to = &sizes[i % n];
        void *object = ouro_new(from, from->size);
        object = ouro_new_reuse(ouro_drop_reuse(object), to, to->size);
        memset(object, 0xAB, to->size);
        assert_ptr_equal(ouro_type_of(object), to);
        ouro_decref(object);
    }
    ouro_reuse_free(ouro_drop_reuse(leaf_new(1)));
    assert_int_equal(kit_destroyed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_slot_owns_what_is_stored),
        kit_test(a_slot_of_itself_is_a_cycle),
        kit_test(a_move_that_closes_a_cycle_is_noticed),
        kit_test(a_move_of_nothing_makes_no_candidate),
        kit_test(a_weak_reference_ends_with_its_object),
        kit_test(handles_may_go_before_the_object_and_come_again),
        kit_test(many_weak_references_share_buckets),
        kit_test(a_refused_weak_reference_changes_nothing),
        kit_test(weak_fields_are_released_with_their_object),
        kit_test(a_unique_object_yields_its_cell),
        kit_test(a_cell_that_does_not_fit_is_given_back),
    };
    return kit_run(tests);
}
