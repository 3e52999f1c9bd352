/* SPDX-License-Identifier: MIT */
/* Free-running threads: objects handed around, dropped by anybody, with owners that run, park, end
 * and fork. Every hook runs exactly once and nothing is left. White-box: counts what is alive.
 * The seed is printed; OURO_TEST_SEED sets it. */
#include "orc_kit.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t seed;

static void run_threads(unsigned n, void *(*body)(void *), void *args, size_t arg_size)
{
    pthread_t threads[64];
    KIT_CHECK(n <= 64);
    for (unsigned i = 0; i < n; i++)
        KIT_CHECK(pthread_create(&threads[i], NULL, body, (char *)args + i * arg_size) == 0);
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static ouro_word expected_hooks; /* objects born */

static struct hooked *born(int64_t id)
{
    ouro__fetch_add_full(&expected_hooks, 1);
    return hooked_new(id);
}

static void everything_died_once(void)
{
    (void)heapcheck_alive();
    if (kit_alone()) {
        ouro_collect(NULL);
        assert_int_equal(kit_destroyed, expected_hooks);
    }
    assert_true(kit_destroyed <= expected_hooks);
    expected_hooks = kit_destroyed = 0;
}

/* -- objects handed around --------------------------------------------------------------------- */

#define BOXES 64
static ouro_word boxes[BOXES]; /* each owns a reference, or is empty */

static struct hooked *swap(size_t i, struct hooked *h)
{
    return (struct hooked *)ouro__exchange_full(&boxes[i], (ouro_word)h);
}

struct walker {
    uint64_t seed;
    size_t steps;
    bool parks, links;
};

static void *walk(void *arg)
{
    struct walker *w = arg;
    struct hooked *hand[8] = {NULL};
    for (size_t i = 0; i < w->steps; i++) {
        size_t r = (size_t)kit_random(&w->seed);
        struct hooked **mine = &hand[r % 8], **second = &hand[r / 8 % 8];
        switch (r / 64 % 10) {
        case 0:
        case 1:
            ouro_decref(*mine);
            *mine = born((int64_t)r);
            break;
        case 2:
        case 3:
        case 4:
            *mine = swap(r / 1024 % BOXES, *mine);
            break;
        case 5:
            ouro_incref(*second);
            ouro_decref(*mine);
            *mine = *second;
            break;
        case 6:
            ouro_decref(*mine);
            *mine = NULL;
            break;
        case 7: /* a fresh object that refers to it: no cycle, as only fresh ones are written */
            if (w->links && *second) {
                struct hooked *fresh = born((int64_t)r);
                fresh->a = *second;
                *second = fresh;
            }
            break;
        case 8:
            if (*mine && mine != second) { /* and one that refers to itself as well */
                struct hooked *fresh = born((int64_t)r);
                if (w->links) {
                    fresh->b = fresh;
                    ouro_incref(fresh);
                    ouro_incref(fresh);
                    ouro_decref(fresh);
                }
                ouro_decref(*mine);
                *mine = fresh;
            }
            break;
        default:
            if (w->parks && r / 4096 % 8 == 0) {
                ouro_park();
                usleep(r / 65536 % 50);
                ouro_unpark();
            } else if (r / 4096 % 64 == 1) {
                ouro_collect(NULL);
            }
        }
    }
    for (size_t i = 0; i < 8; i++)
        ouro_decref(hand[i]);
    return NULL;
}

static void hand_around(unsigned threads, size_t steps, bool parks, bool links)
{
    struct walker walkers[16];
    for (unsigned i = 0; i < threads; i++)
        walkers[i] = (struct walker){kit_random(&seed), steps, parks, links};
    run_threads(threads, walk, walkers, sizeof walkers[0]);
    for (size_t i = 0; i < BOXES; i++)
        ouro_decref(swap(i, NULL));
    everything_died_once();
}

static void two_threads_hand_objects_around(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++)
        hand_around(2, kit_scaled(50000), false, false);
}
static void many_threads_hand_objects_around(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++)
        hand_around(8, kit_scaled(50000), false, false);
}
static void threads_that_park_hand_objects_around(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++)
        hand_around(6, kit_scaled(20000), true, false);
}
static void graphs_and_cycles_are_handed_around(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++)
        hand_around(6, kit_scaled(30000), true, true);
}

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
    for (unsigned t = 1; t < OURO__NO_TOKEN; t++)
        tokens += ouro__tokens[t].holder != OURO__FRESH;
    assert_true(tokens <= HEADS + 20); /* as many as ran at once before */
    ouro_decref(left);
    everything_died_once();
}

