/* SPDX-License-Identifier: MIT */
/* When collections start, and what the candidate buffer costs. White-box: looks at the buffer. */
#include "orc_kit.h"

/* -- the buffer (pathology 3) ------------------------------------------------------------------ */

/* Pathology 3: buffers that only grow; acyclic objects in them; a hub that reaches everything. */
static void the_buffer_reuses_places_and_shrinks(void **state)
{
    (void)state;
    ouro_collect_pause();
    struct ouro__visited *v = &ouro__self->visited;
    for (int i = 0; i < 100000; i++) { /* candidates that die */
        struct node *n = node_new(i);
        ouro_incref(n);
        ouro_decref(n);
        ouro_decref(n);
        struct leaf *l = leaf_new(i); /* never one */
        ouro_incref(l);
        ouro_decref(l);
        ouro_decref(l);
    }
    assert_int_equal(ouro_candidates(), 0);
    assert_true(v->capacity <= 512);
    size_t n = 300000;
    struct node *hub = node_new(-1), *list = NULL;
    for (size_t i = 0; i < n; i++) {
        struct node *one = node_new((int64_t)i);
        one->b = hub;
        ouro_incref(hub);
        one->a = list;
        if (list) {
            ouro_incref(list);
            ouro_decref(list);
        }
        list = one;
    }
    kit_link(hub, list);
    assert_true(ouro_candidates() >= n - 1);
    assert_int_equal(ouro_collect(NULL), 0);
    assert_int_equal(ouro_candidates(), 0);
    ouro_decref(list);
    ouro_decref(hub);
    assert_int_equal(ouro_collect(NULL), n + 1);
    for (int i = 0; i < 10; i++) {
        kit_garbage_ring(1);
        ouro_collect(NULL);
    }
    assert_true(v->capacity <= 65536);
    ouro_collect_resume();
}

/* -- triggers ---------------------------------------------------------------------------------- */

static void candidates_start_a_collection_unless_paused(void **state)
{
    (void)state;
    ouro_collect(NULL);
    struct ouro_collection before, after;
    ouro_collect_stats(&before);
    ouro_collect_pause();
    ouro_collect_pause();
    for (int i = 0; i < 30000; i++)
        kit_garbage_ring(1);
    ouro_collect_resume();
    for (int i = 0; i < 10; i++)
        kit_garbage_ring(1);
    ouro_collect_stats(&after);
    assert_int_equal(after.collections, before.collections);
    assert_int_equal(ouro_candidates(), 30010);
    ouro_collect_resume();
    for (int i = 0; i < 30000; i++)
        kit_garbage_ring(1);
    ouro_collect_stats(&after);
    assert_true(after.collections > before.collections);
    assert_true(ouro_candidates() < 30000);
}

/* Pathology 6: a few roots that hold much: triggers weigh bytes. */
static void bytes_start_a_collection(void **state)
{
    (void)state;
    static struct ouro_type block = {.size = 100 << 10, .name = "block", .flags = OURO_ACYCLIC};
    if (kit_instrumented())
        skip(); /* blocks of libc are not counted */
    size_t before = kit_resident();
    for (int i = 0; i < 10000; i++) { /* a gigabyte in all */
        struct node *ring = node_new(i);
        ring->b = ouro_new(&block, 100 << 10);
        memset(ring->b, 1, 100 << 10);
        kit_link(ring, ring);
        ouro_decref(ring);
    }
    assert_true(kit_resident() < before + ((size_t)200 << 20));
    ouro_collect(NULL);
}

/* What a limit refuses is asked for again when garbage and noted deaths have gone. */
static void a_refused_birth_makes_room_first(void **state)
{
    (void)state;
    static struct ouro_type block = {.size = 3 << 20, .name = "block", .flags = OURO_ACYCLIC};
    if (kit_instrumented() || OURO_CHECKED)
        skip(); /* what was freed is kept back */
    for (int noted = 0; noted < 2; noted++) {
        ouro_collect(NULL);
        ouro_trim();
        struct node *ring = node_new(1), *holder = node_new(2);
        ring->b = ouro_new(&block, 3 << 20);
        assert_non_null(ring->b);
        kit_link(ring, ring);
        struct ouro_stats stats;
        ouro_stats_get(&stats);
        ouro_set_limit(stats.used, NULL, NULL);
        assert_null(ouro_new(&block, 3 << 20));
        if (noted) {
            void *b = ring->b;
            ring->b = NULL;
            ouro_decref(ring);
            ouro_decref_later(b);
        } else {
            ouro_decref(ring);
        }
        holder->b = ouro_new(&block, 3 << 20);
        ouro_set_limit(0, NULL, NULL);
        assert_non_null(holder->b);
        ouro_decref(holder);
        ouro_collect(NULL);
    }
}

/* Pathology 8: a hundred rounds of 1 % candidates over one live graph: not a hundred full scans. */
static void looking_at_the_living_is_paid_for_by_candidates(void **state)
{
    (void)state;
    size_t n = kit_scaled(100000);
    struct node **all = malloc(n * sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = node_new((int64_t)i);
    for (size_t i = 0; i < n; i++)
        kit_link(all[i], all[(i + 1) % n]);
    ouro_collect(NULL);
    struct ouro_collection before, after;
    ouro_collect_stats(&before);
    for (size_t round = 0; round < 100; round++) {
        for (size_t i = 0; i < n / 100; i++) {
            ouro_incref(all[i * 100 + round]);
            ouro_decref(all[i * 100 + round]);
        }
    }
    ouro_collect_stats(&after);
    assert_true(after.captured - before.captured <= 20 * n);
    for (size_t i = 0; i < n; i++)
        ouro_decref(all[i]);
    ouro_collect(NULL);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(the_buffer_reuses_places_and_shrinks),
        kit_test(candidates_start_a_collection_unless_paused),
        kit_test(bytes_start_a_collection),
        kit_test(a_refused_birth_makes_room_first),
        kit_test(looking_at_the_living_is_paid_for_by_candidates),
    };
    return kit_run(tests);
}
