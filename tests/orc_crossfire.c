/* SPDX-License-Identifier: MIT */
/* Threads that store, copy and move references between each other's objects at random, each
 * collecting all the while: what can be reached stays whole, and what is left in the end is exactly
 * what can be reached. OURO_TEST_SEED decides every thread's choices; how they interleave, it does
 * not. White-box: looks at headers. */
#include "orc_kit.h"

#include "orc/slot.h"
#include "orc/thread.h"
#include "orc/weak.h"

#include <pthread.h>
#include <string.h>

#define SLOTS   3
#define ROOTS   24 /* few: objects meet each other again and again */
#define WEAKS   8
#define STRIPES 64
#define THREADS 4
#define WHOLE   0x0B0E9E55u

struct thing {
    struct thing *slot[SLOTS];
    uint32_t whole, reached;
};

static void thing_destroy(void *value, const struct ouro_type *type)
{
    struct thing *t = value;
    KIT_CHECK(__atomic_exchange_n(&t->whole, 0, __ATOMIC_SEQ_CST) == WHOLE);
    ouro_lifted_destroy(value, type);
}

static struct ouro_type flat_type, hook_type, traced_type;
static const struct ouro_field fields[] = {OURO_REF(struct thing, slot[0], NULL),
                                           OURO_REF(struct thing, slot[1], NULL),
                                           OURO_REF(struct thing, slot[2], NULL)};

static void thing_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    struct thing *t = value;
    for (int i = 0; i < SLOTS; i++) {
        if (ouro__load((const ouro_word *)(const void *)&t->slot[i]) != 0)
            visitor->visit(visitor, (void **)&t->slot[i], type);
    }
}

static void make_types(void)
{
    struct ouro_type type = {
        .size = sizeof(struct thing), .name = "flat", .fields = fields, .field_count = SLOTS};
    flat_type = hook_type = traced_type = type;
    hook_type.name = "hook";
    hook_type.hooks.destroy = thing_destroy;
    traced_type.name = "traced";
    traced_type.align = 64;
    traced_type.hooks.trace = thing_trace;
}

/* -- what the threads share -------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    struct thing *thing;
} roots[ROOTS];
static struct {
    pthread_mutex_t lock;
    struct ouro_weak *weak;
} weaks[WEAKS];
static pthread_mutex_t stripes[STRIPES]; /* of the slots of the objects that fall on it */

static pthread_mutex_t *stripe(const struct thing *t)
{
    return &stripes[((uintptr_t)t >> 4) * 0x9E3779B97F4A7C15u >> 58];
}

static struct thing *whole(struct thing *t)
{
    if (t != NULL) {
        KIT_CHECK(t->whole == WHOLE);
        KIT_CHECK(!ouro__is_dying(ouro__load(&ouro__header(t)->shared)));
    }
    return t;
}

static struct thing *take_root(uint64_t *seed)
{
    unsigned i = kit_random(seed) % ROOTS;
    pthread_mutex_lock(&roots[i].lock);
    struct thing *t = whole(roots[i].thing);
    ouro_incref(t);
    pthread_mutex_unlock(&roots[i].lock);
    return t;
}

/* `t` (owned) becomes a root. */
static void put_root(uint64_t *seed, struct thing *t)
{
    unsigned i = kit_random(seed) % ROOTS;
    pthread_mutex_lock(&roots[i].lock);
    struct thing *old = roots[i].thing;
    roots[i].thing = t;
    pthread_mutex_unlock(&roots[i].lock);
    ouro_decref(old);
}

static struct thing *born(uint64_t *seed)
{
    struct ouro_type *types[] = {&flat_type, &flat_type, &hook_type, &traced_type};
    struct thing *t = ouro_new(types[kit_random(seed) % 4], sizeof *t);
    KIT_CHECK(t != NULL);
    t->whole = WHOLE;
    return t;
}

/* -- what they do ------------------------------------------------------------------------------ */

/* Moves what is in a slot of a into one of b, or among the roots. */
static void carry(uint64_t *seed, struct thing *a, struct thing *b)
{
    void **from = (void **)&a->slot[kit_random(seed) % SLOTS];
    pthread_mutex_lock(stripe(a));
    struct thing *x = whole(ouro_slot_move(a, from));
    pthread_mutex_unlock(stripe(a));
    if (b == NULL || kit_random(seed) % 4 == 0) {
        put_root(seed, x);
        return;
    }
    void **to = (void **)&b->slot[kit_random(seed) % SLOTS];
    pthread_mutex_lock(stripe(b));
    struct thing *old = whole(ouro_slot_exchange(b, to, x));
    pthread_mutex_unlock(stripe(b));
    ouro_decref(old);
}

/* Stores b (owned) into a: moved, or as another reference. */
static void store(uint64_t *seed, struct thing *a, struct thing *b)
{
    void **to = (void **)&a->slot[kit_random(seed) % SLOTS];
    bool copy = kit_random(seed) % 2 != 0;
    pthread_mutex_lock(stripe(a));
    if (copy)
        ouro_slot_copy(a, to, b);
    else
        ouro_slot_store(a, to, b);
    pthread_mutex_unlock(stripe(a));
    if (copy)
        ouro_decref(b);
}

