/* SPDX-License-Identifier: MIT */
/* Free-running threads: objects handed around, dropped by anybody, with owners that run, park and
 * fork. Every hook runs exactly once and nothing is left. White-box: counts what is alive.
 * The seed is printed; OURO_TEST_SEED sets it. */
#include "orc_crowd.h"

#include <unistd.h>

static uint64_t seed;

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

static ouro_word stop;

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
    if (OURO_EMULATED)
        skip(); /* the emulator's own locks do not survive it */
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
        pid_t child = kit_fork();
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
            kit_child_ends(0);
        }
        assert_int_equal(kit_wait(child), 0);
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
    seed = kit_seed(20260102);
    const struct CMUnitTest tests[] = {
        kit_test(two_threads_hand_objects_around),
        kit_test(many_threads_hand_objects_around),
        kit_test(threads_that_park_hand_objects_around),
        kit_test(graphs_and_cycles_are_handed_around),
        kit_test(a_fork_beside_running_threads_goes_on),
    };
    return kit_run(tests);
}
