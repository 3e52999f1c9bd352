/* SPDX-License-Identifier: MIT */
/* Bare candidates that are in no thread's array: lost for want of memory, or left by threads that
 * ended, beside other threads. White-box: looks at visited words, and writes some. */
#include "bare_kit.h"
#include "orc/index.h"

#include <pthread.h>
#include <unistd.h>

static bool no_pages(void) /* then lost candidates are not looked for */
{
    return ouro_supply_get()->block != NULL;
}

/* It is a candidate of the calling thread's that no memory could be had for. */
static void lose(void *object)
{
    ouro__forget(ouro__self, ouro__header(object));
    ouro__half_store(&ouro__header(object)->visited, OURO__LOST);
    ouro__self->visited.lost = true;
    ouro__lost_set(ouro__self->orc);
}
static void lose_a_pair(void *at)
{
    struct bnode *ring = bnode_ring(2);
    bnode_drop(bare_share(ring));
    lose(ring);
    *(struct bnode **)at = ring;
}
static void drop_node(void *n)
{
    bnode_drop(n);
}

/* -- lost -------------------------------------------------------------------------------------- */

/* The thread that looks for it has read LOST when another drops it last, and disposes of it. */
static void what_was_lost_and_is_gone_is_not_remembered(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    struct bnode *n = bnode_new(0);
    bnode_drop(bare_share(n));
    size_t candidates = ouro_candidates();
    lose(n);
    assert_true(ouro_decref_is_last_of(n, &bnode_type));
    assert_int_equal(ouro__half_load(&ouro__header(n)->visited), 0);
    ouro__remember_lost(ouro__self, n);
    assert_int_equal(ouro__half_load(&ouro__header(n)->visited), 0);
    assert_int_equal(ouro_candidates(), candidates - 1);
    bnode_destroy(n);
    ouro_dispose(n, 8);
    ouro_collect(NULL);
    assert_int_equal(bare_blocks(), before);
}

static void dispose(void *object)
{
    ouro_dispose(object, 8);
}

/* It was lost between the last drop and the end, in the array of a thread that ended. */
static void what_nobody_looks_for_is_given_back_by_who_disposes_of_it(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    struct kit_other *other = kit_other_start();
    kit_other_do(other, kit_poll, NULL);
    for (int flags = 0; flags < 2; flags++) {
        struct bnode *n = bnode_new(0);
        bnode_drop(bare_share(n));
        lose(n);
        assert_true(ouro_decref_is_last_of(n, &bnode_type));
        bnode_destroy(n);
        ouro__half_store(&ouro__header(n)->visited,
                         OURO__LOST | (flags ? OURO__HOLD | OURO__MARK : 0));
        kit_other_do(other, dispose, n);
    }
    kit_other_end(other);
    ouro_collect(NULL);
    assert_int_equal(bare_blocks(), before);
}

/* Its new owner does not look for what another thread lost. */
static void who_takes_over_what_was_lost_remembers_it(void **state)
{
    (void)state;
    if (no_pages())
        skip();
    struct kit_other *other = kit_other_start();
    struct bnode *ring;
    kit_other_do(other, lose_a_pair, &ring);
    size_t before = ouro_candidates();
    bnode_drop(ring);
    assert_int_equal(ouro_candidates(), before + 1);
    ouro_collect(NULL);
    assert_int_equal(bnode_destroyed, 2);
    kit_other_end(other);
}

static void child_collects(void)
{
    alarm(20);
    for (int i = 0; i < 3; i++)
        ouro_collect(NULL);
    kit_child_ends((int)bnode_destroyed * 10 + (int)ouro_candidates());
}

