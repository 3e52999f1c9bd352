/* SPDX-License-Identifier: MIT */
/* A giver's collections beside the receiver's drops of what the giver has in its array. The
 * receiver writes no slot: that the giver may be reading (docs/adr/0015). White-box: see
 * bare_kit.h. */
#include "bare_kit.h"
#include "orc/index.h"

#include <pthread.h>
#include <sched.h>

static void collect(void *arg)
{
    (void)arg;
    ouro_collect(NULL);
}
static void drop_node(void *n)
{
    bnode_drop(n);
}
static void store_self(void *at)
{
    struct bnode *x = bnode_new(0);
    x->a = bare_share(x);
    bnode_drop(bare_share(x));
    *(struct bnode **)at = x;
}
/* Of two, the first is a candidate. */
static void store_pair(void *at)
{
    struct bnode *ring = bnode_ring(2);
    bnode_drop(bare_share(ring));
    *(struct bnode **)at = ring;
}

/* Nothing is left of it when the last thread collects. */
static void assert_all_gone(size_t made, uint64_t before)
{
    if (!kit_alone())
        return;
    ouro_collect(NULL);
    ouro_collect(NULL);
    assert_int_equal(bnode_destroyed, made);
    if (before)
        assert_int_equal(bare_blocks(), before);
}

/* -- step by step ------------------------------------------------------------------------------ */

static struct kit_other *receiver;

/* The capture has read the counts of the node. */
static void drop_it_meanwhile(struct bnode *traced)
{
    bnode_on_trace = NULL;
    kit_other_do(receiver, drop_node, traced);
}

static void what_is_dropped_while_it_is_looked_at_stays_a_candidate(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    receiver = kit_other_start();
    kit_other_do(receiver, kit_poll, NULL);
    struct bnode *x;
    store_self(&x);
    bnode_on_trace = drop_it_meanwhile;
    ouro_collect(NULL);
    assert_null(bnode_on_trace);
    assert_int_equal(bnode_destroyed, 0);
    ouro_collect(NULL);
    assert_int_equal(bnode_destroyed, 1);
    kit_other_end(receiver);
    assert_all_gone(1, before);
}

/* The receiver of the second node made both: its drops of that are inlined. */
static struct bnode *second;
static void store_both(void *at)
{
    struct bnode *ring = bnode_ring(2);
    second = bare_share(ring->a);
    *(struct bnode **)at = ring;
}
static void drop_second_meanwhile(struct bnode *traced)
{
    if (traced == second)
        drop_it_meanwhile(traced);
}

static void what_a_collection_reaches_stays_a_candidate_if_its_owner_drops_it(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    receiver = kit_other_start();
    struct bnode *x;
    kit_other_do(receiver, store_both, &x);
    bnode_drop(x);
    bnode_on_trace = drop_second_meanwhile;
    ouro_collect(NULL);
    assert_null(bnode_on_trace);
    assert_int_equal(bnode_destroyed, 0);
    ouro_collect(NULL);
    assert_int_equal(bnode_destroyed, 2);
    kit_other_end(receiver);
    assert_all_gone(2, before);
}

/* A drop is under way: its counts may be half written. */
static void what_is_being_dropped_is_left_alone(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    struct kit_other *other = kit_other_start();
    kit_other_do(other, kit_poll, NULL);
    struct bnode *x;
    store_self(&x);
    bnode_drop(x);
    struct ouro_header *h = ouro__header(x);
    ouro__half_store(&h->visited, ouro__half_load(&h->visited) | OURO__HOLD | OURO__MARK);
    if (!OURO_TSAN) {
        ouro_collect(NULL);
        ouro_collect(NULL);
        assert_int_equal(bnode_destroyed, 0);
        assert_int_equal(ouro_candidates(), 1);
    }
    ouro__index_let_go(h);
    ouro_collect(NULL);
    assert_int_equal(bnode_destroyed, 1);
    kit_other_end(other);
    assert_all_gone(1, before);
}