/* -- fork -------------------------------------------------------------------------------------- */

static void *churn(void *arg)
{
    struct walker w = {*(uint64_t *)arg, 200, true, true};
    while (!ouro__load(&stop))
        walk(&w);
    return NULL;
}

static void use_everything(void)
{
    struct hooked *h = hooked_new(1);
    struct ouro_weak *weak = ouro_weak_new(h);
    h->a = h;
    ouro_incref(h);
    ouro_decref(h);
    size_t freed = ouro_collect(NULL);
    if (!KIT_ATOMIC) { /* merged cycles wait until the process has one thread */
        KIT_CHECK(freed >= 1);
        KIT_CHECK(ouro_weak_upgrade(weak) == NULL);
    }
    ouro_weak_decref(weak);
    for (size_t i = 0; i < BOXES; i++) /* objects of threads that are not there */
        ouro_decref(swap(i, NULL));
    for (int i = 0; i < 5000; i++)
        ouro_decref(hooked_new(i));
    ouro_poll();
}

static void *use_it_on_a_thread(void *arg)
{
    (void)arg;
    use_everything();
    return NULL;
}

static void a_fork_beside_running_threads_goes_on(void **state)
{
    (void)state;
    if (OURO_ASAN && ouro_supply_get()->block)
        skip(); /* its allocator's locks are left locked in the child */
    pthread_t threads[3];
    uint64_t seeds[3];
    stop = 0;
    for (int i = 0; i < 3; i++) {
        seeds[i] = kit_random(&seed);
        KIT_CHECK(pthread_create(&threads[i], NULL, churn, &seeds[i]) == 0);
    }
    for (int i = 0; i < (kit_instrumented() ? 5 : 30); i++) {
        usleep(1000);
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            alarm(60);
            struct node *sound = node_new(1);
            ouro_decref(sound);
            if (i % 2 && !OURO_TSAN) { /* which allows no threads there */
                pthread_t thread;
                KIT_CHECK(pthread_create(&thread, NULL, use_it_on_a_thread, NULL) == 0);
                pthread_join(thread, NULL);
            } else {
                struct hooked *h = hooked_new(1);
                ouro_decref(h);
                ouro_collect(NULL);
            }
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    ouro__exchange_full(&stop, 1);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < BOXES; i++)
        ouro_decref(swap(i, NULL));
    everything_died_once();
}

int main(void)
{
    const char *text = getenv("OURO_TEST_SEED");
    seed = text ? strtoull(text, NULL, 0) : 20260102;
    print_message("seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        kit_test(two_threads_hand_objects_around),
        kit_test(many_threads_hand_objects_around),
        kit_test(threads_that_park_hand_objects_around),
        kit_test(graphs_and_cycles_are_handed_around),
        kit_test(two_threads_drop_the_last_two_references_at_once),
        kit_test(weak_upgrades_race_the_last_drop),
        kit_test(foreign_stores_while_the_owner_collects),
        kit_test(main_frees_what_a_hundred_threads_left),
        kit_test(twenty_thousand_threads_in_turn_need_few_tokens),
        kit_test(a_fork_beside_running_threads_goes_on),
    };
    return kit_run(tests);
}
