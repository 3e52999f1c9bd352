/* SPDX-License-Identifier: MIT */
/* Programs that come back into the library where it is at work: hooks of nested values, and the
 * memory callback, that keep, drop and collect. White-box: looks at headers and entries. */
#include "orc_kit.h"

#include "alloc/heap.h"
#include "orc/weak.h"

/* -- written hooks of values inside objects ---------------------------------------------------- */

struct holder;
struct keeper {
    struct holder *home; /* borrowed: the object that it is part of */
};
struct holder {
    struct keeper keeper;
    struct holder *next;
    ouro_seq keepers;
};

static struct ouro_type holder_type;
static struct holder *kept;
static int keepers_destroyed;

/* Keeps the object that it is part of, the first time. */
static void keeper_destroy(void *value, const struct ouro_type *type)
{
    (void)type;
    struct keeper *keeper = value;
    if (keeper->home == NULL)
        return;
    keepers_destroyed++;
    kept = keeper->home;
    keeper->home = NULL;
    ouro_incref(kept);
}

static const struct ouro_field keeper_fields[] = {OURO_BORROW(struct keeper, home)};
static struct ouro_type keeper_type = {.size = sizeof(struct keeper),
                                       .name = "keeper",
                                       .fields = keeper_fields,
                                       .field_count = 1,
                                       .hooks = {.destroy = keeper_destroy}};
static const struct ouro_field holder_fields[] = {OURO_VALUE(struct holder, keeper, &keeper_type),
                                                  OURO_REF(struct holder, next, &holder_type),
                                                  OURO_SEQ(struct holder, keepers, &keeper_type)};
static struct ouro_type holder_type = OURO_TYPE(struct holder, holder_fields);

static struct holder *holder_new(bool in_sequence)
{
    struct holder *h = OURO_NEW(struct holder, &holder_type);
    KIT_CHECK(h != NULL);
    struct keeper keeper = {h};
    if (in_sequence)
        KIT_CHECK(ouro_seq_push(&h->keepers, &keeper_type, &keeper) == OURO_OK);
    else
        h->keeper = keeper;
    return h;
}

static void the_hook_of_a_value_can_save_the_object_around_it(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        kept = NULL;
        keepers_destroyed = 0;
        struct holder *h = holder_new(way & 1);
        struct node *held = node_new(1);
        if (way & 2) { /* a circle of its own */
            h->next = h;
            ouro_slot_moved_into(h);
            ouro_collect(NULL);
        } else {
            ouro_decref(h);
        }
        ouro_decref(held);
        assert_ptr_equal(kept, h);
        assert_false(ouro__is_freed(ouro__header(kept)->shared));
        assert_int_equal(ouro_count(kept), 1);
        assert_null(kept->next); /* emptied of what was destroyed */
        ouro_decref(kept);
        assert_int_equal(keepers_destroyed, 1);
        assert_int_equal(heapcheck_count(&holder_type), 0);
    }
}

/* -- cells to use again ------------------------------------------------------------------------ */

struct text {
    void *next;
    ouro_string text;
};
static struct ouro_weak *late;

/* Leaves a reference to itself in what dies at once. */
static void hide_in_what_dies(struct hooked *dying)
{
    static struct ouro_type plain; /* not flat, and no hook in it */
    static const struct ouro_field plain_fields[] = {OURO_REF(struct text, next, NULL),
                                                     OURO_STRING(struct text, text)};
    if (plain.size == 0)
        plain = (struct ouro_type)OURO_TYPE(struct text, plain_fields);
    struct text *place = OURO_NEW(struct text, &plain);
    KIT_CHECK(place != NULL);
    place->next = dying;
    ouro_incref(dying);
    ouro_decref(place);
}

static void a_reference_left_in_what_dies_too_saves_no_cell_for_good(void **state)
{
    (void)state;
    kit_on_destroy = hide_in_what_dies;
    struct hooked *h = hooked_new(1);
    ouro_reuse token = ouro_drop_reuse(h);
    ouro_reuse_free(token);
    assert_int_equal(kit_destroyed, 1);
    assert_int_equal(heapcheck_count(&hooked_type), 0);
}

static void make_a_weak_handle(struct hooked *dying)
{
    late = ouro_weak_new(dying);
}

static void no_weak_handle_finds_what_was_made_in_the_cell(void **state)
{
    (void)state;
    kit_on_destroy = make_a_weak_handle;
    struct hooked *h = hooked_new(1);
    ouro_reuse token = ouro_drop_reuse(h);
    kit_on_destroy = NULL;
    struct hooked *next = ouro_new_reuse(token, &hooked_type, sizeof *next);
    assert_non_null(next);
    next->a = next->b = NULL;
    assert_null(ouro_weak_upgrade(late));
    ouro_weak_decref(late);
    ouro_decref(next);
}

/* -- immortal from its own hook ---------------------------------------------------------------- */

static struct hooked *volatile immortal, *volatile immortals[2]; /* tools find them here */

static void make_itself_immortal(struct hooked *dying)
{
    immortal = dying;
    ouro_incref(dying);
    ouro_make_immortal(dying);
}

