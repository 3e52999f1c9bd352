/* SPDX-License-Identifier: MIT */
/* Cycles of bare objects on one thread: what goes, what stays, and hooks that do what they like.
 * White-box: see bare_kit.h. */
#include "bare_kit.h"

static void slots_are_empty(struct bnode *n)
{
    KIT_CHECK(n->a == NULL && n->b == NULL);
}

static void rings_are_collected_and_their_hooks_find_empty_slots(void **state)
{
    (void)state;
    bnode_on_destroy = slots_are_empty;
    for (size_t n = 1; n < 300; n += 1 + n / 3) {
        bnode_destroyed = 0;
        struct bnode *ring = bnode_ring(n);
        ring->b = bare_share(ring->a);
        bnode_drop(ring);
        assert_int_equal(ouro_candidates(), 1);
        struct ouro_collection c;
        assert_int_equal(ouro_collect(&c), n);
        assert_int_equal(c.captured, n);
        assert_int_equal(bnode_destroyed, n);
        assert_int_equal(ouro_candidates(), 0);
    }
}

/* More than the ordered sweep takes, dead alone and among the living. */
static void large_garbage_goes_in_blocks(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    for (int living = 0; living < 2; living++) {
        size_t n = kit_instrumented() ? 66000 : 200000;
        bnode_destroyed = 0;
        bnode_on_destroy = slots_are_empty;
        struct bnode *keep = bnode_new(-1), *ring;
        ouro_collect_pause();
        ring = bnode_ring(n);
        if (living) {
            keep->a = bnode_new(-2);
            ring->b = bare_share(keep);
            ring->a->b = bare_share(keep->a);
        }
        ring->leaf = ouro_new_bare(100, 8);
        bnode_drop(ring);
        assert_int_equal(ouro_collect(NULL), n);
        ouro_collect_resume();
        assert_int_equal(bnode_destroyed, n);
        assert_int_equal(ouro_count(keep), 1);
        if (living)
            assert_int_equal(ouro_count(keep->a), 1);
        bnode_on_destroy = NULL;
        bnode_drop(keep);
        assert_int_equal(bnode_destroyed, n + 1 + (size_t)living);
    }
    assert_int_equal(bare_blocks(), before);
}

static void what_lives_stays_and_counts_exactly(void **state)
{
    (void)state;
    struct bnode *root = bnode_new(1), *inner = bnode_new(2), *ring = bnode_ring(3);
    root->a = inner;
    inner->a = bare_share(root);
    ring->b = bare_share(inner);
    ring->a->b = bare_share(inner);
    ring->leaf = ouro_new_bare(10, 8);
    inner->leaf = bare_share(ring->leaf);
    bnode_drop(ring);
    bnode_drop(bare_share(root));
    assert_int_equal(ouro_collect(NULL), 3);
    assert_int_equal(ouro_count(inner), 1);
    assert_int_equal(ouro_count(root), 2);
    assert_int_equal(ouro_count(inner->leaf), 1);
    assert_int_equal(ouro_candidates(), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ouro_collect(NULL), 0);
    bnode_drop(root);
    assert_int_equal(ouro_collect(NULL), 2);
    assert_int_equal(bnode_destroyed, 5);
}

/* -- targets of other kinds -------------------------------------------------------------------- */

static struct ouro_type wide_type; /* traces its leaf too, told as below */
static const struct ouro_type *leaf_told;
static struct ouro_type leaf_types[2] = {
    {.size = 8, .name = "late leaf", .flags = OURO_BARE | OURO_ACYCLIC},
    {.size = 8, .align = 64, .name = "large late leaf", .flags = OURO_BARE | OURO_ACYCLIC}};
static struct ouro_type *late_leaf;
static size_t leaf_align;
static void drop_aligned(void *leaf)
{
    if (ouro_decref_is_last(leaf))
        ouro_dispose(leaf, leaf_align);
}
static int resolved;

static void wide_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    struct bnode *n = value;
    (void)type;
    visitor->visit(visitor, (void **)(void *)&n->a, &wide_type);
    visitor->visit(visitor, &n->leaf, leaf_told);
}
static void wide_destroy(void *value, const struct ouro_type *type)
{
    struct bnode *n = value;
    KIT_CHECK(n->magic == BNODE_LIVES && n->a == NULL);
    n->magic = BNODE_DEAD;
    bnode_destroyed++;
    drop_aligned(n->leaf);
    (void)type;
}
static struct ouro_type *resolve(const void *object, const void *told)
{
    KIT_CHECK(object != NULL);
    resolved++;
    return told == (const void *)&leaf_told  ? late_leaf
           : told == (const void *)&resolved ? &wide_type
                                             : NULL;
}
static struct ouro_type wide_type = {.size = sizeof(struct bnode),
                                     .name = "wide",
                                     .flags = OURO_BARE,
                                     .hooks = {.destroy = wide_destroy, .trace = wide_trace}};

