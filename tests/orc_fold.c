/* SPDX-License-Identifier: MIT */
/* A cycle whose references were dropped by its owner and by another thread is the owner's to
 * collect, in whatever order they went, while that thread runs on. White-box: looks at headers. */
#include "orc_kit.h"

#define MEMBERS 2

static struct hooked *ring[MEMBERS];
static struct kit_other *other;

static void incref_each(void *arg)
{
    (void)arg;
    for (int i = 0; i < MEMBERS; i++)
        ouro_incref(ring[i]);
}
/* Who made a reference decides where it is counted; who has it, where it is dropped. */
enum { EDGES_FROM_OTHER = 1, OTHERS_FROM_OTHER = 2, WAYS = 4 };

static void take_references(bool from_other)
{
    if (from_other)
        kit_other_do(other, incref_each, NULL);
    else
        incref_each(NULL);
}

/* Each member refers to the next; the owner and the other thread have a reference to each. */
static void make_ring(unsigned way)
{
    for (int i = 0; i < MEMBERS; i++) {
        ring[i] = ouro_new_biased(&hooked_type, sizeof *ring[i]);
        assert_non_null(ring[i]);
    }
    take_references(way & OTHERS_FROM_OTHER);
    take_references(way & EDGES_FROM_OTHER);
    for (int i = 0; i < MEMBERS; i++)
        ouro_slot_store(ring[i], (void **)&ring[i]->a, ring[(i + 1) % MEMBERS]);
}

/* Drop 2 i is the owner's of member i, drop 2 i + 1 the other thread's. */
static void drop_in_order(const int *order, unsigned looks, bool collects)
{
    for (int k = 0; k < 2 * MEMBERS; k++) {
        void *object = ring[order[k] / 2];
        if (order[k] % 2)
            kit_other_do(other, kit_decref, object);
        else
            ouro_decref(object);
        if (!(looks >> k & 1))
            continue;
        if (collects)
            ouro_collect(NULL);
        else
            ouro_poll();
    }
}

static bool next_order(int *order)
{
    int i = 2 * MEMBERS - 2, j = 2 * MEMBERS - 1;
    while (i >= 0 && order[i] > order[i + 1])
        i--;
    if (i < 0)
        return false;
    while (order[j] < order[i])
        j--;
    int t = order[i];
    order[i] = order[j];
    order[j] = t;
    for (int a = i + 1, b = 2 * MEMBERS - 1; a < b; a++, b--) {
        t = order[a];
        order[a] = order[b];
        order[b] = t;
    }
    return true;
}

static void each_order(unsigned way, bool collects)
{
    int order[2 * MEMBERS] = {0, 1, 2, 3};
    do {
        for (unsigned looks = 0; looks < 8; looks++) {
            kit_destroyed = 0;
            make_ring(way);
            drop_in_order(order, looks, collects);
            ouro_collect(NULL);
            if (kit_destroyed != MEMBERS)
                fail_msg("way %u, looks %u (%d): %d%d%d%d leaves %d members", way, looks, collects,
                         order[0], order[1], order[2], order[3], MEMBERS - (int)kit_destroyed);
        }
    } while (next_order(order));
}

static void a_cycle_dropped_by_two_threads_is_collected_by_its_owner(void **state)
{
    (void)state;
    other = kit_other_start();
    for (unsigned way = 0; way < WAYS; way++) {
        each_order(way, false);
        each_order(way, true);
    }
    kit_other_end(other);
}

/* -- what a fold leaves ------------------------------------------------------------------------ */

static void incref_three(void *object)
{
    for (int i = 0; i < 3; i++)
        ouro_incref(object);
}

static void a_zero_drop_of_what_others_have_keeps_the_owner(void **state)
{
    (void)state;
    other = kit_other_start();
    struct hooked *x = ouro_new_biased(&hooked_type, sizeof *x);
    kit_other_do(other, incref_three, x);
    ouro_word before = ouro__load(&ouro__header(x)->shared);
    size_t candidates = ouro_candidates();
    ouro_decref(x);
    ouro_word after = ouro__load(&ouro__header(x)->shared);
    assert_int_equal(ouro__count_of(after), 0);
    assert_int_equal(after, before - 3 * OURO__UNIT);
    assert_int_equal(ouro_count(x), 3);
    assert_int_equal(ouro_candidates(), candidates + 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kit_destroyed, 0);
        kit_other_do(other, kit_decref, x);
    }
    ouro_poll();
    assert_int_equal(kit_destroyed, 1);
    kit_other_end(other);
}

