/* SPDX-License-Identifier: MIT */
/* Forks while three threads count, drop each other's objects, collect, open handles and declare
 * bytes. No child hangs or dies; in each, what the others had is frozen, nothing of it dies early,
 * and the child's own counts and collections go on. Bounded by alarms. White-box: looks at
 * tokens. */
#include "orc_kit.h"

#include "orc/weak.h"

#include <pthread.h>
#include <unistd.h>

#define WORKERS 3
#define SLOTS   16
#define KEPT    6
#define MINE    777 /* the id of what only a child made */

static ouro_word stop, exchange[SLOTS]; /* objects that any worker drops */
static struct hooked *kept[KEPT];       /* theirs; the main thread has a reference */
static struct ouro_weak *weak_kept[KEPT];
static ouro_handle handle_kept[KEPT];
static ouro_word mine_died;

static void count_mine(struct hooked *dying)
{
    if (dying->id == MINE)
        ouro__fetch_add(&mine_died, 1);
}

/* -- the load ---------------------------------------------------------------------------------- */

static struct hooked *biased(int64_t id)
{
    struct hooked *h = ouro_new_biased(&hooked_type, sizeof *h);
    KIT_CHECK(h != NULL);
    h->id = id;
    return h;
}

static void one_step(uint64_t *seed)
{
    struct hooked *a = biased(1), *b = biased(2);
    ouro_slot_copy(a, (void **)&a->a, b);
    ouro_slot_copy(b, (void **)&b->a, a);
    struct ouro_weak *weak = ouro_weak_new(a);
    ouro_handle handle = ouro_handle_new(b, "load");
    KIT_CHECK(weak && handle && ouro_foreign_bytes(a, 100) == OURO_OK);
    ouro_decref_biased((void *)ouro__exchange_full(&exchange[kit_random(seed) % SLOTS],
                                                   (ouro_word)a)); /* maybe another's */
    ouro_decref_biased(ouro_handle_get(handle));
    ouro_handle_close(handle);
    ouro_decref_biased(ouro_weak_upgrade(weak));
    ouro_weak_decref(weak);
    struct hooked *k = kept[kit_random(seed) % KEPT];
    ouro_incref_biased(k);
    struct ouro_frame frame = ouro_frame_begin();
    KIT_CHECK(ouro_frame_own(b) == OURO_OK && ouro_frame_own(k) == OURO_OK);
    ouro_frame_end(frame);
    switch (kit_random(seed) % 64) {
    case 0:
        ouro_collect(NULL);
        break;
    case 1:
        ouro_park();
        ouro_unpark();
        break;
    case 2:
        ouro_thread_detach();
        break;
    default:
        break;
    }
}

static void *load(void *arg)
{
    uint64_t seed = *(uint64_t *)arg;
    while (!ouro__load_acquire(&stop))
        one_step(&seed);
    return NULL;
}

static void make_kept(void *at)
{
    *(struct hooked **)at = biased(42);
}

/* -- the children ------------------------------------------------------------------------------ */

static void check_tokens(void)
{
    for (uint32_t t = OURO__FIRST_TOKEN; t <= 0xFFFF; t = ouro__next_token(t)) {
        ouro_word holder = ouro__load(&ouro__tokens[t].holder);
        KIT_CHECK(holder <= OURO__FROZEN || holder == (ouro_word)ouro__self);
    }
}

static void count_on_theirs(void)
{
    for (int i = 0; i < KEPT; i++) {
        KIT_CHECK(kept[i]->id == 42 && !ouro__is_dying(ouro__header(kept[i])->shared));
        struct hooked *again = ouro_weak_upgrade(weak_kept[i]), *got;
        KIT_CHECK(again == kept[i]);
        got = ouro_handle_get(handle_kept[i]);
        KIT_CHECK(got == again);
        ouro_slot_copy(kept[i], (void **)&kept[i]->b, got);
        ouro_handle_close(handle_kept[i]);
        ouro_decref_biased(again);
        ouro_decref_biased(got);
    }
}