/* Its counts are as the vanished thread left them: maybe half written. */
static void a_child_leaves_alone_what_threads_that_are_not_there_lost(void **state)
{
    (void)state;
    if (no_pages())
        skip();
    struct kit_other *other = kit_other_start();
    struct bnode *lost, *taken = bnode_ring(2);
    kit_other_do(other, lose_a_pair, &lost);
    bnode_drop(bare_share(taken)); /* a candidate here, and that thread's */
    kit_other_do(other, drop_node, bare_share(taken));
    ouro__header(lost)->local = ouro__owned_local(ouro__load(&ouro__header(lost)->shared), 0);
    ouro__header(taken)->local = ouro__owned_local(ouro__load(&ouro__header(taken)->shared), 0);
    pid_t child = kit_fork();
    if (child == 0)
        child_collects();
    assert_int_equal(kit_wait(child), 1); /* what was taken over stays a candidate */
    ouro__header(lost)->local = ouro__owned_local(ouro__load(&ouro__header(lost)->shared), 2);
    ouro__header(taken)->local = ouro__owned_local(ouro__load(&ouro__header(taken)->shared), 2);
    bnode_drop(lost);
    bnode_drop(taken);
    kit_other_end(other);
    ouro_collect(NULL);
}

/* Each lost candidate is dropped by others while its thread looks for it. */
static struct bnode *batch[256];

static void *drop_batch(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < OURO_COUNT_OF(batch); i++)
        bnode_drop(batch[i]);
    return NULL;
}

static void lost_candidates_may_be_dropped_while_they_are_looked_for(void **state)
{
    (void)state;
    if (no_pages())
        skip();
    uint64_t before = bare_blocks();
    size_t rounds = kit_scaled(200);
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < OURO_COUNT_OF(batch); i++) {
            batch[i] = bnode_new(0);
            bnode_drop(bare_share(batch[i]));
            lose(batch[i]);
        }
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, drop_batch, NULL), 0);
        for (int i = 0; i < 4; i++)
            ouro_collect(NULL);
        pthread_join(thread, NULL);
        ouro_collect(NULL);
    }
    assert_int_equal(bnode_destroyed, rounds * OURO_COUNT_OF(batch));
    assert_int_equal(ouro_candidates(), 0);
    if (before)
        assert_int_equal(bare_blocks(), before);
}

/* -- left -------------------------------------------------------------------------------------- */

static void make_candidate(void *at)
{
    struct bnode *n = bnode_new(0);
    bnode_drop(bare_share(n));
    *(struct bnode **)at = n;
}

/* No thread is ever alone here, so that nobody looks at what was left. */
static void what_ended_threads_left_and_others_dropped_gives_its_memory_back(void **state)
{
    (void)state;
    struct bnode *one = bnode_new(0); /* so that there are blocks to be counted */
    uint64_t before = bare_blocks();
    struct kit_other *other = kit_other_start();
    kit_other_do(other, kit_poll, NULL);
    size_t rounds = kit_scaled(600);
    struct bnode *kept[40];
    for (size_t i = 0; i < rounds; i++) {
        struct bnode *n;
        kit_elsewhere(make_candidate, &n);
        if (i < OURO_COUNT_OF(kept))
            kept[i] = n;
        else
            bnode_drop(n);
        if (before)
            assert_in_range(bare_blocks(), before, before + 3 * OURO_COUNT_OF(kept));
    }
    for (size_t i = 0; i < OURO_COUNT_OF(kept) && i < rounds; i++)
        bnode_drop(kept[i]);
    assert_int_equal(bnode_destroyed, rounds);
    kit_other_end(other);
    if (kit_alone())
        ouro_collect(NULL);
    if (before && kit_alone())
        assert_int_equal(bare_blocks(), before);
    bnode_drop(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        bare_test(what_was_lost_and_is_gone_is_not_remembered),
        bare_test(what_nobody_looks_for_is_given_back_by_who_disposes_of_it),
        bare_test(who_takes_over_what_was_lost_remembers_it),
        bare_test(a_child_leaves_alone_what_threads_that_are_not_there_lost),
        bare_test(lost_candidates_may_be_dropped_while_they_are_looked_for),
        bare_test(what_ended_threads_left_and_others_dropped_gives_its_memory_back),
    };
    return kit_run(tests);
}
