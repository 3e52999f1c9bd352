/* SPDX-License-Identifier: MIT */
/* Children of a fork that wait for nothing that a vanished thread had begun: a store into a slot,
 * the settling of what a parked thread has. Bounded by the children's alarms. White-box: looks at
 * flags. */
#include "orc_kit.h"

#include <pthread.h>
#include <unistd.h>

static ouro_word stop;

static bool forks_here(void)
{
    return !(OURO_ASAN && ouro_supply_get()->block); /* its allocator's locks stay locked there */
}

/* -- stores ------------------------------------------------------------------------------------ */

#define CONTAINERS 3
#define STORERS    2

static struct node *containers[CONTAINERS];

static void make_containers(void *arg)
{
    (void)arg;
    for (int i = 0; i < CONTAINERS; i++) {
        containers[i] = ouro_new_biased(&node_type, sizeof *containers[i]);
        KIT_CHECK(containers[i] != NULL);
    }
}

/* Each storer has a slot of its own in every container. */
static void *store_until_stopped(void *arg)
{
    bool first = *(bool *)arg;
    struct node *mine = ouro_new_biased(&node_type, sizeof *mine);
    KIT_CHECK(mine != NULL);
    while (!ouro__load_acquire(&stop)) {
        for (int i = 0; i < CONTAINERS; i++) {
            struct node *c = containers[i];
            void **slot = (void **)(first ? &c->a : &c->b);
            ouro_slot_exchange(c, slot, mine); /* the slot was empty */
            ouro_slot_move(c, slot);
        }
    }
    ouro_decref(mine);
    return NULL;
}

static void child_stores(void)
{
    alarm(20);
    for (int i = 0; i < CONTAINERS; i++) {
        KIT_CHECK(!(ouro__header(containers[i])->shared & OURO__STORING));
        ouro_slot_exchange(containers[i], (void **)&containers[i]->a, NULL);
        ouro_slot_exchange(containers[i], (void **)&containers[i]->b, NULL);
        ouro_slot_moved_into(containers[i]);
    }
    ouro_collect(NULL);
    kit_child_ends(0);
}

static void a_child_ends_the_stores_of_threads_that_are_not_there(void **state)
{
    (void)state;
    if (!forks_here())
        skip();
    struct kit_other *owner = kit_other_start();
    kit_other_do(owner, make_containers, NULL);
    pthread_t threads[STORERS];
    bool first[STORERS] = {true, false};
    ouro__store(&stop, 0);
    for (int i = 0; i < STORERS; i++)
        KIT_CHECK(pthread_create(&threads[i], NULL, store_until_stopped, &first[i]) == 0);
    for (int i = 0; i < (kit_instrumented() ? 5 : 40); i++) {
        usleep(300);
        pid_t child = kit_fork();
        if (child == 0)
            child_stores();
        assert_int_equal(kit_wait(child), 0);
    }
    ouro__store_release(&stop, 1);
    for (int i = 0; i < STORERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < CONTAINERS; i++)
        ouro_decref(containers[i]);
    kit_other_end(owner);
}

/* -- parked ------------------------------------------------------------------------------------ */

#define LEAVES 4000

static struct leaf *leaves[LEAVES];
static size_t leaf_count;

/* Each drop settles for the main thread, which is parked. */
static void *drop_leaves(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < leaf_count; i++)
        ouro_decref(leaves[i]);
    ouro__store_release(&stop, 1);
    return NULL;
}

static void child_runs_again(void)
{
    alarm(20);
    ouro_unpark();
    ouro_poll();
    ouro_decref(leaf_new(1));
    ouro_collect(NULL);
    ouro_park(); /* and can do it all again */
    ouro_unpark();
    kit_child_ends(0);
}

static void decref_one(void *object)
{
    ouro_decref(object);
}