static void what_its_hook_made_immortal_stays(void **state)
{
    (void)state;
    for (int circle = 0; circle < 2; circle++) {
        kit_on_destroy = make_itself_immortal;
        struct hooked *h = hooked_new(1);
        if (circle) {
            h->a = h;
            ouro_slot_moved_into(h);
            ouro_collect(NULL);
        } else {
            ouro_decref(h);
        }
        kit_on_destroy = NULL;
        assert_ptr_equal(immortal, h);
        immortals[circle] = h;
        for (int i = 0; i < 3; i++)
            ouro_decref(h);
        ouro_collect(NULL);
        assert_false(ouro__is_freed(ouro__header(h)->shared));
        assert_true(ouro__header(h)->shared & OURO__IMMORTAL);
    }
}

/* -- the memory callback ----------------------------------------------------------------------- */

#define CACHED 1000

static struct node *cache[CACHED];
static size_t cached;
static void *ballast;
static bool callback_collects;

/* Throws away what can be missed, as a program's callback does. */
static bool drop_the_cache(size_t bytes, void *arg)
{
    (void)bytes;
    (void)arg;
    bool any = ballast != NULL;
    ouro_free(ballast);
    ballast = NULL;
    while (cached > 0)
        ouro_decref(cache[--cached]);
    if (callback_collects)
        ouro_collect(NULL);
    return any;
}

/* From here on hardly anything is to be had before the cache goes. */
static void limit_to_what_there_is(bool collects)
{
    callback_collects = collects;
    struct ouro_stats stats;
    ouro_trim();
    ouro_stats_get(&stats);
    ouro_set_limit(stats.used, drop_the_cache, NULL);
}

/* A candidate that reaches much: its array has to grow meanwhile. */
static void a_callback_may_drop_what_a_collection_looks_at(void **state)
{
    (void)state;
    ouro_collect_pause();
    struct node *root = node_new(0), *last = root;
    for (cached = 0; cached < CACHED; cached++) {
        cache[cached] = node_new((int64_t)cached);
        cache[cached]->a = node_new(-1);
    }
    for (int64_t i = 0; i < 300000; i++) {
        struct node *next = node_new(i);
        last->a = next;
        last = next;
    }
    kit_garbage_ring(100);
    for (size_t i = 0; i < cached; i++)
        kit_touch(cache[i]);
    kit_touch(root);
    ballast = ouro_malloc(64 << 20);
    assert_non_null(ballast);
    limit_to_what_there_is(true);
    ouro_collect(NULL);
    ouro_set_limit(0, NULL, NULL);
    drop_the_cache(0, NULL);
    assert_int_equal(ouro_candidates(), 0);
    ouro_decref(root);
    ouro_collect_resume();
    ouro_collect(NULL);
    assert_int_equal(heapcheck_count(&node_type), 0);
}

/* The array of candidates grows; the callback makes candidates of its own meanwhile. */
static void a_callback_may_make_candidates(void **state)
{
    (void)state;
    enum { MANY = 300000 };
    static struct node *many[MANY];
    ouro_collect_pause();
    for (cached = 0; cached < CACHED; cached++) {
        cache[cached] = node_new((int64_t)cached);
        kit_link(cache[cached], cache[cached]);
    }
    for (size_t i = 0; i < MANY; i++) {
        many[i] = node_new((int64_t)i);
        kit_link(many[i], many[i]);
    }
    ballast = ouro_malloc(64 << 20);
    assert_non_null(ballast);
    limit_to_what_there_is(false);
    for (size_t i = 0; i < MANY; i++)
        ouro_decref(many[i]);
    ouro_set_limit(0, NULL, NULL);
    drop_the_cache(0, NULL);
    ouro_collect_resume();
    ouro_collect(NULL);
    assert_int_equal(heapcheck_count(&node_type), 0);
}

/* A thread that ends leaves its candidates to others. */
static void end_with_candidates(void *arg)
{
    (void)arg;
    ouro_collect_pause();
    for (int i = 0; i < 50000; i++) {
        struct node *n = node_new_merged(i);
        kit_link(n, n);
        ouro_decref(n);
    }
    ballast = ouro_malloc(64 << 20);
    KIT_CHECK(ballast != NULL);
    limit_to_what_there_is(true);
}

static void a_callback_may_collect_while_a_thread_ends(void **state)
{
    (void)state;
    if (ouro_supply_get()->block)
        skip(); /* there are no pages in which to look for what could not be left to others */
    kit_elsewhere(end_with_candidates, NULL);
    ouro_set_limit(0, NULL, NULL);
    ouro_free(ballast);
    ballast = NULL;
    if (kit_alone())
        ouro_collect(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(the_hook_of_a_value_can_save_the_object_around_it),
        kit_test(a_reference_left_in_what_dies_too_saves_no_cell_for_good),
        kit_test(no_weak_handle_finds_what_was_made_in_the_cell),
        kit_test(what_its_hook_made_immortal_stays),
        kit_test(a_callback_may_drop_what_a_collection_looks_at),
        kit_test(a_callback_may_make_candidates),
        kit_test(a_callback_may_collect_while_a_thread_ends),
    };
    return kit_run(tests);
}
