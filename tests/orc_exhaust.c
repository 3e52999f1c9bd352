/* SPDX-License-Identifier: MIT */
/* Memory runs out at every place: each allocation of a scenario fails once, and then from there on
 * for good. Nothing crashes, what is refused has changed nothing, and in the end nothing is left:
 * every hook ran exactly once. Then threads that run freely, with allocations failing at random.
 * White-box: walks the heap. The seed is printed; OURO_TEST_SEED sets it. */
#include "orc_kit.h"

#include <pthread.h>
#include <string.h>

static ouro_word births; /* of objects whose hook counts */

static struct hooked *try_hooked(int64_t id)
{
    struct hooked *h = OURO_NEW(struct hooked, &hooked_type);
    if (h) {
        ouro__fetch_add(&births, 1);
        h->id = id;
    }
    return h;
}

static struct hooked *try_biased(int64_t id)
{
    struct hooked *h = ouro_new_biased(&hooked_type, sizeof *h);
    if (h) {
        ouro__fetch_add(&births, 1);
        h->id = id;
    }
    return h;
}

static uint64_t failures(void)
{
    struct ouro_stats stats;
    ouro_stats_get(&stats);
    return stats.failed;
}

/* -- the sweep --------------------------------------------------------------------------------- */

static size_t fail_at; /* for scenarios that arm another thread */
static bool fail_for_good;

static void arm(void)
{
    ouro_fail_nth_alloc(fail_at, fail_for_good);
}
static void disarm(void)
{
    ouro_fail_nth_alloc(0, false);
}

static void all_is_gone(void)
{
    disarm();
    KIT_CHECK(kit_alone() || OURO_TSAN);
    size_t alive = heapcheck_alive();
    if (!OURO_TSAN) { /* the collector is never alone there */
        assert_int_equal(alive, 0);
        assert_int_equal(kit_destroyed, births);
    }
    assert_true(kit_destroyed <= births);
    kit_destroyed = births = 0;
}

/* Runs the scenario, which arms and disarms the threads that it means, with each allocation
 * failing, until none does. */
static void sweep(void (*scenario)(void))
{
    kit_destroyed = births = 0;
    fail_at = 0;
    scenario(); /* what is made once and kept */
    all_is_gone();
    for (int for_good = 0; for_good < 2; for_good++) {
        fail_for_good = for_good;
        uint64_t before;
        fail_at = 0;
        do {
            fail_at++;
            assert_true(fail_at < 5000);
            before = failures();
            scenario();
            all_is_gone();
        } while (failures() != before);
        if (fail_at == 1)
            print_error("no allocation\n");
    }
}

/* -- one thread -------------------------------------------------------------------------------- */

static void build_and_drop(void)
{
    arm();
    struct hooked *h[40];
    struct ouro_weak *w[40];
    for (int i = 0; i < 40; i++) {
        size_t before = heapcheck_count(NULL);
        h[i] = i % 2 ? try_hooked(i) : try_biased(i);
        KIT_CHECK(heapcheck_count(NULL) == before + (h[i] != NULL));
        int64_t count = h[i] ? ouro_count(h[i]) : 0;
        w[i] = h[i] ? ouro_weak_new(h[i]) : NULL;
        KIT_CHECK(!h[i] || (ouro_count(h[i]) == count && count == 1));
        if (h[i] && i > 0 && h[i - 1])
            ouro_slot_copy(h[i], (void **)&h[i]->a, h[i - 1]);
        if (h[i] && i > 1 && h[i - 2])
            ouro_slot_copy(h[i - 2], (void **)&h[i - 2]->b, h[i]); /* cycles */
    }
    for (int i = 0; i < 40; i++) {
        struct hooked *again = ouro_weak_upgrade(w[i]);
        KIT_CHECK(!w[i] || again == h[i]);
        ouro_decref(again);
        if (h[i])
            ouro_decref(ouro_slot_move(h[i], (void **)&h[i]->b));
        if (i % 3 == 0)
            ouro_decref(h[i]);
    }
    for (int i = 0; i < 40; i++) {
        if (i % 3)
            ouro_decref_later(h[i]);
        ouro_weak_decref(w[i]);
    }
    ouro_release_pending(5);
}

static void births_slots_and_weak_references(void **state)
{
    (void)state;
    sweep(build_and_drop);
}

