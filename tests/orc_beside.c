/* SPDX-License-Identifier: MIT */
/* A collection beside threads that store into the collector's objects. White-box: sets the flags of
 * a store under way. */
#include "orc_kit.h"

#include "alloc/heap.h"
#include "alloc/stats.h"

#include <pthread.h>
#include <string.h>

/* -- a store under way ------------------------------------------------------------------------- */

static void nothing(void *arg)
{
    (void)arg;
    ouro_decref(node_new(0));
}

static void set_flags(struct ouro_header *h, ouro_word clear, ouro_word set)
{
    ouro_word b = ouro__load(&h->shared);
    while (!ouro__cas_full(&h->shared, &b, (b & ~clear) | set))
        continue;
}

/* T was set before the store began, so the store itself tells nobody. */
static void an_object_with_a_store_under_way_stays_a_candidate(void **state)
{
    (void)state;
    struct kit_other *other = kit_other_start();
    kit_other_do(other, nothing, NULL);
    struct node *x = ouro_new_biased(&node_type, sizeof *x);
    ouro_slot_init(x, (void **)&x->a, x);
    ouro_slot_moved_into(x);
    set_flags(ouro__header(x), 0, OURO__TOUCHED | OURO__STORING);
    assert_int_equal(ouro_collect(NULL), 0);
    set_flags(ouro__header(x), OURO__STORING, 0);
    assert_int_equal(ouro_collect(NULL), 1);
    kit_other_end(other);
}

/* -- what a foreign thread stores and frees meanwhile ------------------------------------------ */

#define CONTAINERS 8

static struct node *containers[CONTAINERS];
static ouro_word stop_storing;

/* Stores objects of its own into the main thread's, takes them out and drops them: the memory goes
 * as soon as it can. */
static void *store_and_drop(void *arg)
{
    uint64_t seed = *(uint64_t *)arg;
    while (!ouro__load_acquire(&stop_storing)) {
        struct node *c = containers[kit_random(&seed) % CONTAINERS];
        struct node *mine = ouro_new_biased(&node_type, sizeof *mine);
        KIT_CHECK(mine != NULL);
        ouro_slot_store(c, (void **)&c->b, mine);
        ouro_decref(ouro_slot_move(c, (void **)&c->b));
        if (kit_random(&seed) % 64 == 0)
            ouro_trim();
    }
    return NULL;
}

static void a_capture_beside_stores_reads_nothing_that_is_gone(void **state)
{
    (void)state;
    uint64_t seed = 20261121;
    for (unsigned i = 0; i < CONTAINERS; i++) {
        containers[i] = ouro_new_biased(&node_type, sizeof *containers[i]);
        ouro_slot_copy(containers[i], (void **)&containers[i]->a, containers[i]);
    }
    ouro__store(&stop_storing, 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, store_and_drop, &seed), 0);
    for (size_t i = kit_scaled(20000); i > 0; i--) {
        struct node *c = containers[i % CONTAINERS];
        ouro_incref(c);
        ouro_decref(c);
        assert_int_equal(ouro_collect(NULL), 0);
    }
    ouro__store_release(&stop_storing, 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (unsigned i = 0; i < CONTAINERS; i++)
        ouro_decref(containers[i]);
    ouro_poll();
    ouro_collect(NULL);
    ouro_collect(NULL);
}

/* -- over-aligned objects that go meanwhile ---------------------------------------------------- */

struct pointer {
    void *to;
};
struct slab {
    struct slab *next;
    char bytes[48];
};
static struct ouro_type pointer_type, slab_type, flat_type;
static struct kit_other *owner;
static struct pointer *container;
static void (*in_trace)(void *); /* what the other thread does once the slot was read */

static void pointer_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    (void)type;
    struct pointer *p = value;
    if (ouro__load((const ouro_word *)(const void *)&p->to) != 0)
        visitor->visit(visitor, &p->to, &slab_type);
    void (*now)(void *) = in_trace;
    in_trace = NULL;
    if (now)
        kit_other_do(owner, now, NULL);
}

