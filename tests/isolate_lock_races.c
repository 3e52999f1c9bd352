/* SPDX-License-Identifier: MIT */
/* White-box: includes orc_kit.h. Threads that contend for locks: no deadlock, nothing lost, and who
 * waits is parked. A deadlock is seen as a test that does not end. */
#include "orc_kit.h"

#include "alloc/valgrind.h"
#include "orc/state.h"

#include <pthread.h>
#include <sched.h>

static pthread_t start(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    KIT_CHECK(pthread_create(&thread, NULL, run, arg) == 0);
    return thread;
}
static void join(pthread_t thread)
{
    KIT_CHECK(pthread_join(thread, NULL) == 0);
}

/* -- several at once --------------------------------------------------------------------------- */

enum { LOCKS = 6 };
static struct ouro_lock locks[LOCKS];
static size_t counts[LOCKS];

struct taker {
    uint64_t seed;
    size_t rounds, taken[LOCKS];
    bool backwards;
};

/* A part of all, in this thread's direction; now and then with another taken before. */
static void *take_parts(void *arg)
{
    struct taker *t = arg;
    for (size_t r = 0; r < t->rounds; r++) {
        struct ouro_lock *some[LOCKS];
        size_t n = 0, mask = kit_random(&t->seed) % (1u << LOCKS);
        for (size_t k = 0; k < LOCKS; k++) {
            size_t i = t->backwards ? LOCKS - 1 - k : k;
            if (mask >> i & 1)
                some[n++] = &locks[i];
        }
        ouro_lock_all(some, n, OURO_HERE);
        for (size_t i = 0; i < n; i++) {
            counts[some[i] - locks]++;
            t->taken[some[i] - locks]++;
        }
        if (r % 64 == 0)
            sched_yield();
        ouro_lock_release_all(some, n, OURO_HERE);
    }
    return NULL;
}

static void opposite_orders_of_one_call_do_not_deadlock(void **state)
{
    (void)state;
    size_t rounds = kit_scaled(200000);
    uint64_t seed = kit_seed(1);
    for (size_t i = 0; i < LOCKS; i++) {
        ouro_lock_init(&locks[i], "one of several", (uint32_t)(i % 3));
        counts[i] = 0;
    }
    struct taker a = {.seed = seed, .rounds = rounds},
                 b = {.seed = seed + 1, .rounds = rounds, .backwards = true};
    pthread_t thread = start(take_parts, &b);
    take_parts(&a);
    join(thread);
    for (size_t i = 0; i < LOCKS; i++) {
        assert_int_equal(counts[i], a.taken[i] + b.taken[i]);
        ouro_lock_end(&locks[i]);
    }
}

/* -- every way to take one --------------------------------------------------------------------- */

static struct ouro_lock outer = OURO_LOCK_INIT("outer", 2), inner = OURO_LOCK_INIT("inner", 1);
static size_t under_inner;

/* Takes it this way or that; whether it did. */
static bool take_somehow(unsigned way)
{
    switch (way % 4) {
    case 0:
        return ouro_lock_try(&inner, OURO_HERE);
    case 1:
        return ouro_lock_take_for(&inner, 1000, OURO_HERE);
    case 2:
        ouro_lock_take(&inner, OURO_HERE);
        ouro_lock_pause(&inner, OURO_HERE);
        ouro_lock_resume(&inner, OURO_HERE);
        return true;
    default:
        ouro_lock_take(&inner, OURO_HERE);
        return true;
    }
}

static void *take_in_all_ways(void *arg)
{
    struct taker *t = arg;
    for (size_t r = 0; r < t->rounds; r++) {
        unsigned how = kit_random(&t->seed) % 4;
        bool both = how == 0;
        if (how == 1) { /* in the order of levels, as `both` */
            ouro_lock_both(&inner, &outer, OURO_HERE);
            under_inner++;
            t->taken[0]++;
            ouro_lock_release_both(&inner, &outer, OURO_HERE);
            continue;
        }
        if (both) {
            ouro_lock_take(&outer, OURO_HERE);
            sched_yield();
        }
        if (take_somehow((unsigned)kit_random(&t->seed))) {
            under_inner++;
            t->taken[0]++;
            if (r % 16 == 0)
                sched_yield();
            ouro_lock_release(&inner, OURO_HERE);
        }
        if (both)
            ouro_lock_release(&outer, OURO_HERE);
    }
    return NULL;
}

static void each_way_to_take_a_lock_excludes_the_others(void **state)
{
    (void)state;
    size_t rounds = kit_scaled(200000);
    uint64_t seed = kit_seed(2);
    struct taker a = {.seed = seed, .rounds = rounds}, b = {.seed = seed + 1, .rounds = rounds};
    under_inner = 0;
    pthread_t thread = start(take_in_all_ways, &b);
    take_in_all_ways(&a);
    join(thread);
    assert_int_equal(under_inner, a.taken[0] + b.taken[0]);
    assert_true(a.taken[0] >= rounds / 4);
}

/* -- a guarded graph --------------------------------------------------------------------------- */

static struct ouro_lock list_lock = OURO_LOCK_INIT("list", 3);
static struct ouro_guarded list = OURO_GUARDED_INIT(&list_lock, NULL);
static struct ouro_condition list_changed = OURO_CONDITION_INIT;
enum { MOST = 8 };
static size_t waiting_nodes, sent, received;

