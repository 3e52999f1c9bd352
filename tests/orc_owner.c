/* SPDX-License-Identifier: MIT */
/* Objects dropped by others, with an owner that runs, is parked, has ended or has no memory; two
 * threads in lockstep. White-box: counts what is alive. */
#include "orc_kit.h"

#include "alloc/heap.h"

#include <pthread.h>
#include <unistd.h>

static struct kit_other *owner;
static struct hooked *made[200];

static void make(void *n)
{
    for (size_t i = 0; i < *(size_t *)n; i++) {
        made[i] = ouro_new_biased(&hooked_type, sizeof(struct hooked));
        made[i]->id = (int64_t)i;
    }
}
static void make_some(size_t n)
{
    kit_other_do(owner, make, &n);
}
static void queued_bytes(void *result)
{
    *(size_t *)result = ouro_queued_bytes();
}

static void a_running_owner_settles_at_its_slow_path(void **state)
{
    (void)state;
    owner = kit_other_start();
    make_some(1);
    ouro_decref(made[0]);
    assert_int_equal(kit_destroyed, 0);
    kit_other_do(owner, kit_poll, NULL);
    assert_int_equal(kit_destroyed, 1);
    make_some(1);
    ouro_incref(made[0]); /* counted here, so dropped here */
    ouro_decref(made[0]);
    assert_int_equal(ouro_count(made[0]), 1);
    ouro_decref(made[0]);
    kit_other_end(owner); /* its end is a slow path */
    assert_int_equal(kit_destroyed, 2);
}

static void what_a_parked_owner_has_is_destroyed_at_once(void **state)
{
    (void)state;
    owner = kit_other_start();
    make_some(200); /* more than one hold settles */
    for (int i = 0; i < 100; i++)
        ouro_decref(made[i]);
    assert_int_equal(kit_destroyed, 0);
    kit_other_do(owner, kit_park, NULL); /* parking settles */
    assert_int_equal(kit_destroyed, 100);
    kit_other_do(owner, kit_park, NULL); /* pairs nest */
    kit_other_do(owner, kit_unpark, NULL);
    for (int i = 100; i < 200; i++) {
        made[i]->a = hooked_new(1000);
        ouro_incref(made[i]);
        ouro_decref(made[i]);
        ouro_decref(made[i]);
        assert_int_equal(kit_destroyed, 100 + 2 * (i - 99));
    }
    kit_other_do(owner, kit_unpark, NULL);
    make_some(1);
    ouro_decref(made[0]);
    assert_int_equal(kit_destroyed, 300);
    kit_other_end(owner);
    assert_int_equal(kit_destroyed, 301);
}

static void a_parked_thread_may_end(void **state)
{
    (void)state;
    owner = kit_other_start();
    make_some(2);
    kit_other_do(owner, kit_park, NULL);
    ouro_decref(made[0]);
    assert_int_equal(kit_destroyed, 1);
    kit_other_end(owner);
    ouro_decref(made[1]);
    assert_int_equal(kit_destroyed, 2);
}

/* A drop finds the parked owner in a hold that another took for another token of its (H1). */
static void make_with_weak(void *weak)
{
    make(&(size_t){1});
    *(struct ouro_weak **)weak = ouro_weak_new(made[0]);
}
static void make_orphan(void *at)
{
    struct hooked *h = ouro_new_biased(&hooked_type, sizeof *h);
    KIT_CHECK(h != NULL);
    ouro_incref(h);
    *(struct hooked **)at = h;
}
static void decref(void *object)
{
    ouro_decref(object);
}
static void *drop_it(void *object)
{
    ouro_decref(object);
    return NULL;
}

static void a_drop_during_a_hold_for_another_token_is_not_left(void **state)
{
    (void)state;
    owner = kit_other_start();
    struct ouro_weak *weak = NULL;
    struct hooked *orphan = NULL;
    kit_other_do(owner, make_with_weak, &weak);
    kit_elsewhere(make_orphan, &orphan);
    kit_other_do(owner, decref, orphan); /* adopts the token of the thread that ended */
    ouro_word shared = ouro__load(&ouro__header(made[0])->shared);
    unsigned home = shared & OURO__OWNER_MASK;
    struct ouro__thread *parked = (struct ouro__thread *)ouro__load(&ouro__tokens[home].holder);
    assert_int_equal(parked->held_count, 1);
    kit_other_do(owner, kit_park, NULL);

    unsigned bucket = ouro__weak_bucket(made[0]); /* the merger stops there, inside its hold */
    ouro__weak_lock(ouro__self->orc, bucket);
    pthread_t merger;
    KIT_CHECK(pthread_create(&merger, NULL, drop_it, made[0]) == 0);
    for (int i = 0; i < 5000 && ouro__load(&parked->state) != OURO__MERGING; i++)
        usleep(1000);
    assert_int_equal(ouro__load(&parked->state), OURO__MERGING);
    ouro_decref(orphan);
    ouro__weak_unlock(ouro__self->orc, bucket);
    pthread_join(merger, NULL);
    assert_int_equal(kit_destroyed, 2); /* while the owner sleeps on */

    kit_other_do(owner, kit_unpark, NULL);
    kit_other_end(owner);
    ouro_weak_decref(weak);
}

