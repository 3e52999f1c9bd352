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

static void nothing(void *arg)
{
    (void)arg;
    ouro_poll();
}
static void incref(void *object)
{
    ouro_incref(object);
}
static void decref(void *object)
{
    ouro_decref(object);
}
static void touch(void *object) /* makes it a candidate */
{
    ouro_incref(object);
    ouro_decref(object);
}
static void collect(void *arg)
{
    (void)arg;
    ouro_collect(NULL);
}

static struct kit_other *other;

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
    kit_other_do(other, nothing, NULL);
    struct node *x = ouro_new_biased(&node_type, sizeof *x);
    from = stop_new(1);
    to = stop_new(2);
    kit_other_do(other, incref, from);
    kit_other_do(other, incref, to);
    touch(x); /* candidates in this order */
    touch(from);
    touch(to);
    from->a = (struct stop *)(void *)x; /* the only reference */
    on_trace = let_other_move;
    assert_int_equal(ouro_collect(NULL), 0);
    assert_null(from->a);
    assert_ptr_equal(to->a, x);
    assert_int_equal(ouro_count(x), 1);
    kit_other_do(other, decref, from);
    kit_other_do(other, decref, to);
    ouro_decref(from);
    ouro_decref(to);
    kit_other_end(other);
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
    kit_other_do(other, copy_and_drop, &kept);
}

static void what_another_thread_copied_during_a_capture_lives(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) { /* 0: the other touches Ouro then for the first time */
        other = kit_other_start();
        if (known)
            kit_other_do(other, nothing, NULL);
        struct stop *n = stop_new(1);
        m = stop_new(2);
        m->a = n;
        n->a = m;
        ouro_incref(m);
        touch(n);
        touch(m); /* the last reference of the program is for the other thread */
        on_trace = let_other_copy;
        ouro_collect(NULL);
        ouro_collect(NULL);
        assert_ptr_equal(kept, n);
        assert_int_equal(n->id, 1);
        assert_ptr_equal(n->a, m);
        assert_int_equal(m->id, 2);
        assert_int_equal(ouro_count(n), 2);
        kit_other_do(other, decref, n);
        assert_int_equal(ouro_collect(NULL), 2); /* a foreign drop made the cycle garbage */
        kit_other_end(other);
    }
}

/* -- merged candidates while there are others -------------------------------------------------- */

static void weak_references_to_waiting_candidates_hold(void **state)
{
    (void)state;
    other = kit_other_start();
    kit_other_do(other, nothing, NULL);
    struct node *x = node_new_merged(0);
    x->a = x;
    ouro_incref(x);
    ouro_incref(x);
    struct ouro_weak *weak = ouro_weak_new(x);
    ouro_decref(x); /* claimed */
    struct node *ring = ouro_new_biased(&node_type, sizeof *ring); /* something to look at */
    touch(ring);
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
    kit_other_do(other, nothing, NULL);
    struct hooked *h = ouro_new_atomic(&hooked_type, sizeof *h);
    ouro_incref(h);
    ouro_decref(h); /* claimed by this thread */
    kit_other_do(other, decref, h);
    ouro_collect(NULL);
    assert_int_equal(kit_destroyed, 1);
    h = hooked_new(2); /* the same in the default mode, merged by the owner's zero drop */
    kit_other_do(other, incref, h);
    ouro_decref(h);
    kit_other_do(other, decref, h);
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
        touch(saved[i]->a);
        touch(saved[i]);
        kit_elsewhere(make_immortal, saved[i]);
        for (int k = 0; k < 3; k++)
            assert_int_equal(ouro_collect(NULL), 0);
        ouro_decref(saved[i]);
        assert_int_equal(ouro_collect(NULL), 0);
        assert_int_equal(saved[i]->a->id, 7);
        ouro_slot_store(saved[i], (void **)&saved[i]->a, NULL);
    }
}

/* -- tokens that are adopted or given up in the middle ----------------------------------------- */