static void look_into(uint64_t *seed, struct thing *a)
{
    pthread_mutex_lock(stripe(a));
    struct thing *x = whole(a->slot[kit_random(seed) % SLOTS]);
    ouro_incref(x);
    pthread_mutex_unlock(stripe(a));
    put_root(seed, x);
}

static void use_weak(uint64_t *seed, struct thing *a)
{
    unsigned i = kit_random(seed) % WEAKS;
    struct ouro_weak *fresh = a ? ouro_weak_new(a) : NULL;
    pthread_mutex_lock(&weaks[i].lock);
    struct thing *strong = whole(ouro_weak_upgrade(weaks[i].weak));
    if (fresh) {
        ouro_weak_decref(weaks[i].weak);
        weaks[i].weak = fresh;
    }
    pthread_mutex_unlock(&weaks[i].lock);
    if (strong)
        put_root(seed, strong);
}

static void one_step(uint64_t *seed)
{
    struct thing *a = take_root(seed), *b = take_root(seed);
    unsigned what = kit_random(seed) % 100;
    if (what < 22 || a == NULL) {
        put_root(seed, what < 60 ? born(seed) : NULL);
    } else if (what < 45) {
        carry(seed, a, b);
    } else if (what < 70) {
        store(seed, a, b);
        b = NULL;
    } else if (what < 78) {
        look_into(seed, a);
    } else if (what < 84) {
        use_weak(seed, what % 2 ? a : NULL);
    } else if (what < 90) {
        put_root(seed, NULL);
    } else if (what < 97) {
        ouro_collect(NULL);
    } else if (what < 99) {
        ouro_poll();
    } else {
        ouro_park();
        sched_yield();
        ouro_unpark();
    }
    ouro_decref(a);
    ouro_decref(b);
}

struct worker {
    uint64_t seed;
    size_t steps;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    for (size_t i = 0; i < w->steps; i++)
        one_step(&w->seed);
    return NULL;
}

/* -- what is left ------------------------------------------------------------------------------ */

static size_t reach(struct thing *root)
{
    static struct thing *stack[1 << 20];
    size_t n = 0, count = 0;
    for (struct thing *t = root; t != NULL; t = n > 0 ? stack[--n] : NULL) {
        if (whole(t)->reached)
            continue;
        t->reached = 1;
        count++;
        for (int i = 0; i < SLOTS; i++) {
            KIT_CHECK(n < OURO_COUNT_OF(stack));
            if (t->slot[i])
                stack[n++] = t->slot[i];
        }
    }
    return count;
}

static size_t alive(void)
{
    return heapcheck_count(&flat_type) + heapcheck_count(&hook_type) +
           heapcheck_count(&traced_type);
}

static void settle(void)
{
    for (int i = 0; i < 3; i++) {
        ouro_poll();
        ouro_collect(NULL);
    }
}

static void exactly_what_can_be_reached_is_left(void)
{
    bool exact = kit_alone() && heapcheck_can_walk();
    settle();
    size_t reachable = 0;
    for (int i = 0; i < ROOTS; i++)
        reachable += roots[i].thing ? reach(roots[i].thing) : 0;
    if (exact)
        assert_int_equal(alive(), reachable);
    for (int i = 0; i < WEAKS; i++) {
        ouro_weak_decref(weaks[i].weak);
        weaks[i].weak = NULL;
    }
    for (int i = 0; i < ROOTS; i++) {
        ouro_decref(roots[i].thing);
        roots[i].thing = NULL;
    }
    settle();
    if (exact)
        assert_int_equal(alive(), 0);
}

static void threads_that_move_references_about_lose_nothing(void **state)
{
    (void)state;
    uint64_t seed = kit_seed(20261121);
    for (int round = 0; round < 12; round++) {
        pthread_t threads[THREADS];
        struct worker workers[THREADS];
        for (int i = 0; i < THREADS; i++) {
            workers[i] = (struct worker){kit_random(&seed), kit_scaled(20000)};
            KIT_CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
        }
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        exactly_what_can_be_reached_is_left();
    }
}

/* -- deaths of others in the middle of one's own ----------------------------------------------- */

static struct node *parent;

/* Two children for another thread's object, each with one of its own. */
static void fill_parent(void *arg)
{
    (void)arg;
    parent->a = node_new(1);
    parent->a->a = node_new(2);
    parent->b = node_new(3);
    parent->b->a = node_new(4);
}

/* The release of the parent settles for the owner of its children, which is parked. */
static void what_a_release_settles_for_others_is_released_too(void **state)
{
    (void)state;
    struct kit_other *other = kit_other_start();
    parent = node_new(0);
    kit_other_do(other, fill_parent, NULL);
    kit_other_do(other, kit_park, NULL);
    ouro_decref(parent);
    assert_int_equal(heapcheck_count(&node_type), 0);
    kit_other_do(other, kit_unpark, NULL);
    kit_other_end(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(what_a_release_settles_for_others_is_released_too),
        kit_test(threads_that_move_references_about_lose_nothing),
    };
    make_types();
    for (int i = 0; i < ROOTS; i++)
        pthread_mutex_init(&roots[i].lock, NULL);
    for (int i = 0; i < WEAKS; i++)
        pthread_mutex_init(&weaks[i].lock, NULL);
    for (int i = 0; i < STRIPES; i++)
        pthread_mutex_init(&stripes[i], NULL);
    return kit_run(tests);
}
