/* SPDX-License-Identifier: MIT */
/* Two threads in lockstep: histories that free-running threads seldom meet. A trace hook written
 * here lets the other thread act in the middle of a capture. White-box: looks at headers. */
#include "orc_kit.h"

/* An object whose trace stops for the other thread. */
struct stop {
    struct stop *a, *b;
    int64_t id;
};
static void (*on_trace)(struct stop *traced);
static void stop_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    struct stop *s = value;
    ouro_lifted_trace(value, type, visitor);
    void (*now)(struct stop *) = on_trace;
    if (now) {
        on_trace = NULL;
        now(s);
    }
}
static const struct ouro_field stop_fields[] = {OURO_REF(struct stop, a, NULL),
                                                OURO_REF(struct stop, b, NULL)};
static struct ouro_type stop_type = {.size = sizeof(struct stop),
                                     .name = "stop",
                                     .fields = stop_fields,
                                     .field_count = 2,
                                     .hooks = {.trace = stop_trace}};

static struct stop *stop_new(int64_t id)
{
    struct stop *s = ouro_new_biased(&stop_type, sizeof *s);
    KIT_CHECK(s != NULL);
    s->id = id;
    return s;
}

static struct node *biased_node(int64_t id)
{
    struct node *n = ouro_new_biased(&node_type, sizeof *n);
    KIT_CHECK(n != NULL);
    n->id = id;
    return n;
}

static struct kit_other *other;
static bool other_is_known;
/* Unless it is known, the other touches Ouro in the midst of a capture for the first time, and the
 * capture began in a process that had one thread so far: then the other waits for its end. */
static void start_other(bool known)
{
    other_is_known = known;
    ouro__store(&ouro__many_threads, 0);
    other = kit_other_start();
    if (known)
        kit_other_do(other, kit_poll, NULL);
}

/* In the midst of a capture. */
static void let_other(void (*fn)(void *), void *arg)
{
    if (other_is_known)
        kit_other_do(other, fn, arg);
    else
        kit_other_begin(other, fn, arg);
}
/* After it. */
static void let_other_finish(void)
{
    if (!other_is_known)
        kit_other_finish(other);
}

/* -- moves during a capture -------------------------------------------------------------------- */

static struct stop *from, *to;
static void move_reference(void *arg)
{
    (void)arg;
    void *moved = ouro_slot_move(from, (void **)&from->a);
    ouro_slot_store(to, (void **)&to->a, moved);
}
static void let_other_move(struct stop *traced)
{
    (void)traced;
    kit_other_do(other, move_reference, NULL);
}

static void a_reference_moved_between_two_looks_is_no_failure(void **state)
{
    (void)state;
    other = kit_other_start();
    kit_other_do(other, kit_poll, NULL);
    struct node *x = ouro_new_biased(&node_type, sizeof *x);
    from = stop_new(1);
    to = stop_new(2);
    kit_other_do(other, kit_incref, from);
    kit_other_do(other, kit_incref, to);
    kit_touch(x); /* candidates in this order */
    kit_touch(from);
    kit_touch(to);
    from->a = (struct stop *)(void *)x; /* the only reference */
    on_trace = let_other_move;
    assert_int_equal(ouro_collect(NULL), 0);
    assert_null(from->a);
    assert_ptr_equal(to->a, x);
    assert_int_equal(ouro_count(x), 1);
    kit_other_do(other, kit_decref, from);
    kit_other_do(other, kit_decref, to);
    ouro_decref(from);
    ouro_decref(to);
    kit_other_end(other);
}

/* The container is alive, for the other has it, and what was in it is in the other's hand: only the
 * container tells of that, and it is not among the dead. */
static struct node *taken;
static void take_reference(void *arg)
{
    (void)arg;
    taken = ouro_slot_move(from, (void **)&from->a);
    KIT_CHECK(ouro__load(&ouro__lone_capture) == 0);
}
static void let_other_take(struct stop *traced)
{
    (void)traced;
    let_other(take_reference, NULL);
}

static void take_from_the_middle(bool known)
{
    start_other(known);
    from = stop_new(1);
    ouro_incref(from); /* for the other */
    struct node *x = biased_node(7), *y = biased_node(8);
    x->a = y;
    from->a = (struct stop *)(void *)x; /* the only reference */
    kit_touch(from);
    on_trace = let_other_take;
    assert_int_equal(ouro_collect(NULL), 0);
    let_other_finish();
    assert_null(from->a);
    assert_ptr_equal(taken, x);
    assert_int_equal(ouro_count(x), 1);
    assert_int_equal(x->id, 7);
    assert_int_equal(y->id, 8);
    kit_other_do(other, kit_decref, x);
    kit_other_do(other, kit_decref, from);
    ouro_decref(from);
    kit_other_end(other);
}

static void what_another_thread_took_out_during_a_capture_lives(void **state)
{
    (void)state;
    take_from_the_middle(true);
}