/* The owner's last drop is left to the drain, which finds that others have references. */
static void a_drain_that_finds_none_of_its_own_keeps_the_owner(void **state)
{
    (void)state;
    other = kit_other_start();
    struct hooked *x = ouro_new_biased(&hooked_type, sizeof *x);
    kit_other_do(other, incref_three, x);
    kit_other_do(other, kit_decref, x); /* tells the owner: Q */
    ouro_decref(x);
    ouro_poll();
    ouro_word b = ouro__load(&ouro__header(x)->shared);
    assert_int_equal(b & (OURO__MERGED | OURO__QUEUED), 0);
    assert_int_equal(ouro__count_of(b), 0);
    assert_int_equal(ouro_count(x), 2);
    assert_true(ouro_candidates() > 0);
    kit_other_do(other, kit_decref, x);
    kit_other_do(other, kit_decref, x);
    ouro_poll();
    assert_int_equal(kit_destroyed, 1);
    kit_other_end(other);
}

/* A zero drop with a weak reference, and with one that another thread keeps. */
static void what_others_keep_stays_with_its_owner(void **state)
{
    (void)state;
    other = kit_other_start();
    struct hooked *h = ouro_new_biased(&hooked_type, sizeof *h);
    struct ouro_weak *weak = ouro_weak_new(h);
    for (int i = 0; i < 3; i++)
        kit_other_do(other, kit_incref, h);
    ouro_decref(h);
    assert_false(ouro__load(&ouro__header(h)->shared) & OURO__MERGED);
    assert_int_equal(ouro_count(h), 3);
    assert_int_equal(ouro_candidates(), 1);
    void *again = ouro_weak_upgrade(weak);
    assert_ptr_equal(again, h);
    ouro_decref(again);
    assert_int_equal(ouro_collect(NULL), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kit_destroyed, 0);
        kit_other_do(other, kit_decref, h);
        ouro_poll();
    }
    assert_int_equal(kit_destroyed, 1);
    assert_null(ouro_weak_upgrade(weak));
    ouro_weak_decref(weak);
    kit_other_end(other);
}

static void an_acyclic_object_is_given_up(void **state)
{
    (void)state;
    other = kit_other_start();
    struct leaf *x = ouro_new_biased(&leaf_type, sizeof *x);
    kit_other_do(other, incref_three, x);
    ouro_decref(x);
    assert_true(ouro__load(&ouro__header(x)->shared) & OURO__MERGED);
    for (int i = 0; i < 3; i++)
        kit_other_do(other, kit_decref, x);
    assert_int_equal(kit_destroyed, 1);
    kit_other_end(other);
}

/* -- a parked owner ---------------------------------------------------------------------------- */

static void make_ring_there(void *arg)
{
    (void)arg;
    for (int i = 0; i < MEMBERS; i++) {
        ring[i] = ouro_new_biased(&hooked_type, sizeof *ring[i]);
        KIT_CHECK(ring[i] != NULL);
    }
}
static void drop_ring_and_park(void *arg)
{
    (void)arg;
    for (int i = 0; i < MEMBERS; i++)
        ouro_decref(ring[i]);
    ouro_park();
}
static void unpark_and_collect(void *arg)
{
    (void)arg;
    ouro_unpark();
    ouro_collect(NULL);
}

static void a_parked_owner_collects_what_was_dropped_meanwhile(void **state)
{
    (void)state;
    other = kit_other_start();
    kit_other_do(other, make_ring_there, NULL);
    incref_each(NULL);
    incref_each(NULL);
    for (int i = 0; i < MEMBERS; i++)
        ouro_slot_store(ring[i], (void **)&ring[i]->a, ring[(i + 1) % MEMBERS]);
    kit_other_do(other, drop_ring_and_park, NULL);
    for (int i = 0; i < MEMBERS; i++)
        ouro_decref(ring[i]); /* settled here, for the one that is parked */
    assert_int_equal(kit_destroyed, 0);
    kit_other_do(other, unpark_and_collect, NULL);
    assert_int_equal(kit_destroyed, MEMBERS);
    kit_other_end(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_cycle_dropped_by_two_threads_is_collected_by_its_owner),
        kit_test(a_zero_drop_of_what_others_have_keeps_the_owner),
        kit_test(a_drain_that_finds_none_of_its_own_keeps_the_owner),
        kit_test(what_others_keep_stays_with_its_owner),
        kit_test(an_acyclic_object_is_given_up),
        kit_test(a_parked_owner_collects_what_was_dropped_meanwhile),
    };
    return kit_run(tests);
}