/* Acyclic, without any type, told late, and late but never: shared with the program, or not. */
static void garbage_may_refer_to_what_is_not_traced(void **state)
{
    (void)state;
    const struct ouro_type *ways[] = {leaf_types, NULL, OURO_TYPE_LATER(&leaf_told),
                                      OURO_TYPE_LATER(NULL)};
    ouro_set_resolver(resolve);
    uint64_t before = bare_blocks();
    for (size_t way = 0; way < OURO_COUNT_OF(ways); way++) {
        for (size_t align = 8; align < 100; align *= 8) {
            for (int shared = 0; shared < 3; shared++) {
                leaf_align = align;
                late_leaf = &leaf_types[align > 16];
                leaf_told = way == 0 ? late_leaf : ways[way];
                bnode_destroyed = 0;
                struct bnode *x = bnode_new(1);
                x->leaf = ouro_new_bare(8, align);
                void *leaf = shared ? bare_share(x->leaf) : x->leaf;
                if (shared == 2) { /* twice by the dead */
                    x->a = bnode_new(2);
                    x->a->leaf = bare_share(leaf);
                    x->a->a = bare_share(x);
                } else {
                    x->a = bare_share(x);
                }
                assert_false(ouro_decref_is_last_of(x, &wide_type));
                assert_int_equal(ouro_collect(NULL), 1 + (shared == 2));
                assert_int_equal(bnode_destroyed, 1 + (shared == 2));
                if (shared) {
                    assert_int_equal(ouro_count(leaf), 1);
                    drop_aligned(leaf);
                }
            }
        }
    }
    assert_true(resolved > 0);
    assert_int_equal(bare_blocks(), before);
}

/* Only one object of a ring was ever told a type by a drop. */
static void types_told_late_close_a_ring(void **state)
{
    (void)state;
    ouro_set_resolver(resolve);
    leaf_told = OURO_TYPE_LATER(&resolved);
    for (int n = 2; n < 20; n++) {
        struct bnode *first = bnode_new(0), *last = first;
        for (int i = 1; i < n; i++) { /* through `leaf`, whose type is told late */
            struct bnode *next = bnode_new(i);
            last->leaf = next;
            last = next;
        }
        last->leaf = bare_share(first);
        assert_false(ouro_decref_is_last_of(first, &wide_type));
        bnode_destroyed = 0;
        assert_int_equal(ouro_collect(NULL), n);
        assert_int_equal(bnode_destroyed, n);
    }
}

/* -- candidates that die ----------------------------------------------------------------------- */

static void candidates_that_die_by_a_drop_are_forgotten(void **state)
{
    (void)state;
    struct bnode *many[100];
    for (int round = 0; round < 3; round++) {
        bnode_destroyed = 0;
        for (int i = 0; i < 100; i++) {
            many[i] = bnode_new(i);
            bnode_drop(bare_share(many[i]));
        }
        assert_int_equal(ouro_candidates(), 100);
        for (int i = 0; i < 100; i++) { /* from the front, the back, the middle */
            bnode_drop(many[round == 0 ? i : round == 1 ? 99 - i : (i * 37) % 100]);
            assert_int_equal(ouro_candidates(), 99 - i);
        }
        assert_int_equal(bnode_destroyed, 100);
        assert_int_equal(ouro_collect(NULL), 0);
    }
}

static void candidates_that_were_broken_by_hand_are_just_dropped(void **state)
{
    (void)state;
    struct bnode *ring = bnode_ring(10);
    for (struct bnode *n = ring->a; n != ring; n = n->a)
        bnode_drop(bare_share(n));
    bnode_drop(bare_share(ring));
    struct bnode *next = ring->a;
    ring->a = NULL;
    bnode_drop(next);
    assert_int_equal(bnode_destroyed, 9);
    bnode_drop(ring);
    assert_int_equal(bnode_destroyed, 10);
    assert_int_equal(ouro_candidates(), 0);
}

/* -- hooks that do what they like -------------------------------------------------------------- */

static struct bnode *global_node;
static int births_left;

static void hook_makes_candidates(struct bnode *dying)
{
    KIT_CHECK(ouro_collect(NULL) == 0 || dying == NULL); /* not from inside */
    if (births_left-- <= 0)
        return;
    bnode_drop(bnode_ring(1 + (size_t)births_left % 3));
    struct bnode *x = bnode_new(5); /* made, a candidate, dropped */
    bnode_drop(bare_share(x));
    bnode_drop(x);
    if (global_node) {
        bnode_drop(bare_share(global_node));
        struct bnode *old = global_node;
        global_node = births_left > 0 ? bnode_new(6) : NULL;
        if (global_node)
            global_node->a = bare_share(global_node);
        bnode_drop(old);
    }
}