static void what_a_new_thread_took_out_during_a_capture_lives(void **state)
{
    (void)state;
    take_from_the_middle(false);
}

/* docs/cycles.md, section 2, history 2: it copies m->a and drops m between two looks. */
static struct stop *m;
static void copy_and_drop(void *arg)
{
    struct stop **kept = arg;
    *kept = m->a;
    ouro_incref(m->a);
    ouro_decref(m);
}
static struct stop *kept;
static void let_other_copy(struct stop *traced)
{
    (void)traced;
    let_other(copy_and_drop, &kept);
}

static void what_another_thread_copied_during_a_capture_lives(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        start_other(known);
        struct stop *n = stop_new(1);
        m = stop_new(2);
        m->a = n;
        n->a = m;
        ouro_incref(m);
        kit_touch(n);
        kit_touch(m); /* the last reference of the program is for the other thread */
        on_trace = let_other_copy;
        ouro_collect(NULL);
        let_other_finish();
        ouro_collect(NULL);
        assert_ptr_equal(kept, n);
        assert_int_equal(n->id, 1);
        assert_ptr_equal(n->a, m);
        assert_int_equal(m->id, 2);
        assert_int_equal(ouro_count(n), 2);
        kit_other_do(other, kit_decref, n);
        assert_int_equal(ouro_collect(NULL), 2); /* a foreign drop made the cycle garbage */
        kit_other_end(other);
    }
}

/* -- merged candidates while there are others -------------------------------------------------- */

static void weak_references_to_waiting_candidates_hold(void **state)
{
    (void)state;
    other = kit_other_start();
    kit_other_do(other, kit_poll, NULL);
    struct node *x = node_new_merged(0);
    x->a = x;
    ouro_incref(x);
    ouro_incref(x);
    struct ouro_weak *weak = ouro_weak_new(x);
    ouro_decref(x);                                                /* claimed */
    struct node *ring = ouro_new_biased(&node_type, sizeof *ring); /* something to look at */
    kit_touch(ring);
    ouro_weak_decref(ouro_weak_new(ring));
    assert_int_equal(ouro_collect(NULL), 0);
    void *again = ouro_weak_upgrade(weak);
    assert_ptr_equal(again, x);
    ouro_decref(again);
    ouro_decref(x);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ouro_collect(NULL), 0); /* merged cycles wait .. */
    kit_other_end(other);
    if (kit_alone()) {
        assert_int_equal(ouro_collect(NULL), 1); /* .. for the others to end */
        assert_null(ouro_weak_upgrade(weak));
    }
    ouro_weak_decref(weak);
    ouro_decref(ring);
}

/* Pathology 7: one thread registered it, another drops the last reference. */
static void a_claimed_object_that_another_dropped_dies_at_a_collection(void **state)
{
    (void)state;
    other = kit_other_start();
    kit_other_do(other, kit_poll, NULL);
    struct hooked *h = ouro_new_atomic(&hooked_type, sizeof *h);
    ouro_incref(h);
    ouro_decref(h); /* claimed by this thread */
    kit_other_do(other, kit_decref, h);
    ouro_collect(NULL);
    assert_int_equal(kit_destroyed, 1);
    h = hooked_new(2); /* the same in the default mode, settled by a poll of its owner */
    kit_other_do(other, kit_incref, h);
    ouro_decref(h);
    kit_other_do(other, kit_decref, h);
    ouro_poll();
    ouro_collect(NULL);
    assert_int_equal(kit_destroyed, 2);
    kit_other_end(other);
}

static void make_immortal(void *object)
{
    ouro_make_immortal(object);
}

static void a_candidate_made_immortal_elsewhere_lives(void **state)
{
    (void)state;
    static struct node *volatile saved[2]; /* so that no tool calls them leaked */
    for (int i = 0; i < 2; i++) {
        saved[i] = i ? ouro_new_atomic(&node_type, sizeof(struct node))
                     : ouro_new_biased(&node_type, sizeof(struct node));
        saved[i]->a = node_new(7);
        kit_touch(saved[i]->a);
        kit_touch(saved[i]);
        kit_elsewhere(make_immortal, saved[i]);
        for (int k = 0; k < 3; k++)
            assert_int_equal(ouro_collect(NULL), 0);
        ouro_decref(saved[i]);
        assert_int_equal(ouro_collect(NULL), 0);
        assert_int_equal(saved[i]->a->id, 7);
        ouro_slot_store(saved[i], (void **)&saved[i]->a, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(what_a_new_thread_took_out_during_a_capture_lives),
        kit_test(what_another_thread_copied_during_a_capture_lives),
        kit_test(a_reference_moved_between_two_looks_is_no_failure),
        kit_test(what_another_thread_took_out_during_a_capture_lives),
        kit_test(weak_references_to_waiting_candidates_hold),
        kit_test(a_claimed_object_that_another_dropped_dies_at_a_collection),
        kit_test(a_candidate_made_immortal_elsewhere_lives),
    };
    return kit_run(tests);
}
