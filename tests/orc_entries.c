/* SPDX-License-Identifier: MIT */
/* Foreign drops and slot stores without memory for an entry: nothing is lost, whatever the owner
 * does, with each supply. White-box: counts what is alive. */
#include "orc_kit.h"
#include "again.h"

#include <unistd.h>

static struct kit_other *owner;
static struct hooked *made[300];
enum { MADE = 300 };

static void make(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < MADE; i++) {
        made[i] = ouro_new_biased(&hooked_type, sizeof(struct hooked));
        KIT_CHECK(made[i] != NULL);
        made[i]->id = (int64_t)i;
    }
}
static void poll(void *arg)
{
    (void)arg;
    ouro_poll();
    ouro_collect(NULL);
}
static void decref(void *object)
{
    ouro_decref(object);
}

/* Each of the allocations that 300 drops make fails in turn, alone or with all that follow. The
 * drops come from a thread that has nothing at hand. */
static void drop_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < MADE; i++)
        ouro_decref(made[i]);
}
static void drop_all_but_some_fail(void *nth)
{
    int64_t n = *(int64_t *)nth;
    struct hooked *mine = hooked_new(-1); /* the thread's first touch is not what fails */
    mine->id = 0;
    ouro_decref(mine);
    ouro_fail_nth_alloc((size_t)(n < 0 ? -n : n), n < 0);
    drop_all(NULL);
    ouro_fail_nth_alloc(0, false);
}

enum state { RUNS, PARKED, ENDED, STATES };

static void every_allocation_of_a_drop_fails_once(void **state)
{
    (void)state;
    for (int64_t nth = 1; nth <= 8; nth++) {
        for (int kind = 0; kind < 2 * STATES; kind++) {
            kit_destroyed = 0;
            owner = kit_other_start();
            kit_other_do(owner, make, NULL);
            enum state its = (enum state)(kind / 2);
            if (its == PARKED)
                kit_other_do(owner, kit_park, NULL);
            else if (its == ENDED)
                kit_other_end(owner);
            int64_t n = kind % 2 ? -nth : nth;
            kit_elsewhere(drop_all_but_some_fail, &n);
            if (its == RUNS)
                kit_other_do(owner, poll, NULL);
            assert_int_equal(kit_destroyed, MADE + 1);
            if (its == PARKED)
                kit_other_do(owner, kit_unpark, NULL);
            if (its != ENDED)
                kit_other_end(owner);
        }
    }
}

/* The owner leaves its last drop to the drain while the dropper asks for memory: a Q that was set
 * could not be taken back (E1). */
static void *left;
static bool while_it_asks(size_t bytes, void *arg)
{
    (void)bytes;
    (void)arg;
    if (left) {
        void *object = left;
        left = NULL;
        kit_other_do(owner, decref, object);
    }
    return false;
}
static void drop_at_the_limit(void *object)
{
    struct hooked *h = object;
    ouro_incref(h);
    left = h;
    ouro_set_limit(1, while_it_asks, NULL);
    ouro_decref(h);
    ouro_set_limit(0, NULL, NULL);
}

static void an_owner_drops_while_the_dropper_asks_for_memory(void **state)
{
    (void)state;
    owner = kit_other_start();
    kit_other_do(owner, make, NULL);
    kit_elsewhere(drop_at_the_limit, made[0]);
    assert_null(left); /* it was asked */
    kit_other_do(owner, poll, NULL);
    assert_int_equal(kit_destroyed, 1);
    for (int i = 1; i < MADE; i++)
        ouro_decref(made[i]);
    kit_other_end(owner);
    assert_int_equal(kit_destroyed, MADE);
}

/* A store and a drop that make a cycle garbage, told by a mark alone. */
static void make_ring_without_memory(void *object)
{
    struct hooked *h = object;
    ouro_decref(hooked_new(-1));
    ouro_fail_nth_alloc(1, true);
    ouro_incref(h);
    ouro_slot_store(h, (void **)&h->a, h);
    ouro_decref(h);
    ouro_fail_nth_alloc(0, false);
}

