/* SPDX-License-Identifier: MIT */
/* The ends of counts that other threads reach: nothing wraps, and what saturates is said once.
 * White-box: sets header words, for the ends are a million references away. */
#include "orc_kit.h"

#include <string.h>

static struct kit_other *other;
static struct leaf *volatile kept[8]; /* what never dies, so that no tool calls it leaked */
static size_t kept_count;

static struct leaf *leaf_of_mine(void)
{
    struct leaf *l = ouro_new_biased(&leaf_type, sizeof *l);
    assert_non_null(l);
    kept[kept_count++] = l;
    return l;
}
static ouro_word shared_of(const void *object)
{
    return ouro__load(&ouro__header(object)->shared);
}
static void add_shared(void *object, int64_t n)
{
    ouro__fetch_add(&ouro__header(object)->shared, (ouro_word)n << OURO__COUNT_SHIFT);
}
static void set_local(void *object, int32_t n)
{
    struct ouro_header *h = ouro__header(object);
    ouro__half_store(&h->local, ouro__owned_local(h->shared, n));
}

static void decref_five(void *object)
{
    for (int i = 0; i < 5; i++)
        ouro_decref(object);
}
static void incref_five(void *object)
{
    for (int i = 0; i < 5; i++)
        ouro_incref(object);
}
static void last_decref_five(void *object)
{
    for (int i = 0; i < 5; i++)
        KIT_CHECK(!ouro__decref_last_out(object));
}
static void do_there(void *object, void (*fn)(void *))
{
    kit_other_do(other, fn, object);
}
static void add_there(void *object)
{
    do_there(object, incref_five);
}
static void drop_untyped_there(void *object)
{
    do_there(object, last_decref_five);
}

enum { GIVEN = 50000 };
static void drop_given(void *object)
{
    for (size_t i = 0; i < GIVEN; i++)
        ouro_decref(object);
}
static void drop_given_there(void *object)
{
    do_there(object, drop_given);
}

static void saturates_once(void (*fn)(void *), void *object)
{
    const char *said = kit_stderr_of(fn, object);
    const char *first = strstr(said, "saturated");
    assert_non_null(first);
    assert_null(strstr(first + 1, "saturated"));
    assert_true(shared_of(object) & OURO__IMMORTAL);
    int64_t count = ouro__count_of(shared_of(object));
    assert_true(count >= 0 && count <= OURO__COUNT_LIMIT + OURO__LOCAL_PART);
    assert_string_equal(kit_stderr_of(fn, object), "");
}

/* The owner gives away a million references and never settles; the others drop them. */
static void what_the_owner_gives_away_is_not_limited(void **state)
{
    (void)state;
    other = kit_other_start();
    struct leaf *l = leaf_of_mine();
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < GIVEN; i++)
            ouro_incref(l);
        assert_string_equal(kit_stderr_of(drop_given_there, l), "");
        assert_int_equal(ouro_count(l), 1);
    }
    assert_false(shared_of(l) & (OURO__IMMORTAL | OURO__MERGED));
    ouro_poll(); /* the entry that waited */
    assert_int_equal(ouro_count(l), 1);
    ouro_decref(l);
    ouro_poll(); /* in the checked library the count of others may be what is left */
    assert_int_equal(kit_destroyed, 1);
    kit_other_end(other);
}

static void untyped_drops_of_others_lower_the_count_as_far_as_local_goes(void **state)
{
    (void)state;
    other = kit_other_start();
    struct leaf *l = leaf_of_mine();
    set_local(l, OURO__LOCAL_MOST);
    add_shared(l, -(OURO__LOCAL_MOST - 6));
    drop_untyped_there(l);
    assert_int_equal(ouro_count(l), 1);
    ouro_incref(l); /* the local one is full, and the sum is what it was */
    assert_int_equal(ouro_count(l), 2);
    assert_false(ouro__decref_last_out(l));
    ouro_decref(l);
    assert_int_equal(kit_destroyed, 1);
    kit_other_end(other);
}

static void foreign_increfs_saturate_at_the_upper_end(void **state)
{
    (void)state;
    other = kit_other_start();
    struct leaf *l = leaf_of_mine();
    add_shared(l, OURO__COUNT_LIMIT - 7);
    assert_string_equal(kit_stderr_of(add_there, l), "");
    saturates_once(add_there, l);
    kit_other_end(other);
}

/* So many references in the shared count may well be the owner's: it takes back a part of them. */
static void an_untyped_drop_does_not_merge_what_may_be_the_owners(void **state)
{
    (void)state;
    other = kit_other_start();
    struct leaf *l = leaf_of_mine();
    const int32_t many = 2 * OURO__LOCAL_PART;
    add_shared(l, many);
    set_local(l, 2);
    assert_false(ouro__decref_last_out(l));
    assert_false(ouro__decref_last_out(l)); /* the last of the local ones */
    assert_int_equal(ouro_count(l), many);
    assert_int_equal(ouro__count_of(shared_of(l)), many - OURO__LOCAL_PART);
    assert_false(shared_of(l) & OURO__MERGED);
    add_shared(l, -(many - OURO__LOCAL_PART - 5));
    set_local(l, 2);
    assert_false(ouro__decref_last_out(l));
    assert_int_equal(ouro_count(l), 6);
    assert_true(shared_of(l) & OURO__MERGED); /* those are others' */
    for (int i = 0; i < 6; i++)
        ouro_decref(l);
    assert_int_equal(kit_destroyed, 1);
    kit_other_end(other);
}