/* The giver's inlined path would not mark what the receiver counts plainly. */
static void what_another_has_the_index_of_is_dropped_out_of_line(void **state)
{
    (void)state;
    struct kit_other *other = kit_other_start();
    struct bnode *x;
    kit_other_do(other, store_self, &x);
    struct ouro_header *h = ouro__header(x);
    for (int i = 0; i < 3; i++) {
        ouro_half place = ouro__place_in(ouro__half_load(&h->visited));
        bnode_drop(bare_share(x));
        assert_int_equal(ouro__half_load(&h->visited), place | OURO__MARK | OURO__AWAY);
    }
    kit_other_do(other, collect, NULL); /* it takes the mark off, then the index */
    assert_int_equal(ouro__half_load(&h->visited), 0);
    bnode_drop(bare_share(x));
    assert_int_equal(ouro__half_load(&h->visited), 1);
    bnode_drop(x);
    ouro_collect(NULL);
    assert_int_equal(bnode_destroyed, 1);
    kit_other_end(other);
}

static void a_cycle_with_candidates_of_two_threads_goes_in_the_end(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        uint64_t before = bare_blocks();
        struct kit_other *other = kit_other_start();
        struct bnode *x;
        bnode_destroyed = 0;
        kit_other_do(other, store_pair, &x);
        bnode_drop(bare_share(x->a));
        bnode_drop(x);
        for (int i = way; i < way + 4; i++) {
            if (i % 2)
                kit_other_do(other, collect, NULL);
            else
                ouro_collect(NULL);
        }
        kit_other_end(other);
        assert_all_gone(2, before);
    }
}

/* -- at random --------------------------------------------------------------------------------- */

#define MOST    8
#define WAITING 64

struct gift {
    struct bnode *node[3]; /* a reference each */
    unsigned count;
};

static struct {
    pthread_mutex_t lock;
    struct gift gifts[WAITING];
    size_t given, taken;
    bool over;
    uint64_t until, seed;
    size_t made, in_part;
    bool both_collect;
} g = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool give(const struct gift *gift)
{
    pthread_mutex_lock(&g.lock);
    bool room = g.given - g.taken < WAITING;
    if (room)
        g.gifts[g.given++ % WAITING] = *gift;
    pthread_mutex_unlock(&g.lock);
    return room;
}
static bool take(struct gift *gift, bool *over)
{
    pthread_mutex_lock(&g.lock);
    bool any = g.given > g.taken;
    if (any)
        *gift = g.gifts[g.taken++ % WAITING];
    *over = g.over;
    pthread_mutex_unlock(&g.lock);
    return any;
}

/* Each reaches each: so they go together. Alone, and without a slot, it goes by the last drop. */
static unsigned make_graph(struct bnode **node, uint64_t *seed)
{
    unsigned n = (unsigned)(kit_random(seed) % MOST);
    node[0] = bnode_new(0);
    g.made += n ? n : 1;
    for (unsigned i = 1; i < n; i++)
        node[i] = bnode_new(i);
    for (unsigned i = 0; i < n; i++) {
        node[i]->a = bare_share(node[(i + 1) % n]);
        if (kit_random(seed) % 2)
            node[i]->b = bare_share(node[kit_random(seed) % n]);
    }
    return n ? n : 1;
}

/* All are candidates, in any order; in a few graphs only some, which may wait for the end. */
static void make_gift(struct gift *gift, uint64_t *seed)
{
    struct bnode *node[MOST];
    unsigned n = make_graph(node, seed), first = (unsigned)(kit_random(seed) % n);
    bool in_part = n > 1 && g.in_part < 100 && kit_random(seed) % 16 == 0;
    g.in_part += in_part;
    gift->count = 1 + (unsigned)(kit_random(seed) % 3);
    for (unsigned i = 0; i < gift->count; i++)
        gift->node[i] = bare_share(node[kit_random(seed) % n]);
    for (unsigned i = 0; i < n; i++) { /* the maker's own, which leave references */
        struct bnode *x = node[(first + i) % n];
        if (!in_part || kit_random(seed) % 2)
            bnode_drop(x);
        else
            KIT_CHECK(!ouro_decref_is_last(x));
    }
}