static void hooks_may_allocate_drop_and_make_candidates(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    global_node = bnode_new(7);
    global_node->a = bare_share(global_node);
    births_left = 30;
    bnode_on_destroy = hook_makes_candidates;
    bnode_drop(bnode_ring(20));
    for (int i = 0; i < 40; i++)
        ouro_collect(NULL);
    assert_int_equal(ouro_candidates(), 0);
    assert_null(global_node);
    assert_int_equal(bare_blocks(), before);
}

static int64_t saved_id;
static void hook_saves(struct bnode *dying)
{
    if (dying->id != saved_id)
        return;
    global_node = bare_share(dying);
    dying->magic = BNODE_LIVES; /* to be destroyed again */
}

static void an_object_that_a_hook_keeps_lives_on_emptied(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    for (saved_id = 0; saved_id < 5; saved_id++) {
        bnode_destroyed = 0;
        bnode_on_destroy = hook_saves;
        bnode_drop(bnode_ring(5));
        ouro_collect(NULL);
        bnode_on_destroy = NULL;
        assert_int_equal(bnode_destroyed, 5);
        assert_int_equal(global_node->id, saved_id);
        assert_int_equal(ouro_count(global_node), 1);
        assert_null(global_node->a);
        bnode_drop(bare_share(global_node));
        assert_int_equal(ouro_collect(NULL), 0);
        bnode_drop(global_node);
        assert_int_equal(bnode_destroyed, 6);
        assert_int_equal(ouro_candidates(), 0);
    }
    assert_int_equal(bare_blocks(), before);
}

static void hook_borrows(struct bnode *dying)
{
    for (int i = 0; i < 3; i++)
        KIT_CHECK(!ouro_decref_is_last_of(bare_share(dying), &bnode_type));
}

/* A destructor that hands its object to a procedure, which takes a reference and drops it. */
static void a_reference_that_a_hook_takes_and_drops_keeps_nothing(void **state)
{
    (void)state;
    uint64_t before = bare_blocks();
    bnode_on_destroy = hook_borrows;
    for (size_t n = 1; n < 5; n++) {
        bnode_destroyed = 0;
        bnode_drop(bnode_ring(n));
        assert_int_equal(ouro_collect(NULL), n);
        assert_int_equal(bnode_destroyed, n);
    }
    assert_int_equal(bare_blocks(), before);
}

/* -- beside ordinary objects ------------------------------------------------------------------- */

static void ordinary_garbage_goes_in_the_same_collections(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        bnode_destroyed = 0;
        kit_destroyed = 0;
        kit_garbage_ring(7);
        bnode_drop(bnode_ring(5));
        struct hooked *h = hooked_new(1), *k = hooked_new(2);
        h->a = k;
        k->a = h;
        ouro_incref(h);
        ouro_decref(h);
        struct node *alive = kit_ring(2);
        ouro_incref(alive);
        kit_touch(alive);
        assert_int_equal(ouro_collect(NULL), 14);
        assert_int_equal(bnode_destroyed, 5);
        assert_int_equal(kit_destroyed, 2);
        ouro_decref(alive);
        if (i % 2)
            bnode_drop(bnode_ring(2));
        ouro_collect(NULL);
        assert_int_equal(ouro_candidates(), 0);
    }
}

/* Enough of them make a collection by themselves. */
static void collections_come_by_themselves(void **state)
{
    (void)state;
    struct ouro_collection before, after;
    ouro_collect_stats(&before);
    for (int i = 0; i < 20000; i++)
        bnode_drop(bnode_ring(3));
    ouro_collect_stats(&after);
    assert_true(after.freed - before.freed > 50000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        bare_test(rings_are_collected_and_their_hooks_find_empty_slots),
        bare_test(large_garbage_goes_in_blocks),
        bare_test(what_lives_stays_and_counts_exactly),
        bare_test(garbage_may_refer_to_what_is_not_traced),
        bare_test(types_told_late_close_a_ring),
        bare_test(candidates_that_die_by_a_drop_are_forgotten),
        bare_test(candidates_that_were_broken_by_hand_are_just_dropped),
        bare_test(hooks_may_allocate_drop_and_make_candidates),
        bare_test(an_object_that_a_hook_keeps_lives_on_emptied),
        bare_test(a_reference_that_a_hook_takes_and_drops_keeps_nothing),
        bare_test(ordinary_garbage_goes_in_the_same_collections),
        bare_test(collections_come_by_themselves),
    };
    return kit_run(tests);
}