static void make_two_references(void *at)
{
    struct hooked *h = ouro_new_biased(&hooked_type, sizeof *h);
    KIT_CHECK(h != NULL);
    ouro_incref(h);
    *(struct hooked **)at = h;
}

static void the_dead_drop_every_reference_to_an_orphan(void **state)
{
    (void)state;
    struct node *a = biased_node(1), *b = biased_node(2);
    kit_elsewhere(make_two_references, &a->b);
    b->b = a->b;
    a->a = b; /* a ring with two references to one object of a thread that is gone */
    b->a = a;
    touch(a);
    ouro_incref(a); /* each has two references: one of the ring */
    ouro_decref(a);
    /* The orphan is dropped by the dead, or one of them, if this is the only thread by now. */
    size_t freed = ouro_collect(NULL);
    assert_true(freed == 2 || freed == 3);
    ouro_poll();
    assert_int_equal(kit_destroyed, 1);
}

#define MANY 40
static void more_orphans_than_adopted_tokens_in_one_sweep(void **state)
{
    (void)state;
    struct node *ring[MANY];
    struct kit_other *others[MANY];
    for (int i = 0; i < MANY; i++) { /* at the same time, so that each has a token of its own */
        ring[i] = biased_node(i);
        others[i] = kit_other_start();
        kit_other_do(others[i], make_two_references, &ring[i]->b);
    }
    for (int i = 0; i < MANY; i++) {
        kit_other_end(others[i]);
        ring[i]->a = ring[(i + 1) % MANY];
        struct hooked *h = (struct hooked *)(void *)ring[i]->b;
        h->a = h; /* its second reference: a cycle that hangs off the ring */
    }
    touch(ring[0]);
    assert_int_equal(kit_destroyed, 0);
    ouro_collect(NULL);
    for (int i = 0; i < 5; i++)
        ouro_collect(NULL);
    assert_int_equal(kit_destroyed, MANY);
}

/* -- notices ----------------------------------------------------------------------------------- */

static void a_foreign_drop_makes_a_cycle_collectable(void **state)
{
    (void)state;
    other = kit_other_start();
    for (int round = 0; round < 5; round++) {
        struct hooked *h = ouro_new_biased(&hooked_type, sizeof *h);
        h->a = h;
        ouro_incref(h);
        for (int i = 0; i < 4; i++)
            kit_other_do(other, incref, h);
        ouro_decref(h);
        for (int i = 0; i < 4; i++) {
            ouro_collect(NULL);
            assert_int_equal(kit_destroyed, round);
            kit_other_do(other, decref, h);
        }
        ouro_collect(NULL);
        assert_int_equal(kit_destroyed, round + 1);
    }
    kit_other_end(other);
}

/* The owner ends between the drop that gives notice and the last one. */
static struct hooked *own;
static void make_own_ring(void *arg)
{
    (void)arg;
    own = ouro_new_biased(&hooked_type, sizeof *own);
    own->a = own;
    ouro_incref(own); /* one reference is for the other thread */
}

static void cycles_of_a_thread_that_ended_are_found(void **state)
{
    (void)state;
    for (int early = 0; early < 2; early++) {
        kit_destroyed = 0;
        struct kit_other *owner = kit_other_start();
        kit_other_do(owner, make_own_ring, NULL);
        ouro_incref(own);
        ouro_incref(own);
        if (early)
            ouro_decref(own); /* a notice waits when it ends */
        kit_other_end(owner);
        if (!early)
            ouro_decref(own);
        ouro_decref(own);
        ouro_decref(own);
        if (kit_alone()) {
            ouro_collect(NULL);
            assert_int_equal(kit_destroyed, 1);
        }
    }
}

/* The notice comes in after the last collection of a thread that ends has begun: in the hook of the
 * second bait, which the hook of the first let drop. */
