/* SPDX-License-Identifier: MIT */
/* White-box: see orc_kit.h. Threads in runtimes: each has a record in each; what they leave behind
 * is settled for them; a runtime ends when all are out of it, whether they live or not. */
#include "orc_kit.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static struct ouro_runtime *made(void)
{
    struct ouro_runtime *runtime = NULL;
    KIT_CHECK(ouro_runtime_new(NULL, &runtime) == OURO_OK);
    return runtime;
}

static void enter(void *runtime)
{
    KIT_CHECK(ouro_runtime_enter(runtime) == OURO_OK);
}
static void leave(void *runtime)
{
    ouro_runtime_leave(runtime);
}

struct errand {
    struct ouro_runtime *runtime;
    struct hooked *object;
    struct node *ring;
};

static void make_there(void *arg)
{
    struct errand *errand = arg;
    enter(errand->runtime);
    errand->object = ouro_new_biased(&hooked_type, sizeof *errand->object);
    errand->ring = kit_garbage_ring(5);
    leave(errand->runtime);
}

static void what_a_thread_left_is_settled_by_others(void **state)
{
    (void)state;
    struct errand errand = {.runtime = made()};
    struct kit_other *other = kit_other_start();
    kit_other_do(other, make_there, &errand);
    ouro_decref_biased(errand.object); /* from the default runtime; its thread is not in its own */
    assert_int_equal(kit_destroyed, 1);
    kit_other_do(other, make_there, &errand);
    enter(errand.runtime);
    ouro_decref_biased(errand.object);
    leave(errand.runtime);
    assert_int_equal(kit_destroyed, 2);
    kit_other_end(other);
    assert_int_equal(ouro_runtime_destroy(errand.runtime, NULL), OURO_OK);
}

static void a_runtime_ends_though_a_thread_that_left_it_lives(void **state)
{
    (void)state;
    const char *why;
    struct errand errand = {.runtime = made()};
    struct kit_other *other = kit_other_start();
    kit_other_do(other, make_there, &errand);
    kit_other_do(other, kit_decref, errand.object);
    kit_other_do(other, enter, errand.runtime);
    assert_int_equal(ouro_runtime_destroy(errand.runtime, &why), OURO_BUSY);
    assert_string_equal(why, "a thread is in the runtime");
    kit_other_do(other, leave, errand.runtime);
    assert_int_equal(ouro_runtime_destroy(errand.runtime, &why), OURO_OK);
    /* Another in its place, and the thread still there. */
    errand.runtime = made();
    kit_other_do(other, make_there, &errand);
    kit_other_do(other, kit_decref, errand.object);
    kit_other_end(other);
    assert_int_equal(ouro_runtime_destroy(errand.runtime, &why), OURO_OK);
    assert_int_equal(kit_destroyed, 2);
}

static void *enter_and_end(void *arg)
{
    struct errand *errand = arg;
    enter(errand->runtime);
    enter(ouro_runtime_default());
    enter(errand->runtime);
    errand->object = ouro_new_biased(&hooked_type, sizeof *errand->object);
    return NULL;
}

static void a_thread_that_ends_leaves_what_it_is_in(void **state)
{
    (void)state;
    struct errand errand = {.runtime = made()};
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, enter_and_end, &errand), 0);
        pthread_join(thread, NULL);
        ouro_decref_biased(errand.object);
    }
    assert_int_equal(kit_destroyed, 20);
    assert_int_equal(ouro_runtime_destroy(errand.runtime, NULL), OURO_OK);
}

/* -- everybody counts everything --------------------------------------------------------------- */

#define RUNTIMES 3
#define SHARED   24
static struct ouro_runtime *runtimes[RUNTIMES];
static struct hooked *shared[SHARED];

struct ending {
    struct ouro_runtime *runtime;
    pthread_barrier_t left;
};

static void *leave_and_end(void *arg)
{
    struct ending *ending = arg;
    enter(ending->runtime);
    kit_garbage_ring(5);
    leave(ending->runtime);
    pthread_barrier_wait(&ending->left);
    return NULL;
}

/* Their ends and the runtime's race: what each left there is settled by it, or by who destroys. */
static void threads_end_beside_the_end_of_a_runtime(void **state)
{
    (void)state;
    enum { THREADS = 3, ROUNDS = 60 };
    for (size_t round = 0; round < kit_scaled(ROUNDS); round++) {
        struct ending ending = {.runtime = made()};
        pthread_t threads[THREADS];
        pthread_barrier_init(&ending.left, NULL, THREADS + 1);
        for (int i = 0; i < THREADS; i++)
            KIT_CHECK(pthread_create(&threads[i], NULL, leave_and_end, &ending) == 0);
        pthread_barrier_wait(&ending.left);
        ouro_status status;
        while ((status = ouro_runtime_destroy(ending.runtime, NULL)) == OURO_BUSY)
            usleep(10);
        assert_int_equal(status, OURO_OK);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        pthread_barrier_destroy(&ending.left);
    }
}

static void *count_everywhere(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    struct ouro_weak *weak = NULL;
    for (size_t i = kit_scaled(40000); i > 0; i--) {
        struct ouro_runtime *in = runtimes[kit_random(&seed) % RUNTIMES];
        struct hooked *h = shared[kit_random(&seed) % SHARED];
        enter(in);
        ouro_incref_biased(h);
        struct hooked *mine = ouro_new_biased(&hooked_type, sizeof *mine);
        KIT_CHECK(mine != NULL);
        ouro_slot_copy(mine, (void **)&mine->a, h);
        if (kit_random(&seed) % 4 == 0) {
            ouro_weak_decref(weak);
            weak = ouro_weak_new(h);
        }
        struct hooked *strong = ouro_weak_upgrade(weak);
        if (kit_random(&seed) % 2) {
            leave(in);
            ouro_decref_biased(mine);
            ouro_decref_biased(h);
            ouro_decref_biased(strong);
        } else {
            ouro_decref_biased(strong);
            ouro_decref_biased(h);
            ouro_decref_biased(mine);
            leave(in);
        }
        if (i % 64 == 0)
            ouro_poll();
    }
    ouro_weak_decref(weak);
    return NULL;
}