/* Puts nodes in, at most MOST at a time; they are counted by the other thread as well. */
static void *produce(void *arg)
{
    for (size_t n = *(size_t *)arg; n > 0; n--) {
        struct node *node = node_new((int64_t)n);
        ouro_lock_take(&list_lock, OURO_HERE);
        while (waiting_nodes == MOST)
            ouro_condition_wait(&list_changed, &list_lock, OURO_HERE);
        ouro_slot_init(node, (void **)&node->a, ouro_guard_exchange(&list, NULL, OURO_HERE));
        ouro_guard_set(&list, node, OURO_HERE);
        waiting_nodes++;
        sent += (size_t)node->id;
        ouro_condition_broadcast(&list_changed);
        ouro_lock_release(&list_lock, OURO_HERE);
    }
    return NULL;
}

static void *consume(void *arg)
{
    for (size_t n = *(size_t *)arg; n > 0; n--) {
        ouro_lock_take(&list_lock, OURO_HERE);
        while (waiting_nodes == 0) {
            if (n % 2)
                ouro_condition_wait(&list_changed, &list_lock, OURO_HERE);
            else
                (void)ouro_condition_wait_for(&list_changed, &list_lock, 1000000, OURO_HERE);
        }
        struct ouro_opening opening;
        struct node *first = ouro_guard_open(&list, &opening, OURO_HERE);
        received += (size_t)first->id;
        KIT_CHECK(ouro_opening_pointer(&opening, OURO_HERE) == first);
        struct node *next = ouro_slot_move(first, (void **)&first->a);
        first = ouro_guard_exchange(&list, next, OURO_HERE);
        waiting_nodes--;
        ouro_condition_signal(&list_changed);
        ouro_lock_release(&list_lock, OURO_HERE);
        ouro_decref(first);
    }
    ouro_poll();
    return NULL;
}

static void a_guarded_graph_is_changed_by_all_who_take_its_lock(void **state)
{
    (void)state;
    if (ouro__on_valgrind())
        skip(); /* a collector reads slots beside stores, by atomic operations unknown to it */
    size_t each = kit_scaled(40000);
    sent = received = 0;
    pthread_t one = start(produce, &each), two = start(consume, &each);
    pthread_t three = start(produce, &each);
    consume(&each);
    join(one);
    join(two);
    join(three);
    assert_int_equal(sent, received);
    assert_int_equal(sent, each * (each + 1));
    assert_null(list.pointer);
    ouro_collect(NULL);
}

/* -- who waits is parked ----------------------------------------------------------------------- */

struct waiter {
    struct hooked *object, *queued;
    struct ouro__thread *record;
    ouro_word ready, go;
    struct ouro_lock *holds;
    bool in_condition;
};

static bool hook_saw_a_lock;
static void look_for_locks(struct hooked *dying)
{
    (void)dying;
    hook_saw_a_lock |= ouro_lock_is_held(&outer) || ouro_lock_is_held(&inner);
}

/* One word says how far a thread is; Valgrind's tools are told. */
static void say(ouro_word *word, ouro_word value)
{
    ouro__tool_release(word);
    ouro__store_release(word, value);
}
static void await(const ouro_word *word, ouro_word value)
{
    while (ouro__load_acquire(word) != value)
        sched_yield();
    ouro__tool_acquire(word);
}

/* Makes what the other thread drops: one object before it waits for `inner`, and one while. */
static void *wait_for_inner(void *arg)
{
    struct waiter *w = arg;
    w->object = hooked_new(1);
    w->queued = hooked_new(2);
    w->record = ouro__self;
    if (w->holds)
        ouro_lock_take(w->holds, OURO_HERE);
    say(&w->ready, 1);
    await(&w->go, 1);
    ouro_lock_take(&inner, OURO_HERE);
    if (w->in_condition) {
        say(&w->ready, 2);
        ouro_condition_wait(&list_changed, &inner, OURO_HERE);
    }
    ouro_lock_release(&inner, OURO_HERE);
    if (w->holds)
        ouro_lock_release(w->holds, OURO_HERE);
    ouro_poll();
    return NULL;
}

/* The caller holds `inner`, or takes it to see that the other waits for the condition. */
static void while_it_waits(struct waiter *w)
{
    await(&w->ready, 1);
    ouro_decref(w->queued); /* its maker runs: it is queued, and settled before the wait */
    assert_int_equal(kit_destroyed, 0);
    say(&w->go, 1);
    if (w->in_condition) {
        ouro_lock_release(&inner, OURO_HERE);
        await(&w->ready, 2);
        ouro_lock_take(&inner, OURO_HERE);
    }
    while (ouro__load(&w->record->state) != OURO__PARKED)
        sched_yield();
    ouro_decref(w->object); /* settled here, and at once: its maker is parked */
    assert_int_equal(kit_destroyed, 1);
}

static void who_waits_for_a_lock_is_parked_and_runs_no_hook(void **state)
{
    (void)state;
    if (KIT_ATOMIC)
        skip();
    for (int i = 0; i < 4; i++) {
        struct waiter w = {.holds = i & 1 ? &outer : NULL, .in_condition = (i & 2) != 0};
        ouro__tool_words(&w.ready, 2 * sizeof w.ready);
        kit_destroyed = 0;
        hook_saw_a_lock = false;
        ouro_lock_take(&inner, OURO_HERE);
        pthread_t thread = start(wait_for_inner, &w);
        while_it_waits(&w);
        kit_on_destroy = look_for_locks;
        if (w.in_condition)
            ouro_condition_signal(&list_changed);
        ouro_lock_release(&inner, OURO_HERE);
        join(thread);
        kit_on_destroy = NULL;
        assert_int_equal(kit_destroyed, 2);
        assert_false(hook_saw_a_lock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(opposite_orders_of_one_call_do_not_deadlock),
        kit_test(each_way_to_take_a_lock_excludes_the_others),
        kit_test(a_guarded_graph_is_changed_by_all_who_take_its_lock),
        kit_test(who_waits_for_a_lock_is_parked_and_runs_no_hook),
    };
    return kit_run(tests);
}