#define MANY 700 /* more candidates than the array grows to at first */
static struct hooked *many[MANY];

static void make_candidates(void)
{
    for (int i = 0; i < MANY; i++) {
        many[i] = try_hooked(i);
        if (many[i] && i % 10 && many[i - 1])
            ouro_slot_copy(many[i], (void **)&many[i]->a, many[i - 1]);
    }
    for (int i = 9; i < MANY; i += 10) { /* rings of ten, and one of one */
        if (many[i] && many[i - 9])
            ouro_slot_copy(many[i - 9], (void **)&many[i - 9]->a, many[i]);
    }
    if (many[0])
        ouro_slot_copy(many[0], (void **)&many[0]->b, many[0]);
}
static void drop_candidates(void)
{
    for (int i = 0; i < MANY; i++)
        ouro_decref(many[i]);
    ouro_collect(NULL);
}
static void shrink_candidates(void)
{
    ouro__candidates_end(ouro__self); /* as a fresh thread has it */
}

static void candidates_only(void)
{
    shrink_candidates();
    make_candidates();
    arm();
    drop_candidates();
}
static void with_the_births(void)
{
    shrink_candidates();
    arm();
    make_candidates();
    drop_candidates();
}

static void candidates_and_collections(void **state)
{
    (void)state;
    ouro_collect_pause();
    sweep(candidates_only);
    sweep(with_the_births);
    ouro_collect_resume();
}

static struct ouro_type reuse_types[2] = {{.size = 100, .name = "reuse a", .flags = OURO_ACYCLIC},
                                          {.size = 300, .name = "reuse b", .flags = OURO_ACYCLIC}};
static void reuse(void)
{
    arm();
    for (int i = 0; i < 8; i++) {
        void *object = ouro_new(&reuse_types[i / 2 % 2], reuse_types[i / 2 % 2].size);
        ouro_reuse cell = ouro_drop_reuse(object);
        object = ouro_new_reuse(cell, &reuse_types[i % 2], reuse_types[i % 2].size);
        if (object)
            memset(object, 0, reuse_types[i % 2].size);
        ouro_decref(object);
    }
}

static void cells_that_are_used_again(void **state)
{
    (void)state;
    sweep(reuse);
}

static void checks(void)
{
    struct hooked *h[20];
    for (int i = 0; i < 20; i++) {
        h[i] = try_hooked(i);
        if (i && h[i] && h[i - 1])
            ouro_slot_copy(h[i], (void **)&h[i]->a, h[i - 1]);
    }
    struct ouro_stats before, after;
    ouro_stats_get(&before);
    arm();
    size_t looked_at = ouro_check_heap();
    disarm();
    ouro_stats_get(&after);
    KIT_CHECK(looked_at == 0 || looked_at == 20);
    KIT_CHECK(after.raw.blocks == before.raw.blocks);
    for (int i = 0; i < 20; i++)
        ouro_decref(h[i]);
}

static void the_heap_check(void **state)
{
    (void)state;
    sweep(checks);
}

/* -- hooks on counted objects ------------------------------------------------------------------ */

struct bag {
    struct bag *next;
    ouro_seq things; /* of references */
    ouro_string name;
    struct ouro_weak *self;
};
static struct ouro_type bag_type;
static const struct ouro_field bag_fields[] = {
    OURO_REF(struct bag, next, &bag_type), OURO_SEQ(struct bag, things, &ouro_ref_type),
    OURO_STRING(struct bag, name), OURO_WEAK(struct bag, self)};
static struct ouro_type bag_type = OURO_TYPE(struct bag, bag_fields);

static struct bag *bag_new(struct bag *next)
{
    struct bag *bag = OURO_NEW(struct bag, &bag_type);
    if (!bag) {
        ouro_decref(next);
        return NULL;
    }
    bag->next = next;
    bag->self = ouro_weak_new(bag);
    for (int i = 0; i < 5; i++) {
        void *thing = OURO_NEW(struct node, &node_type);
        size_t before = bag->things.len;
        if (thing && ouro_seq_push(&bag->things, &ouro_ref_type, &thing) != OURO_OK) {
            KIT_CHECK(bag->things.len == before);
            ouro_decref(thing);
        }
        if (ouro_string_append(&bag->name, "a piece of text, long", 21) != OURO_OK)
            KIT_CHECK(bag->name.len == 0 || ouro_string_data(&bag->name)[0] == 'a');
    }
    return bag;
}