static void settle_all(void)
{
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < RUNTIMES; i++) {
            enter(runtimes[i]);
            ouro_poll();
            ouro_collect(NULL);
            leave(runtimes[i]);
        }
    }
}

static void threads_count_objects_of_all_runtimes(void **state)
{
    (void)state;
    uint64_t seed = kit_seed(3);
    for (int i = 0; i < RUNTIMES; i++)
        runtimes[i] = i ? made() : ouro_runtime_default();
    for (int i = 0; i < SHARED; i++) {
        enter(runtimes[i % RUNTIMES]);
        shared[i] = ouro_new_biased(&hooked_type, sizeof *shared[i]);
        leave(runtimes[i % RUNTIMES]);
    }
    pthread_t threads[3];
    for (uintptr_t i = 0; i < 3; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, count_everywhere, (void *)(uintptr_t)(seed + i)), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    settle_all();
    for (int i = 0; i < SHARED; i++) {
        assert_int_equal(ouro_count(shared[i]), 1);
        ouro_decref_biased(shared[i]);
    }
    settle_all();
    assert_int_equal(kit_destroyed, 3 * kit_scaled(40000) + SHARED);
    for (int i = 1; i < RUNTIMES; i++) {
        enter(runtimes[i]);
        assert_int_equal(heapcheck_count(NULL), 0);
        leave(runtimes[i]);
        assert_int_equal(ouro_runtime_destroy(runtimes[i], NULL), OURO_OK);
    }
}

/* Each thread makes runtimes of its own, beside the others and beside collections. */
static void *live_alone(void *arg)
{
    struct hooked *outside = arg;
    for (size_t i = kit_scaled(400); i > 0; i--) {
        struct ouro_runtime *mine = made();
        enter(mine);
        for (int k = 0; k < 20; k++)
            (void)kit_garbage_ring(6);
        struct node *n = ouro_new_biased(&node_type, sizeof *n);
        ouro_incref_biased(outside);
        n->a = (struct node *)(void *)outside;
        ouro_incref_biased(n);
        ouro_decref_biased(n);
        KIT_CHECK(ouro_collect(NULL) == 120);
        void *p = ouro_malloc(i % 8 == 0 ? 5 << 20 : 100);
        KIT_CHECK(p != NULL);
        ouro_decref_biased(n);
        leave(mine);
        KIT_CHECK(ouro_runtime_destroy(mine, NULL) == OURO_OK);
    }
    return NULL;
}

static void runtimes_come_and_go_beside_each_other(void **state)
{
    (void)state;
    struct hooked *outside = ouro_new_biased(&hooked_type, sizeof *outside);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, live_alone, outside), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    ouro_poll();
    assert_int_equal(ouro_count(outside), 1);
    ouro_decref_biased(outside);
    assert_int_equal(kit_destroyed, 1);
}

/* -- forks ------------------------------------------------------------------------------------- */

static bool stop;
static void *keep_busy(void *arg)
{
    struct ouro_runtime *in = arg;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        enter(in);
        (void)kit_garbage_ring(10);
        ouro_decref_biased(ouro_new_biased(&hooked_type, sizeof(struct hooked)));
        leave(in);
        ouro_collect(NULL);
    }
    return NULL;
}

static int in_child(struct ouro_runtime *a, struct hooked *object)
{
    const char *why = NULL;
    struct hooked *fresh = NULL;
    enter(a); /* the others that were in it are not there */
    fresh = ouro_new_biased(&hooked_type, sizeof *fresh);
    ouro_decref_biased(object);
    ouro_decref_biased(fresh);
    (void)kit_garbage_ring(3);
    ouro_collect(NULL);
    leave(a);
    if (ouro_runtime_destroy(a, &why) != OURO_OK)
        return 1;
    a = made();
    enter(a);
    (void)kit_garbage_ring(3);
    leave(a);
    return ouro_runtime_destroy(a, NULL) == OURO_OK ? 0 : 2;
}

static void a_fork_finds_all_runtimes_whole(void **state)
{
    (void)state;
    if (OURO_TSAN)
        skip(); /* its deadlock detector knows 64 locks at once; a fork holds 33 of each runtime */
    struct ouro_runtime *a = made();
    enter(a);
    struct hooked *object = ouro_new_biased(&hooked_type, sizeof *object);
    leave(a);
    pthread_t threads[2];
    stop = false;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_busy, a), 0);
    for (size_t i = kit_instrumented() ? 5 : 60; i > 0; i--) {
        bool inside = i % 2;
        if (inside)
            enter(a);
        pid_t child = kit_fork();
        if (child == 0) {
            if (inside)
                leave(a);
            kit_child_ends(in_child(a, object));
        }
        assert_int_equal(kit_wait(child), 0);
        if (inside)
            leave(a);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ouro_decref_biased(object);
    assert_int_equal(ouro_runtime_destroy(a, NULL), OURO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(what_a_thread_left_is_settled_by_others),
        kit_test(a_runtime_ends_though_a_thread_that_left_it_lives),
        kit_test(a_thread_that_ends_leaves_what_it_is_in),
        kit_test(threads_end_beside_the_end_of_a_runtime),
        kit_test(threads_count_objects_of_all_runtimes),
        kit_test(runtimes_come_and_go_beside_each_other),
        kit_test(a_fork_finds_all_runtimes_whole),
    };
    return kit_run(tests);
}