static void what_an_owner_left_is_destroyed_at_once(void **state)
{
    (void)state;
    owner = kit_other_start();
    make_some(200);
    kit_other_end(owner);
    for (int i = 0; i < 200; i++) {
        ouro_decref(made[i]);
        assert_int_equal(kit_destroyed, i + 1);
    }
}

static size_t block_bytes(const void *object)
{
    return ouro__supply()->block ? ouro__block_bytes(object) : ouro__place_of(object).bytes;
}

/* A tail that the descriptor knows nothing of. */
struct tail {
    int64_t count;
    char bytes[];
};
static struct ouro_type tail_type = OURO_PLAIN_TYPE(struct tail);
static struct tail *tailed;
static void make_tail(void *arg)
{
    (void)arg;
    tailed = ouro_new_biased(&tail_type, sizeof *tailed + 1000);
    KIT_CHECK(tailed != NULL);
}

static void queued_bytes_tell_all_that_waits(void **state)
{
    (void)state;
    owner = kit_other_start();
    make_some(200);
    kit_other_do(owner, make_tail, NULL);
    size_t bytes = 1, all = 0;
    kit_other_do(owner, queued_bytes, &bytes);
    assert_int_equal(bytes, 0);
    for (int i = 0; i < 200; i++) { /* the segment that is being filled is counted, too */
        all += block_bytes(made[i]);
        ouro_decref(made[i]);
        kit_other_do(owner, queued_bytes, &bytes);
        assert_int_equal(bytes, all);
    }
    all += block_bytes(tailed);
    assert_true(all >= 200 * (sizeof(struct hooked) + sizeof(struct ouro_header)) + 1000);
    ouro_decref(tailed);
    kit_other_do(owner, queued_bytes, &bytes);
    assert_int_equal(bytes, all);
    kit_other_do(owner, kit_poll, NULL);
    kit_other_do(owner, queued_bytes, &bytes);
    assert_int_equal(bytes, 0);
    assert_int_equal(kit_destroyed, 200);
    kit_other_end(owner);
}

/* However long the owner does not call, and whatever others do meanwhile: an object has one entry
 * at most, so what waits are the objects that it gave away, once. */
static void an_owner_that_computes_leaves_what_it_gave_away(void **state)
{
    (void)state;
    owner = kit_other_start();
    make_some(200);
    size_t most = 0, bytes, resident = 0;
    for (int i = 0; i < 200; i++)
        most += block_bytes(made[i]);
    for (size_t round = 0, n = kit_scaled(4000); round < n; round++) {
        for (int i = 0; i < 200; i++) {
            ouro_incref(made[i]);
            struct node *own = ouro_new(&node_type, sizeof *own); /* and work of one's own */
            ouro_decref(made[i]);
            ouro_decref(own);
        }
        if (round == n / 2)
            resident = kit_resident();
    }
    if (!kit_instrumented())
        assert_true(kit_resident() < resident + (1 << 20));
    kit_other_do(owner, queued_bytes, &bytes);
    assert_in_range(bytes, 1, most);
    for (int i = 0; i < 200; i++)
        ouro_decref(made[i]);
    kit_other_do(owner, queued_bytes, &bytes);
    assert_in_range(bytes, 1, most);
    kit_other_end(owner);
    assert_int_equal(kit_destroyed, 200);
}

/* Pathology 12, in small: a producer that allocates is never ahead of its drops by more than a
 * page. */
static void produce(void *arg)
{
    size_t *alive = arg;
    make(&(size_t){100});
    *alive = 0;
}

static void delayed_deaths_do_not_make_a_heap_grow(void **state)
{
    (void)state;
    owner = kit_other_start();
    size_t alive, resident = 0;
    for (size_t round = 0; round < kit_scaled(5000); round++) {
        kit_other_do(owner, produce, &alive);
        for (int i = 0; i < 100; i++)
            ouro_decref(made[i]);
        if (round == kit_scaled(5000) / 2)
            resident = kit_resident();
    }
    if (!kit_instrumented())
        assert_true(kit_resident() < resident + (1 << 20));
    kit_other_end(owner);
    assert_int_equal(kit_destroyed, 100 * kit_scaled(5000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_running_owner_settles_at_its_slow_path),
        kit_test(what_a_parked_owner_has_is_destroyed_at_once),
        kit_test(a_parked_thread_may_end),
        kit_test(a_drop_during_a_hold_for_another_token_is_not_left),
        kit_test(what_an_owner_left_is_destroyed_at_once),
        kit_test(queued_bytes_tell_all_that_waits),
        kit_test(an_owner_that_computes_leaves_what_it_gave_away),
        kit_test(delayed_deaths_do_not_make_a_heap_grow),
    };
    return kit_run(tests);
}