/* A drain or a zero drop takes back as much of the shared count as fits in the local one. */
static void a_fold_takes_a_part_of_the_shared_count(void **state)
{
    (void)state;
    other = kit_other_start();
    struct node *n = ouro_new_biased(&node_type, sizeof *n);
    assert_non_null(n);
    add_shared(n, OURO__COUNT_LIMIT + 5);
    ouro_decref(n);
    assert_int_equal(ouro_count(n), OURO__COUNT_LIMIT + 5);
    assert_int_equal(ouro__count_of(shared_of(n)), OURO__COUNT_LIMIT + 5 - OURO__LOCAL_PART);
    add_shared(n, -ouro__count_of(shared_of(n)));
    set_local(n, 1);
    ouro_decref(n);
    kit_other_end(other);
}

/* -- weak upgrades ----------------------------------------------------------------------------- */

static struct ouro_weak *weak;

static void upgrade_five(void *object)
{
    for (int i = 0; i < 5; i++)
        KIT_CHECK(ouro_weak_upgrade(weak) == object);
}
static void upgrade_there(void *object)
{
    do_there(object, upgrade_five);
}

static void upgrades_saturate(void **state)
{
    (void)state;
    other = kit_other_start();
    struct leaf *l = leaf_of_mine();
    weak = ouro_weak_new(l);
    assert_non_null(weak);
    set_local(l, OURO__LOCAL_MOST - 4);
    add_shared(l, OURO__COUNT_LIMIT - OURO__LOCAL_PART);
    saturates_once(upgrade_five, l);
    ouro_weak_decref(weak);
    l = leaf_of_mine();
    weak = ouro_weak_new(l);
    assert_non_null(weak);
    add_shared(l, OURO__COUNT_LIMIT - 2);
    saturates_once(upgrade_there, l);
    ouro_weak_decref(weak);
    kit_other_end(other);
}

/* -- dying ------------------------------------------------------------------------------------- */

/* A member of a dead cycle may have more references than the shared word can count. */
static void a_dying_object_counts_to_the_limit(void **state)
{
    (void)state;
    struct leaf *l = leaf_of_mine();
    for (int64_t n = 1 << 23; n < OURO__COUNT_LIMIT + 3 * OURO__LOCAL_MOST; n += 1 << 23) {
        ouro_word before = shared_of(l);
        set_local(l, OURO__LOCAL_MOST);
        add_shared(l, n - OURO__LOCAL_MOST);
        ouro__mark_dying(ouro__header(l));
        ouro_word b = shared_of(l);
        assert_true(ouro__is_dying(b));
        assert_false(ouro__is_freed(b));
        assert_int_equal(ouro__count_of(b), n < OURO__COUNT_LIMIT ? n : OURO__COUNT_LIMIT);
        decref_five(l);
        incref_five(l);
        assert_int_equal(shared_of(l), b);
        ouro__store(&ouro__header(l)->shared, before);
    }
    set_local(l, 1);
    ouro_decref(l);
    assert_int_equal(kit_destroyed, 1);
}

static void count_all_there_can_be(struct hooked *dying)
{
    add_shared(dying, OURO__COUNT_LIMIT - ouro__count_of(shared_of(dying)));
}

/* Nobody can tell whether a hook left a reference to it. */
static void a_dead_member_with_too_many_references_lives_on(void **state)
{
    (void)state;
    static struct hooked *volatile lives;
    struct hooked *x = lives = ouro_new_biased(&hooked_type, sizeof *x);
    assert_non_null(x);
    ouro_slot_copy(x, (void **)&x->a, x);
    kit_on_destroy = count_all_there_can_be;
    ouro_decref(x);
    assert_int_equal(ouro_collect(NULL), 0);
    kit_on_destroy = NULL;
    assert_int_equal(kit_destroyed, 1);
    ouro_word b = shared_of(x);
    assert_true(b & OURO__IMMORTAL);
    assert_false(ouro__is_dying(b));
    decref_five(lives);
    assert_int_equal(shared_of(x), b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(what_the_owner_gives_away_is_not_limited),
        kit_test(untyped_drops_of_others_lower_the_count_as_far_as_local_goes),
        kit_test(foreign_increfs_saturate_at_the_upper_end),
        kit_test(an_untyped_drop_does_not_merge_what_may_be_the_owners),
        kit_test(a_fold_takes_a_part_of_the_shared_count),
        kit_test(upgrades_saturate),
        kit_test(a_dying_object_counts_to_the_limit),
        kit_test(a_dead_member_with_too_many_references_lives_on),
    };
    return kit_run(tests);
}