static void collect_mine(void)
{
    for (int i = 1; i <= 5; i++) {
        struct hooked *ring = biased(MINE);
        ring->a = biased(MINE);
        ring->a->a = ring;
        ouro_slot_copy(ring, (void **)&ring->b, kept[i]); /* of a thread that is not there */
        ouro_incref_biased(ring);
        ouro_decref_biased(ring);
        ouro_collect(NULL);
        KIT_CHECK(ouro__load(&mine_died) == 2 * (ouro_word)i);
    }
}

static void *count_elsewhere(void *arg)
{
    ouro_incref_biased(kept[0]);
    ouro_decref_biased(kept[0]);
    ouro_decref_biased(biased(MINE));
    return arg;
}

static void child_goes_on(struct ouro_frame frame)
{
    alarm(30);
    check_tokens();
    count_on_theirs();
    ouro__store(&mine_died, 0);
    collect_mine();
    ouro_frame_end(frame);
    KIT_CHECK(ouro__load(&mine_died) == 11);
    KIT_CHECK(ouro_foreign_add(1000) == OURO_OK && ouro_foreign_add(-1000) == OURO_OK);
    if (!OURO_TSAN) { /* which has no threads in children */
        pthread_t thread;
        KIT_CHECK(pthread_create(&thread, NULL, count_elsewhere, NULL) == 0);
        pthread_join(thread, NULL);
        KIT_CHECK(ouro__load(&mine_died) == 12);
    }
    for (int i = 0; i < KEPT; i++) {
        ouro_decref_biased(kept[i]);
        KIT_CHECK(!ouro__is_dying(ouro__header(kept[i])->shared)); /* nothing dies early */
    }
    ouro_collect(NULL);
    ouro_thread_detach();
    kit_child_ends(0);
}

static void fork_once(uint64_t *seed)
{
    for (uint64_t i = kit_random(seed) % 20; i > 0; i--)
        one_step(seed);
    struct ouro_frame frame = ouro_frame_begin();
    KIT_CHECK(ouro_frame_own(biased(MINE)) == OURO_OK);
    pid_t child = kit_fork();
    if (child == 0)
        child_goes_on(frame);
    KIT_CHECK(kit_wait(child) == 0);
    ouro_frame_end(frame);
}

static void six_hundred_forks_under_load(void **state)
{
    (void)state;
    if (OURO_EMULATED)
        skip(); /* the emulator's own locks do not survive it */
    if (OURO_ASAN && ouro_supply_get()->block)
        skip(); /* its allocator's locks stay locked in children */
    kit_on_destroy = count_mine;
    struct kit_other *owner = kit_other_start();
    for (int i = 0; i < KEPT; i++) {
        kit_other_do(owner, make_kept, &kept[i]);
        weak_kept[i] = ouro_weak_new(kept[i]);
        handle_kept[i] = ouro_handle_new(kept[i], "kept");
        assert_true(weak_kept[i] && handle_kept[i]);
    }
    pthread_t threads[WORKERS];
    uint64_t seeds[WORKERS], seed = kit_seed(600);
    ouro__store(&stop, 0);
    for (int i = 0; i < WORKERS; i++) {
        seeds[i] = kit_random(&seed);
        KIT_CHECK(pthread_create(&threads[i], NULL, load, &seeds[i]) == 0);
    }
    for (int i = 0; i < (kit_instrumented() ? 10 : 600); i++)
        fork_once(&seed);
    ouro__store_release(&stop, 1);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SLOTS; i++)
        ouro_decref_biased((void *)ouro__exchange_full(&exchange[i], 0));
    for (int i = 0; i < KEPT; i++) {
        assert_int_equal(kept[i]->id, 42);
        ouro_handle_close(handle_kept[i]);
        ouro_weak_decref(weak_kept[i]);
        ouro_decref_biased(kept[i]);
    }
    kit_other_end(owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(six_hundred_forks_under_load),
    };
    return kit_run(tests);
}
