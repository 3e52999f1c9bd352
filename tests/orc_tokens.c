/* SPDX-License-Identifier: MIT */
/* Two threads in lockstep: tokens that change hands, what owners are told, what a fork finds.
 * White-box: looks at headers. */
#include "orc_kit.h"

static struct node *biased_node(int64_t id)
{
    struct node *n = ouro_new_biased(&node_type, sizeof *n);
    KIT_CHECK(n != NULL);
    n->id = id;
    return n;
}

static struct kit_other *other;

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
    kit_touch(a);
    ouro_incref(a); /* each has two references: one of the ring */
    ouro_decref(a);
    /* The orphan is dropped by the dead, or one of them, if this is the only thread by now. */
    size_t freed = ouro_collect(NULL);
    assert_true(freed == 2 || freed == 3);
    ouro_poll();
    assert_int_equal(kit_destroyed, 1);
}

static void make_one(void *at)
{
    struct hooked *h = ouro_new_biased(&hooked_type, sizeof *h);
    KIT_CHECK(h != NULL);
    *(struct hooked **)at = h;
}

static void one_collection_takes_a_ring_of_two_ended_threads(void **state)
{
    (void)state;
    struct hooked *a, *b;
    ouro_decref(biased_node(1)); /* this thread has a token: it gets none of theirs */
    struct kit_other *one = kit_other_start(), *two = kit_other_start(); /* each has a token */
    kit_other_do(one, make_one, &a);
    kit_other_do(two, make_one, &b);
    kit_other_end(one);
    kit_other_end(two);
    KIT_CHECK(kit_alone() || OURO_TSAN);
    a->a = b; /* the only reference to it: this thread has not taken its token over */
    b->a = a;
    ouro_incref(a);
    ouro_decref(a);
    ouro_collect(NULL);
    assert_true(kit_destroyed == 2 || OURO_TSAN);
    ouro_collect(NULL);
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
    kit_touch(ring[0]);
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
            kit_other_do(other, kit_incref, h);
        ouro_decref(h);
        for (int i = 0; i < 4; i++) {
            ouro_collect(NULL);
            assert_int_equal(kit_destroyed, round);
            kit_other_do(other, kit_decref, h);
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
        kit_other_do(other, kit_decref, baits[1]);
    else if (dying->id == 101)
        kit_other_do(other, kit_decref, late);
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
        i ? kit_other_do(other, kit_incref, late) : ouro_incref(late);
    kit_on_destroy = on_last_drain;
    kit_other_do(other, kit_decref, baits[0]); /* settled when the owner ends */
    kit_other_end(owner);
    assert_int_equal(kit_destroyed, 2);
    kit_other_do(other, kit_decref,
                 late); /* it adopts; two drops of its own would merge the object */
    ouro_decref(late);
    kit_other_do(other, kit_collect, NULL);
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
        kit_touch(spare[i]);
    }
    kit_touch(claimed);
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
        kit_touch(mine[i]);
        mine[i]->a = claimed;
        ouro_incref(claimed);
    }
    struct node *waiting = node_new_merged(0);
    kit_touch(waiting); /* so that the collector asks whether it is alone */
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

/* A thread that drops to a few owners in turn has a segment open for each. */
static void the_first_tokens_have_places_of_their_own(void **state)
{
    (void)state;
    unsigned times[OURO__SEGMENTS] = {0};
    uint32_t t = OURO__FIRST_TOKEN;
    for (unsigned i = 0; i < 2 * OURO__SEGMENTS; i++, t = ouro__next_token(t))
        times[ouro__open_place(t)]++;
    for (unsigned i = 0; i < OURO__SEGMENTS; i++)
        assert_int_equal(times[i], 2);
}

/* No token contains another, and there are as many as eight of sixteen bits give. */
static void tokens_are_told_apart_by_one_and(void **state)
{
    (void)state;
    unsigned count = 0;
    for (uint32_t t = OURO__FIRST_TOKEN; t <= 0xFFFF; t = ouro__next_token(t), count++)
        assert_int_equal(__builtin_popcount(t), 8);
    assert_int_equal(count, 12870);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(the_first_tokens_have_places_of_their_own),
        kit_test(tokens_are_told_apart_by_one_and),
        kit_test(one_collection_takes_a_ring_of_two_ended_threads), /* before anything waits */
        kit_test(the_dead_drop_every_reference_to_an_orphan),
        kit_test(more_orphans_than_adopted_tokens_in_one_sweep),
        kit_test(a_foreign_drop_makes_a_cycle_collectable),
        kit_test(cycles_of_a_thread_that_ended_are_found),
        kit_test(a_notice_during_the_exit_of_the_owner_is_not_lost),
        kit_test(what_others_claimed_before_a_fork_is_left_alone),
    };
    return kit_run(tests);
}