static void copies(void)
{
    struct bag *ring = NULL, *first = NULL;
    for (int i = 0; i < 3; i++) {
        ring = bag_new(ring);
        first = first ? first : ring;
    }
    if (first && ring)
        ouro_slot_copy(first, (void **)&first->next, ring);
    arm();
    struct bag *more = bag_new(NULL);
    size_t before = heapcheck_count(&bag_type);
    void *copy = NULL;
    void *source = ring;
    if (ring && ouro_deepcopy_value(&copy, &source, &ouro_ref_type) == OURO_OK) {
        KIT_CHECK(heapcheck_count(&bag_type) == before + 3);
        ouro_decref(copy);
    } else {
        KIT_CHECK(heapcheck_count(&bag_type) == before);
    }
    struct bag fresh, kept = {NULL};
    if (ring && ouro_dup(&fresh, ring, &bag_type) == OURO_OK) {
        if (ouro_copy(&kept, &fresh, &bag_type) != OURO_OK)
            KIT_CHECK(kept.next == NULL && kept.things.len == 0 && kept.name.len == 0);
        ouro_destroy_value(&fresh, &bag_type);
        ouro_destroy_value(&kept, &bag_type);
    }
    disarm();
    ouro_decref(more);
    ouro_decref(ring);
}

static void copies_sequences_and_strings(void **state)
{
    (void)state;
    sweep(copies);
}

/* -- two threads ------------------------------------------------------------------------------- */

static struct kit_other *other;
#define SHARED 150
static struct hooked *made[SHARED];

static void make_shared(void *arg)
{
    (void)arg;
    for (int i = 0; i < SHARED; i++) {
        made[i] = try_biased(i);
        if (made[i] && i % 3 == 0) { /* garbage, once it is dropped */
            made[i]->a = made[i];
            ouro_incref(made[i]);
        }
        if (made[i] && i % 5 == 0) { /* a candidate of its maker */
            ouro_incref(made[i]);
            ouro_decref(made[i]);
        }
    }
}
static void drop_shared(void *arg)
{
    (void)arg;
    for (int i = 0; i < SHARED; i++)
        ouro_decref(made[i]);
}
static void armed_make(void *arg)
{
    arm();
    make_shared(arg);
    disarm();
}
static void armed_poll(void *arg)
{
    (void)arg;
    arm();
    ouro_poll();
    ouro_collect(NULL);
    disarm();
}
static void armed_park(void *arg)
{
    (void)arg;
    arm();
    ouro_park();
    disarm();
}
static void unpark(void *arg)
{
    (void)arg;
    ouro_unpark();
}
static void stay_armed(void *arg)
{
    (void)arg;
    arm(); /* up to the end of the thread */
}
static void armed_drop(void *arg)
{
    arm();
    drop_shared(arg);
    disarm();
}

static void foreign_drops(void)
{
    other = kit_other_start();
    kit_other_do(other, make_shared, NULL);
    armed_drop(NULL);
    kit_other_end(other);
}
static void owners_births_and_polls(void)
{
    other = kit_other_start();
    kit_other_do(other, armed_make, NULL);
    drop_shared(NULL);
    kit_other_do(other, armed_poll, NULL);
    kit_other_end(other);
}
static void drops_of_a_parked_owner(void)
{
    other = kit_other_start();
    kit_other_do(other, make_shared, NULL);
    kit_other_do(other, armed_park, NULL);
    armed_drop(NULL);
    kit_other_do(other, unpark, NULL);
    kit_other_end(other);
}
static void an_end_with_objects_left(void)
{
    other = kit_other_start();
    kit_other_do(other, make_shared, NULL);
    kit_other_do(other, stay_armed, NULL);
    kit_other_end(other);
    drop_shared(NULL);
}
static void an_end_after_drops(void)
{
    other = kit_other_start();
    kit_other_do(other, make_shared, NULL);
    drop_shared(NULL);
    kit_other_do(other, stay_armed, NULL);
    kit_other_end(other);
}
static void an_end_with_drops_of_anothers(void)
{
    make_shared(NULL);
    other = kit_other_start();
    kit_other_do(other, stay_armed, NULL);
    kit_other_do(other, drop_shared, NULL);
    kit_other_end(other);
}
static void adoption_without_memory(void)
{
    other = kit_other_start();
    kit_other_do(other, make_shared, NULL);
    kit_other_end(other);
    armed_drop(NULL);
}

