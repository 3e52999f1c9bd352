/* SPDX-License-Identifier: MIT */
/* Free-running threads, all at one object or one place: the last drops, weak upgrades, slots,
 * owners that end. White-box: counts what is alive. The seed is printed; OURO_TEST_SEED sets it. */
#include "orc_crowd.h"

#include <string.h>

static uint64_t seed;

/* -- two drop the last two (pathology 7) ------------------------------------------------------- */

static struct hooked *pair[2];
static pthread_barrier_t barrier;

static void *drop_pair(void *arg)
{
    for (size_t i = 0; i < kit_scaled(20000); i++) {
        pthread_barrier_wait(&barrier);
        ouro_decref(*(struct hooked **)arg);
        if (i % 3 == 0)
            ouro_poll();
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void two_threads_drop_the_last_two_references_at_once(void **state)
{
    (void)state;
    pthread_t threads[2];
    pthread_barrier_init(&barrier, NULL, 3);
    for (int i = 0; i < 2; i++)
        KIT_CHECK(pthread_create(&threads[i], NULL, drop_pair, &pair[i]) == 0);
    for (size_t i = 0; i < kit_scaled(20000); i++) {
        pair[0] = pair[1] = born((int64_t)i);
        ouro_incref(pair[0]);
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    everything_died_once();
}

/* -- weak upgrades race the last drop ---------------------------------------------------------- */

static struct ouro_weak *shared_weak;

static void *upgrade_and_drop(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < kit_scaled(20000); i++) {
        pthread_barrier_wait(&barrier);
        for (int k = 0; k < 4; k++) {
            struct hooked *h = ouro_weak_upgrade(shared_weak);
            if (h) {
                KIT_CHECK(h->id == (int64_t)i);
                ouro_decref(h);
            }
        }
        ouro_poll();
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void weak_upgrades_race_the_last_drop(void **state)
{
    (void)state;
    pthread_t threads[2];
    pthread_barrier_init(&barrier, NULL, 3);
    for (int i = 0; i < 2; i++)
        KIT_CHECK(pthread_create(&threads[i], NULL, upgrade_and_drop, NULL) == 0);
    for (size_t i = 0; i < kit_scaled(20000); i++) {
        struct hooked *h = born((int64_t)i);
        shared_weak = ouro_weak_new(h);
        bool cycle = i % 4 == 0;
        if (cycle) { /* the collector decides then */
            h->a = h;
            ouro_incref(h);
        }
        pthread_barrier_wait(&barrier);
        ouro_decref(h);
        if (cycle)
            ouro_collect(NULL);
        pthread_barrier_wait(&barrier);
        ouro_poll();
        if (!cycle) {
            ouro_collect(NULL);
            void *still = ouro_weak_upgrade(shared_weak);
            if (!KIT_ATOMIC) /* there it may wait for a collection of who claimed it */
                assert_null(still);
            ouro_decref(still);
        }
        ouro_weak_decref(shared_weak);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    everything_died_once();
}

/* -- slots written by others while the owner collects ------------------------------------------ */

#define RING 16
static struct hooked *ring[RING];
static ouro_word stop;

static void *rewire(void *arg)
{
    uint64_t mine = *(uint64_t *)arg;
    while (!ouro__load(&stop)) {
        size_t r = (size_t)kit_random(&mine);
        struct hooked *c = ring[r % RING];
        if (r / 16 % 4 == 0) {
            ouro_slot_copy(c, (void **)&c->b, ring[r / 256 % RING]);
        } else {
            void *moved = ouro_slot_move(c, (void **)&c->b);
            struct hooked *d = ring[r / 256 % RING];
            if (moved == d) /* only the one thread writes slots */
                ouro_decref(moved);
            else
                ouro_slot_store(d, (void **)&d->b, moved);
        }
    }
    return NULL;
}

static void foreign_stores_while_the_owner_collects(void **state)
{
    (void)state;
    for (int i = 0; i < RING; i++)
        ring[i] = born(i);
    for (int i = 0; i < RING; i++) {
        ring[i]->a = ring[(i + 1) % RING];
        ouro_incref(ring[i]->a);
    }
    stop = 0;
    pthread_t thread;
    uint64_t its_seed = kit_random(&seed);
    KIT_CHECK(pthread_create(&thread, NULL, rewire, &its_seed) == 0);
    for (size_t i = 0; i < kit_scaled(20000); i++) {
        struct hooked *h = ring[i % RING];
        ouro_incref(h);
        ouro_decref(h);
        struct hooked *garbage = born(1000);
        garbage->a = garbage;
        ouro_incref(garbage);
        garbage->b = h;
        ouro_incref(h);
        ouro_decref(garbage);
        ouro_collect(NULL);
    }
    ouro__exchange_full(&stop, 1);
    pthread_join(thread, NULL);
    for (int i = 0; i < RING; i++)
        assert_int_equal(ring[i]->id, i);
    for (int i = 0; i < RING; i++)
        ouro_decref(ring[i]);
    everything_died_once();
}

/* -- owners that end --------------------------------------------------------------------------- */

#define HEADS 100
static struct hooked *heads[HEADS];

static void *allocate_and_exit(void *arg)
{
    struct hooked **head = arg;
    for (int i = 0; i < 200; i++) {
        struct hooked *h = born(i);
        h->a = *head;
        *head = h;
        if (i % 10 == 0)
            ouro_decref(born(-1));
    }
    return NULL;
}

/* Pathology 9: a hundred threads allocate and exit, the main thread frees all. */
static void main_frees_what_a_hundred_threads_left(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        pthread_t threads[HEADS];
        memset(heads, 0, sizeof heads);
        for (int i = 0; i < HEADS; i++)
            KIT_CHECK(pthread_create(&threads[i], NULL, allocate_and_exit, &heads[i]) == 0);
        for (int i = 0; i < HEADS; i++)
            pthread_join(threads[i], NULL);
        for (int i = 0; i < HEADS; i++)
            ouro_decref(heads[i]);
        everything_died_once();
    }
}

static void *one_of_many(void *arg)
{
    struct hooked **left = arg, *garbage = born(1);
    garbage->a = garbage;
    ouro_incref(garbage);
    ouro_decref(garbage);
    if (*left) /* of the thread before */
        ouro_decref(*left);
    *left = born(2);
    return NULL;
}

static void twenty_thousand_threads_in_turn_need_few_tokens(void **state)
{
    (void)state;
    struct hooked *left = NULL;
    size_t n = kit_scaled(20000), resident = 0;
    for (size_t i = 0; i < n; i++) {
        pthread_t thread;
        KIT_CHECK(pthread_create(&thread, NULL, one_of_many, &left) == 0);
        pthread_join(thread, NULL);
        if (i == n / 2)
            resident = kit_resident();
    }
    if (!kit_instrumented())
        assert_true(kit_resident() < resident + (1 << 20));
    unsigned tokens = 0;
    for (unsigned t = OURO__FIRST_TOKEN; t <= 0xFFFF; t = ouro__next_token(t))
        tokens += ouro__tokens[t].holder != OURO__FRESH;
    assert_true(tokens <= HEADS + 20); /* as many as ran at once before */
    ouro_decref(left);
    everything_died_once();
}

int main(void)
{
    seed = kit_seed(20260102);
    const struct CMUnitTest tests[] = {
        kit_test(two_threads_drop_the_last_two_references_at_once),
        kit_test(weak_upgrades_race_the_last_drop),
        kit_test(foreign_stores_while_the_owner_collects),
        kit_test(main_frees_what_a_hundred_threads_left),
        kit_test(twenty_thousand_threads_in_turn_need_few_tokens),
    };
    return kit_run(tests);
}