static void a_parked_thread_may_fork(void **state)
{
    (void)state;
    if (!forks_here())
        skip();
    struct leaf *last = ouro_new_biased(&leaf_type, sizeof *last);
    assert_non_null(last);
    leaf_count = kit_instrumented() ? LEAVES / 20 : LEAVES;
    for (int round = 0; round < (kit_instrumented() ? 2 : 40); round++) {
        for (size_t i = 0; i < leaf_count; i++) {
            leaves[i] = ouro_new_biased(&leaf_type, sizeof *leaves[i]);
            assert_non_null(leaves[i]);
        }
        kit_destroyed = 0;
        ouro_park();
        pthread_t dropper;
        ouro__store(&stop, 0);
        KIT_CHECK(pthread_create(&dropper, NULL, drop_leaves, NULL) == 0);
        do {
            pid_t child = kit_fork();
            if (child == 0)
                child_runs_again();
            assert_int_equal(kit_wait(child), 0);
        } while (!ouro__load_acquire(&stop));
        pthread_join(dropper, NULL);
        ouro_unpark();
        assert_int_equal(kit_destroyed, leaf_count);
    }
    ouro_park();
    pid_t child = kit_fork();
    if (child == 0)
        child_runs_again();
    assert_int_equal(kit_wait(child), 0);
    kit_destroyed = 0;
    kit_elsewhere(decref_one, last); /* still parked, after the fork */
    assert_int_equal(kit_destroyed, 1);
    ouro_unpark();
}

/* -- what they left candidates ----------------------------------------------------------------- */

static struct node *theirs;

/* A candidate whose index is beyond those of the main thread's array. */
static void make_theirs(void *arg)
{
    (void)arg;
    ouro_collect_pause();
    for (int64_t i = 0; i < 300; i++) {
        struct node *n = ouro_new_biased(&node_type, sizeof *n);
        KIT_CHECK(n != NULL);
        kit_link(n, n);
        ouro_decref(n);
        theirs = n;
    }
}

static void child_collects_alone(struct node *mine)
{
    alarm(20);
    struct ouro_collection all;
    for (int i = 0; i < 3; i++) {
        kit_touch(mine);
        ouro_collect(NULL);
    }
    ouro_collect_stats(&all);
    KIT_CHECK(all.freed == 0);
    KIT_CHECK(theirs->a == theirs);
    kit_child_ends(0);
}

static void a_child_leaves_candidates_of_threads_that_are_not_there_alone(void **state)
{
    (void)state;
    if (!forks_here())
        skip();
    struct kit_other *other = kit_other_start();
    kit_other_do(other, make_theirs, NULL);
    struct node *mine = node_new(1);
    kit_link(mine, theirs);
    pid_t child = kit_fork();
    if (child == 0)
        child_collects_alone(mine);
    assert_int_equal(kit_wait(child), 0);
    ouro_decref(mine);
    kit_other_end(other);
}

/* -- lists ------------------------------------------------------------------------------------- */

static ouro_word listing;

static void wait_in_the_list(const struct ouro_alive *alive, void *arg)
{
    (void)alive;
    (void)arg;
    ouro__store_release(&listing, 1);
    while (!ouro__load_acquire(&stop))
        usleep(100);
}

static void *list_alive(void *arg)
{
    (void)arg;
    ouro_list_alive(wait_in_the_list, NULL);
    return NULL;
}

static void count_lines(const struct ouro_alive *alive, void *arg)
{
    (void)alive;
    ++*(int *)arg;
}

static void a_child_lists_what_is_alive_though_a_vanished_thread_did(void **state)
{
    (void)state;
    struct leaf *leaf = leaf_new(1);
    if (!forks_here() || !heapcheck_can_walk()) {
        ouro_decref(leaf);
        skip();
    }
    pthread_t lister;
    ouro__store(&stop, 0);
    KIT_CHECK(pthread_create(&lister, NULL, list_alive, NULL) == 0);
    while (!ouro__load_acquire(&listing))
        usleep(100);
    pid_t child = kit_fork();
    if (child == 0) {
        int lines = 0;
        alarm(20);
        ouro_list_alive(count_lines, &lines);
        kit_child_ends(lines);
    }
    int lines = kit_wait(child);
    ouro__store_release(&stop, 1);
    pthread_join(lister, NULL);
    ouro_decref(leaf);
    assert_true(lines > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_child_ends_the_stores_of_threads_that_are_not_there),
        kit_test(a_parked_thread_may_fork),
        kit_test(a_child_leaves_candidates_of_threads_that_are_not_there_alone),
        kit_test(a_child_lists_what_is_alive_though_a_vanished_thread_did),
    };
    return kit_run(tests);
}