static void a_ring_closed_without_memory_is_collected(void **state)
{
    (void)state;
    owner = kit_other_start();
    kit_other_do(owner, make, NULL);
    kit_elsewhere(make_ring_without_memory, made[0]);
    kit_other_do(owner, poll, NULL);
    kit_other_do(owner, poll, NULL);
    assert_int_equal(kit_destroyed, 2);
    for (int i = 1; i < MADE; i++)
        ouro_decref(made[i]);
    kit_other_end(owner);
    assert_int_equal(kit_destroyed, MADE + 1);
}

/* Objects of a thread that ended, in pages that another has taken over: their token's next holder
 * finds them. */
static struct hooked *born_there[MADE];
static void be_born_there(void *arg)
{
    (void)arg;
    for (int i = 0; i < MADE; i++) {
        born_there[i] = ouro_new_biased(&hooked_type, sizeof(struct hooked));
        KIT_CHECK(born_there[i] != NULL);
    }
}
static void drop_them(void *arg)
{
    (void)arg;
    for (int i = 0; i < MADE; i++)
        ouro_decref(born_there[i]);
}
static bool is_beside_one(const void *object)
{
    const struct ouro__page *page = ouro__place_of(object).page;
    for (int i = 0; i < MADE; i++) {
        if (ouro__place_of(born_there[i]).page == page)
            return true;
    }
    return false;
}

static void orphans_in_pages_of_another_are_found(void **state)
{
    (void)state;
    kit_elsewhere(make, NULL);
    for (int i = 1; i < MADE; i += 2) {
        ouro_decref(made[i]); /* this thread holds their token now */
        made[i] = NULL;
    }
    owner = kit_other_start();
    kit_other_do(owner, be_born_there, NULL);
    ouro_word b = ouro__load(&ouro__header(made[0])->shared);
    assert_ptr_equal(ouro__load(&ouro__tokens[b & OURO__OWNER_MASK].holder), ouro__self);
    assert_true(OURO_CHECKED || ouro__supply()->block || is_beside_one(made[2]));
    kit_elsewhere(make_ring_without_memory, made[0]);
    made[0] = NULL;
    int64_t n = -1;
    kit_elsewhere(drop_all_but_some_fail, &n);
    kit_destroyed = 0;
    poll(NULL);
    assert_int_equal(kit_destroyed, MADE / 2);
    kit_other_do(owner, drop_them, NULL);
    kit_other_end(owner);
}

static void touch_without_memory(void *arg)
{
    struct leaf **l = arg;
    ouro_fail_nth_alloc(1, true);
    KIT_CHECK(OURO_NEW(struct leaf, &leaf_type) == NULL || !OURO_THREADS);
    ouro_incref(*l);
    ouro_decref(*l);
    ouro_fail_nth_alloc(0, false);
    ouro_decref(*l);
}

static void a_thread_that_starts_without_memory_still_counts(void **state)
{
    (void)state;
    struct leaf *l = leaf_new(1);
    kit_elsewhere(touch_without_memory, &l);
    ouro_poll();
    assert_int_equal(kit_destroyed, 1);
}

int main(int argc, char **argv)
{
    (void)argc;
    const struct CMUnitTest tests[] = {
        kit_test(every_allocation_of_a_drop_fails_once),
        kit_test(an_owner_drops_while_the_dropper_asks_for_memory),
        kit_test(a_ring_closed_without_memory_is_collected),
        kit_test(orphans_in_pages_of_another_are_found),
        kit_test(a_thread_that_starts_without_memory_still_counts),
    };
    int failed = kit_run(tests);
    if (failed || getenv("OURO_SUPPLY") != NULL)
        return failed;
    setenv("OURO_SUPPLY", "2", 1); /* and once more with single blocks of libc */
    exec_again(argv[0], NULL);
    return 1;
}