static void *give_and_collect(void *arg)
{
    uint64_t seed = g.seed;
    (void)arg;
    while (ouro__os_nanoseconds() < g.until) {
        struct gift gift;
        make_gift(&gift, &seed);
        while (!give(&gift))
            ouro_collect(NULL);
        if (kit_random(&seed) % 2)
            ouro_collect(NULL);
    }
    bool over = false;
    while (!over) {
        ouro_collect(NULL);
        pthread_mutex_lock(&g.lock);
        g.over = true;
        over = g.given == g.taken;
        pthread_mutex_unlock(&g.lock);
    }
    for (int i = 0; i < 100; i++)
        ouro_collect(NULL);
    return NULL;
}

static void copy_and_drop(struct bnode *x, uint64_t *seed)
{
    unsigned copies = (unsigned)(kit_random(seed) % 3), untyped = (unsigned)(kit_random(seed) % 4);
    for (unsigned i = 0; i < copies; i++)
        ouro_incref(x);
    for (unsigned i = 0; i < copies; i++) {
        if (untyped >> i & 1)
            KIT_CHECK(!ouro_decref_is_last(x));
        else
            bnode_drop(x);
    }
}

static void *take_and_drop(void *arg)
{
    uint64_t seed = g.seed + 1;
    bool over = false;
    struct gift gift;
    (void)arg;
    for (;;) {
        if (!take(&gift, &over)) {
            if (over)
                return NULL;
            sched_yield();
            continue;
        }
        for (unsigned i = 0; i < gift.count; i++)
            copy_and_drop(gift.node[kit_random(&seed) % gift.count], &seed);
        for (unsigned i = 0; i < gift.count; i++) {
            bnode_drop(gift.node[i]);
            if (i + 1 < gift.count)
                copy_and_drop(gift.node[gift.count - 1], &seed);
        }
        if (g.both_collect && kit_random(&seed) % 8 == 0)
            ouro_collect(NULL);
    }
}

static void run_both(bool both_collect)
{
    uint64_t before = bare_blocks();
    size_t made = 0;
    bnode_drop(bnode_new(0)); /* this thread is one that collects */
    bnode_destroyed = 0;
    for (int round = 0; round < 4; round++) {
        g.seed = kit_seed(41 + (uint64_t)round);
        g.until = ouro__os_nanoseconds() + 400 * (uint64_t)1000000;
        g.given = g.taken = g.made = g.in_part = 0;
        g.over = false;
        g.both_collect = both_collect;
        pthread_t giver, taker;
        assert_int_equal(pthread_create(&giver, NULL, give_and_collect, NULL), 0);
        assert_int_equal(pthread_create(&taker, NULL, take_and_drop, NULL), 0);
        pthread_join(giver, NULL);
        pthread_join(taker, NULL);
        made += g.made;
        assert_true(bnode_destroyed <= made);
        assert_all_gone(made, before);
        (void)ouro_check_heap();
    }
}

static void what_the_receiver_drops_goes_once(void **state)
{
    (void)state;
    run_both(false);
}
static void so_it_does_where_the_receiver_collects_too(void **state)
{
    (void)state;
    run_both(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        bare_test(what_is_dropped_while_it_is_looked_at_stays_a_candidate),
        bare_test(what_a_collection_reaches_stays_a_candidate_if_its_owner_drops_it),
        bare_test(what_is_being_dropped_is_left_alone),
        bare_test(what_another_has_the_index_of_is_dropped_out_of_line),
        bare_test(a_cycle_with_candidates_of_two_threads_goes_in_the_end),
        bare_test(what_the_receiver_drops_goes_once),
        bare_test(so_it_does_where_the_receiver_collects_too),
    };
    return kit_run(tests);
}
