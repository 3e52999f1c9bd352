/* SPDX-License-Identifier: MIT */
/* Bare objects that are handed from thread to thread: drops, indices of others, ends. All that the
 * program does to one is ordered. White-box: see bare_kit.h. */
#include "bare_kit.h"

static void drop_node(void *n)
{
    bnode_drop(n);
}
static void drop_leaf(void *leaf)
{
    bleaf_drop(leaf);
}
static void collect(void *arg)
{
    (void)arg;
    ouro_collect(NULL);
}
static void store_ring(void *at)
{
    *(struct bnode **)at = bnode_ring(10);
}
/* Some of it are candidates of the thread, and all when it iterated over it. */
static void store_candidates(void *at)
{
    struct bnode *ring = bnode_ring(10);
    ouro_collect_pause();
    for (struct bnode *n = ring->a; n != ring; n = n->a)
        bnode_drop(bare_share(n));
    bnode_drop(bare_share(ring));
    *(struct bnode **)at = ring;
}

/* Of n references, taken and dropped by both in any order, the last drop alone is told. */
static void the_last_drop_is_told_on_whichever_thread(void **state)
{
    (void)state;
    struct kit_other *other = kit_other_start();
    uint64_t before = bare_blocks();
    for (unsigned way = 0; way < 64; way++) {
        for (int typed = 0; typed < 2; typed++) {
            bnode_destroyed = 0;
            void *x = typed ? (void *)bnode_new(1) : ouro_new_bare(16, 8);
            for (unsigned i = 0; i < 5; i++) {
                if (way >> i & 1)
                    kit_other_do(other, kit_incref, x);
                else
                    ouro_incref(x);
            }
            for (unsigned i = 0; i < 6; i++) {
                void (*drop)(void *) = typed ? drop_node : drop_leaf;
                KIT_CHECK(bnode_destroyed == 0);
                assert_int_equal(ouro__header(x)->shared & OURO__IMMORTAL, 0);
                if ((way * 7 + 3) >> i & 1)
                    kit_other_do(other, drop, x);
                else
                    drop(x);
            }
            assert_int_equal(bnode_destroyed, typed);
        }
    }
    kit_other_do(other, collect, NULL);
    ouro_collect(NULL);
    kit_other_end(other);
    if (before)
        assert_int_equal(bare_blocks(), before);
}

/* A candidate of the giver's, dropped by the receiver: its memory goes once, whoever is first. */
static void what_the_receiver_disposed_of_goes_once(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    for (int way = 0; way < 4; way++) {
        struct kit_other *giver = kit_other_start();
        struct bnode *ring = NULL;
        bnode_destroyed = 0;
        kit_other_do(giver, store_candidates, &ring);
        struct bnode *next = ring->a;
        ring->a = NULL;
        if (way == 3) { /* the giver ends, what it left is disposed of */
            kit_other_end(giver);
            giver = NULL;
        }
        if (way == 0)
            kit_other_do(giver, collect, NULL);
        bnode_drop(next);
        assert_int_equal(bnode_destroyed, 9);
        bnode_drop(ring);
        assert_int_equal(bnode_destroyed, 10);
        if (way == 1)
            kit_other_do(giver, collect, NULL);
        if (giver)
            kit_other_end(giver);
        kit_alone();
        ouro_collect(NULL);
        ouro_collect(NULL);
        if (before && kit_alone())
            assert_int_equal(bare_blocks(), before);
        (void)ouro_check_heap();
    }
}

/* Garbage that the giver made, with candidates of its own or none, goes with the receiver's. */
static void the_receiver_collects_what_the_giver_made(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    for (int way = 0; way < 6; way++) {
        struct kit_other *giver = kit_other_start();
        struct bnode *ring = NULL;
        bnode_destroyed = 0;
        kit_other_do(giver, way % 2 ? store_candidates : store_ring, &ring);
        if (way / 2 == 1)
            kit_other_do(giver, collect, NULL);
        if (way / 2 == 2) {
            kit_other_end(giver);
            giver = NULL;
            kit_alone();
        }
        bnode_drop(ring);
        ouro_collect(NULL);
        if (giver) {
            kit_other_do(giver, collect, NULL);
            ouro_collect(NULL);
        }
        if (giver || kit_alone())
            assert_int_equal(bnode_destroyed, 10);
        if (giver)
            kit_other_end(giver);
        ouro_collect(NULL);
        if (before && kit_alone()) {
            ouro_collect(NULL);
            assert_int_equal(bnode_destroyed, 10);
            assert_int_equal(bare_blocks(), before);
        }
    }
}

static void drop_ring_and_end(void *arg)
{
    ouro_collect_pause();
    store_ring(arg);
    bnode_drop(*(struct bnode **)arg);
    struct bnode *x = bnode_new(1); /* and one that lives on */
    bnode_drop(bare_share(x));
    *(struct bnode **)arg = x;
}

static void threads_that_come_and_go_leave_nothing_for_good(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    size_t n = kit_instrumented() ? 20 : 300;
    struct bnode *left[300];
    for (size_t i = 0; i < n; i++)
        kit_elsewhere(drop_ring_and_end, &left[i]);
    for (size_t i = 0; i < n; i++) {
        if (i % 2)
            bnode_drop(left[i]);
    }
    if (kit_alone()) {
        ouro_collect(NULL);
        ouro_collect(NULL);
        assert_int_equal(bnode_destroyed, 10 * n + n / 2);
    }
    for (size_t i = 0; i < n; i += 2)
        bnode_drop(left[i]);
    ouro_collect(NULL);
    if (before && kit_alone())
        assert_int_equal(bare_blocks(), before);
}

/* -- at random --------------------------------------------------------------------------------- */