static struct hooked *late, *baits[2];
static void on_last_drain(struct hooked *dying)
{
    if (dying->id == 100)
        kit_other_do(other, decref, baits[1]);
    else if (dying->id == 101)
        kit_other_do(other, decref, late);
}
static void make_late_ring(void *arg)
{
    (void)arg;
    late = ouro_new_biased(&hooked_type, sizeof *late);
    late->a = late;
    for (int i = 0; i < 2; i++) {
        baits[i] = ouro_new_biased(&hooked_type, sizeof *late);
        baits[i]->id = 100 + i;
    }
}

static void a_notice_during_the_exit_of_the_owner_is_not_lost(void **state)
{
    (void)state;
    other = kit_other_start();
    struct kit_other *owner = kit_other_start();
    kit_other_do(owner, make_late_ring, NULL);
    for (int i = 0; i < 3; i++)
        i ? kit_other_do(other, incref, late) : ouro_incref(late);
    kit_on_destroy = on_last_drain;
    kit_other_do(other, decref, baits[0]); /* settled when the owner ends */
    kit_other_end(owner);
    assert_int_equal(kit_destroyed, 2);
    kit_other_do(other, decref, late); /* it adopts; two drops of its own would merge the object */
    ouro_decref(late);
    kit_other_do(other, collect, NULL);
    assert_int_equal(kit_destroyed, 3);
    kit_other_end(other);
}

/* -- fork -------------------------------------------------------------------------------------- */

static struct node *claimed;
static void claim(void *arg)
{
    (void)arg;
    struct node *spare[3]; /* so that its place is not the first */
    for (int i = 0; i < 3; i++) {
        spare[i] = node_new_merged(i);
        touch(spare[i]);
    }
    touch(claimed);
    for (int i = 0; i < 3; i++)
        ouro_decref(spare[i]);
}

static void what_others_claimed_before_a_fork_is_left_alone(void **state)
{
    (void)state;
    other = kit_other_start();
    claimed = node_new_merged(5);
    kit_other_do(other, claim, NULL);
    assert_int_equal(ouro__header(claimed)->visited, 4);
    struct node *mine[4];
    for (int i = 0; i < 4; i++) {
        mine[i] = ouro_new_biased(&node_type, sizeof(struct node));
        mine[i]->id = i;
        touch(mine[i]);
        mine[i]->a = claimed;
        ouro_incref(claimed);
    }
    struct node *waiting = node_new_merged(0);
    touch(waiting); /* so that the collector asks whether it is alone */
    pid_t child = kit_fork();
    if (child == 0) {
        ouro_collect(NULL);
        for (int i = 0; i < 4; i++)
            KIT_CHECK(mine[i]->id == i && ouro_count(mine[i]) == 1 && claimed->id == 5);
        for (int i = 0; i < 4; i++)
            ouro_decref(mine[i]);
        ouro_collect(NULL);
        kit_child_ends(0);
    }
    assert_int_equal(kit_wait(child), 0);
    for (int i = 0; i < 4; i++)
        ouro_decref(mine[i]);
    kit_other_end(other);
    ouro_decref(claimed);
    ouro_decref(waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(what_another_thread_copied_during_a_capture_lives), /* first: one thread so far */
        kit_test(a_reference_moved_between_two_looks_is_no_failure),
        kit_test(weak_references_to_waiting_candidates_hold),
        kit_test(a_claimed_object_that_another_dropped_dies_at_a_collection),
        kit_test(a_candidate_made_immortal_elsewhere_lives),
        kit_test(the_dead_drop_every_reference_to_an_orphan),
        kit_test(more_orphans_than_adopted_tokens_in_one_sweep),
        kit_test(a_foreign_drop_makes_a_cycle_collectable),
        kit_test(cycles_of_a_thread_that_ended_are_found),
        kit_test(a_notice_during_the_exit_of_the_owner_is_not_lost),
        kit_test(what_others_claimed_before_a_fork_is_left_alone),
    };
    return kit_run(tests);
}