static void put_slab(void *arg)
{
    (void)arg;
    struct slab *slab = ouro_new_biased(&slab_type, sizeof *slab);
    KIT_CHECK(slab != NULL && ((uintptr_t)slab & 127) == 0);
    flat_type.size = ouro__place_of(slab).bytes - sizeof(struct ouro_header);
    ouro_slot_store(container, &container->to, slab);
}

#define FLATS 4000

static uint64_t *flats[FLATS], pattern;

/* Its block serves another object, whose bytes look like a header of the collecting thread's. */
static void use_its_memory_again(void *arg)
{
    (void)arg;
    ouro_decref(ouro_slot_move(container, &container->to));
    for (size_t i = 0; i < FLATS; i++) {
        flats[i] = ouro_new_biased(&flat_type, flat_type.size);
        KIT_CHECK(flats[i] != NULL);
        for (size_t k = 0; k < flat_type.size / sizeof *flats[i]; k++)
            flats[i][k] = pattern;
    }
}

static void look_at_flats(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < FLATS; i++) {
        for (size_t k = 0; k < flat_type.size / sizeof *flats[i]; k++)
            KIT_CHECK(flats[i][k] == pattern);
        ouro_decref(flats[i]);
    }
}

static void where_an_aligned_object_was_no_header_is_taken_for_one(void **state)
{
    (void)state;
    if (ouro__supply()->block)
        skip();
    static const struct ouro_field to[] = {OURO_REF(struct pointer, to, NULL)};
    static const struct ouro_field next[] = {OURO_REF(struct slab, next, NULL)};
    pointer_type = (struct ouro_type){.size = sizeof(struct pointer),
                                      .name = "pointer",
                                      .fields = to,
                                      .field_count = 1,
                                      .hooks = {.trace = pointer_trace}};
    slab_type = (struct ouro_type){.size = sizeof(struct slab),
                                   .align = 128,
                                   .name = "slab",
                                   .fields = next,
                                   .field_count = 1};
    flat_type = (struct ouro_type){.size = 8, .name = "flat", .flags = OURO_ACYCLIC};
    container = ouro_new_biased(&pointer_type, sizeof *container);
    pattern = ouro__self->home; /* its shared word, but for the type */
    owner = kit_other_start();
    kit_other_do(owner, put_slab, NULL);
    kit_touch(container);
    ouro_poll();
    in_trace = use_its_memory_again;
    assert_int_equal(ouro_collect(NULL), 0);
    kit_other_do(owner, look_at_flats, NULL);
    kit_other_end(owner);
    ouro_decref(container);
    ouro_poll();
}

/* -- the arena's hold -------------------------------------------------------------------------- */

static void what_is_given_back_under_a_hold_is_not_used_again(void **state)
{
    (void)state;
    if (ouro__supply()->block)
        return;
    struct ouro_stats before, held, after;
    ouro_trim();
    ouro_stats_get(&before);
    void *span = ouro_malloc(200000), *huge = ouro_malloc(8 << 20);
    memset(span, 1, 200000);
    memset(huge, 2, 8 << 20);
    ouro__arena_hold();
    ouro__arena_hold();
    ouro_free(span);
    ouro_free(huge);
    ouro_trim();
    assert_int_equal(*((char *)span + 199999), 1); /* still mapped, not purged */
    assert_int_equal(*((char *)huge + (8 << 20) - 1), 2);
    void *other = ouro_malloc(200000);
    assert_ptr_not_equal(other, span);
    ouro__arena_release();
    assert_int_equal(*((char *)span + 199999), 1);
    ouro_stats_get(&held);
    ouro_free(other);
    ouro__arena_release();
    ouro_trim();
    ouro_stats_get(&after);
    assert_true(held.mapped >= after.mapped);
    assert_int_equal(after.used, before.used);
    assert_int_equal(after.idle, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(an_object_with_a_store_under_way_stays_a_candidate),
        kit_test(a_capture_beside_stores_reads_nothing_that_is_gone),
        kit_test(where_an_aligned_object_was_no_header_is_taken_for_one),
        kit_test(what_is_given_back_under_a_hold_is_not_used_again),
    };
    return kit_run(tests);
}