/* Two threads, each told what to do: so all is ordered. References that the program holds may be
 * dropped by either. A destroyed node must not be reachable; after collections by both the others
 * are gone. */
#define NODES 60
static struct {
    struct bnode *node[NODES];
    int held[NODES];
    bool live[NODES];
    uint64_t seed;
    size_t alive;
} r;

static void note_destroyed(struct bnode *n)
{
    KIT_CHECK(!r.live[n->id]);
    r.node[n->id] = NULL;
    r.alive--;
}

static void mark(int i)
{
    if (i < 0 || r.live[i])
        return;
    r.live[i] = true;
    mark(r.node[i]->a ? (int)r.node[i]->a->id : -1);
    mark(r.node[i]->b ? (int)r.node[i]->b->id : -1);
}
static void mark_all(void)
{
    memset(r.live, 0, sizeof r.live);
    for (int i = 0; i < NODES; i++) {
        if (r.node[i] && r.held[i])
            mark(i);
    }
}
static int any_held(void)
{
    int from = (int)(kit_random(&r.seed) % NODES);
    for (int k = 0; k < NODES; k++) {
        int i = (from + k) % NODES;
        if (r.node[i] && r.held[i])
            return i;
    }
    return -1;
}

static void steps(void *arg)
{
    for (size_t n = *(size_t *)arg; n > 0; n--) {
        int i = (int)(kit_random(&r.seed) % NODES), from = any_held(), to = any_held();
        unsigned what = (unsigned)(kit_random(&r.seed) % 16);
        if (what < 3 && !r.node[i]) {
            r.node[i] = bnode_new(i);
            r.node[i]->leaf = what ? NULL : ouro_new_bare(30, 8);
            r.held[i] = 1;
            r.alive++;
        } else if (from < 0) {
            continue;
        } else if (what < 9) {
            struct bnode **slot = what % 2 ? &r.node[from]->a : &r.node[from]->b, *old = *slot;
            *slot = what < 8 ? bare_share(r.node[to]) : NULL;
            mark_all();
            bnode_drop(old);
        } else if (what < 11) {
            ouro_incref(r.node[from]);
            r.held[from]++;
        } else if (what < 15) {
            r.held[from]--;
            mark_all();
            bnode_drop(r.node[from]);
        } else {
            mark_all();
            ouro_collect(NULL);
        }
    }
}

static void what_is_reachable_lives_and_the_rest_goes(void **state)
{
    (void)state;
    struct kit_other *others[2] = {kit_other_start(), kit_other_start()};
    memset(&r, 0, sizeof r);
    r.seed = kit_seed(23);
    bnode_on_destroy = note_destroyed;
    for (size_t round = 0; round < kit_scaled(6000); round++) {
        unsigned who = (unsigned)(kit_random(&r.seed) % 5);
        size_t n = 1 + kit_random(&r.seed) % 30;
        if (who < 2)
            kit_other_do(others[who], steps, &n);
        else
            steps(&n);
        if (who == 4 && round % 50 == 0) { /* that one ends, another comes */
            kit_other_end(others[round / 50 % 2]);
            others[round / 50 % 2] = kit_other_start();
        }
        if (round % 20)
            continue;
        size_t reached = 0;
        mark_all();
        for (int i = 0; i < NODES; i++)
            reached += r.live[i];
        for (int again = 0; again < 2; again++) {
            ouro_collect(NULL);
            kit_other_do(others[0], collect, NULL);
            kit_other_do(others[1], collect, NULL);
        }
        assert_true(r.alive >= reached);
        (void)ouro_check_heap();
    }
    for (int i = 0; i < NODES; i++) {
        while (r.node[i] && r.held[i] > 0) {
            r.held[i]--;
            mark_all();
            bnode_drop(r.node[i]);
        }
    }
    mark_all();
    kit_other_end(others[0]);
    kit_other_end(others[1]);
    bool alone = kit_alone();
    ouro_collect(NULL);
    ouro_collect(NULL);
    if (alone && heapcheck_can_walk())
        assert_int_equal(r.alive, 0);
}

/* -- in the child of a fork -------------------------------------------------------------------- */

static void a_child_goes_on_without_the_others(void **state)
{
    (void)state;
    struct kit_other *other = kit_other_start();
    struct bnode *ring = NULL, *mine = bnode_ring(5);
    kit_other_do(other, store_candidates, &ring);
    bnode_drop(bare_share(mine));
    pid_t child = kit_fork();
    if (child == 0) {
        bnode_drop(bare_share(ring->a)); /* that one's candidate */
        bnode_drop(bare_share(mine));
        bnode_drop(mine);
        ouro_collect(NULL);
        KIT_CHECK(bnode_destroyed == 5);
        bnode_drop(ring);
        ouro_collect(NULL);
        bnode_drop(bnode_ring(7));
        ouro_collect(NULL);
        KIT_CHECK(bnode_destroyed == 12 || bnode_destroyed == 22);
        (void)ouro_check_heap();
        kit_child_ends(-1);
    }
    assert_int_equal(kit_wait(child), -1);
    bnode_drop(mine);
    kit_other_do(other, drop_node, ring);
    kit_other_do(other, collect, NULL);
    ouro_collect(NULL);
    assert_int_equal(bnode_destroyed, 15);
    kit_other_end(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        bare_test(the_last_drop_is_told_on_whichever_thread),
        bare_test(what_the_receiver_disposed_of_goes_once),
        bare_test(the_receiver_collects_what_the_giver_made),
        bare_test(threads_that_come_and_go_leave_nothing_for_good),
        bare_test(what_is_reachable_lives_and_the_rest_goes),
        bare_test(a_child_goes_on_without_the_others),
    };
    return kit_run(tests);
}