static void queues_and_drains(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_RC == OURO_RC_LOCAL)
        skip();
    sweep(foreign_drops);
    sweep(owners_births_and_polls);
}

static void park_end_and_adoption(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_RC == OURO_RC_LOCAL)
        skip();
    sweep(drops_of_a_parked_owner);
    sweep(an_end_with_objects_left);
    sweep(an_end_after_drops);
    sweep(an_end_with_drops_of_anothers);
    sweep(adoption_without_memory);
}

/* -- threads that run freely ------------------------------------------------------------------- */

#define BOXES 32
static ouro_word boxes[BOXES];

static struct hooked *swap(size_t i, struct hooked *h)
{
    return (struct hooked *)ouro__exchange_full(&boxes[i], (ouro_word)h);
}

struct walker {
    uint64_t seed;
    size_t steps;
};

static void step(size_t r, struct hooked **mine)
{
    struct hooked *fresh;
    struct ouro_weak *weak;
    switch (r / 64 % 8) {
    case 0:
        ouro_decref(*mine);
        *mine = try_hooked((int64_t)r);
        break;
    case 1:
    case 2:
        *mine = swap(r / 1024 % BOXES, *mine);
        break;
    case 3:
        fresh = try_biased((int64_t)r);
        if (fresh) {
            fresh->a = *mine;
            fresh->b = r / 4096 % 4 == 0 ? fresh : NULL;
            ouro_incref(fresh->b);
            *mine = fresh;
        }
        break;
    case 4:
        weak = *mine ? ouro_weak_new(*mine) : NULL;
        ouro_decref(*mine);
        *mine = ouro_weak_upgrade(weak);
        ouro_weak_decref(weak);
        break;
    case 5:
        ouro_decref(*mine);
        *mine = NULL;
        break;
    case 6:
        if (r / 4096 % 8 == 0) {
            ouro_park();
            ouro_unpark();
        } else if (r / 4096 % 32 == 1) {
            ouro_collect(NULL);
        }
        break;
    default:
        if (r / 4096 % 8 == 0)
            ouro_fail_nth_alloc(1 + r / 65536 % 20, r / 65536 % 3 == 0);
        else if (r / 4096 % 8 < 3)
            ouro_fail_nth_alloc(0, false);
    }
}

static void *walk(void *arg)
{
    struct walker *w = arg;
    struct hooked *hand[8] = {NULL};
    for (size_t i = 0; i < w->steps; i++) {
        size_t r = (size_t)kit_random(&w->seed);
        step(r, &hand[r % 8]);
    }
    for (size_t i = 0; i < 8; i++)
        ouro_decref(hand[i]);
    return NULL; /* with or without memory */
}

static void threads_run_out_of_memory_at_random(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_RC == OURO_RC_LOCAL)
        skip();
    const char *text = getenv("OURO_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 20260301;
    kit_destroyed = births = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < (kit_instrumented() ? 3 : 30); round++) {
        struct walker walkers[6];
        pthread_t threads[6];
        for (int i = 0; i < 6; i++) {
            walkers[i] = (struct walker){kit_random(&seed), kit_scaled(20000)};
            KIT_CHECK(pthread_create(&threads[i], NULL, walk, &walkers[i]) == 0);
        }
        for (int i = 0; i < 6; i++)
            pthread_join(threads[i], NULL);
        for (size_t i = 0; i < BOXES; i++)
            ouro_decref(swap(i, NULL));
        all_is_gone();
    }
}

int main(void)
{
    KIT_CHECK(ouro_supply_use(&ouro_supply_mmap) == OURO_OK); /* there are pages to look through */
    const struct CMUnitTest tests[] = {
        kit_test(births_slots_and_weak_references),
        kit_test(candidates_and_collections),
        kit_test(cells_that_are_used_again),
        kit_test(the_heap_check),
        kit_test(copies_sequences_and_strings),
        kit_test(queues_and_drains),
        kit_test(park_end_and_adoption),
        kit_test(threads_run_out_of_memory_at_random),
    };
    return kit_run(tests);
}
