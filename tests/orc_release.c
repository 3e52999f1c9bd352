/* SPDX-License-Identifier: MIT */
/* Destruction: its order, its depth, its budget, and hooks that do what hooks may do. White-box:
 * counts what is alive. */
#include "orc_kit.h"

static void log_is(const int64_t *expected, size_t n)
{
    assert_int_equal(kit_destroyed, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(kit_log[i], expected[i]);
}

/* -- order ------------------------------------------------------------------------------------- */

static struct hooked *tree(int64_t id, struct hooked *a, struct hooked *b)
{
    struct hooked *h = hooked_new(id);
    h->a = a;
    h->b = b;
    return h;
}

static void parents_die_before_children_and_children_in_field_order(void **state)
{
    (void)state;
    struct hooked *root = tree(1, tree(2, tree(3, NULL, NULL), tree(4, NULL, NULL)),
                               tree(5, tree(6, NULL, NULL), tree(7, NULL, NULL)));
    ouro_decref(root);
    log_is((int64_t[]){1, 2, 3, 4, 5, 6, 7}, 7);
}

static void a_shared_child_dies_with_its_last_parent(void **state)
{
    (void)state;
    struct hooked *shared = hooked_new(9);
    ouro_incref(shared);
    ouro_decref(tree(1, tree(2, shared, NULL), tree(3, shared, hooked_new(4))));
    log_is((int64_t[]){1, 2, 3, 9, 4}, 5);
}

/* -- depth (pathology 1) ----------------------------------------------------------------------- */

static void list_of_ten_million(void *arg)
{
    (void)arg;
    size_t n = kit_scaled(10000000);
    struct node *list = NULL;
    for (size_t i = 0; i < n; i++) {
        struct node *head = node_new((int64_t)i);
        head->a = list;
        list = head;
    }
    ouro_decref(list);
    KIT_CHECK(heapcheck_count(&node_type) == 0);
    ouro_poll();
}

/* Pathology 1: a list, a ring and a deep tree on a small stack. */
static void a_list_of_ten_million_dies_on_a_small_stack(void **state)
{
    (void)state;
    kit_on_small_stack(list_of_ten_million, NULL);
}

static void ring_of_a_million(void *arg)
{
    (void)arg;
    size_t n = kit_scaled(1000000);
    struct node *first = kit_ring(n);
    ouro_incref(first);
    ouro_collect_pause();
    ouro_decref(first);
    ouro_collect_resume();
    if (!KIT_ATOMIC) /* merged ones wait: this is not the only thread */
        KIT_CHECK(ouro_collect(NULL) == n);
}

static void a_ring_of_a_million_is_collected_on_a_small_stack(void **state)
{
    (void)state;
    if (KIT_ATOMIC && OURO_TSAN)
        skip(); /* the collector is never alone there */
    kit_on_small_stack(ring_of_a_million, NULL);
}

static void hooked_chain(void *arg)
{
    (void)arg;
    struct hooked *list = NULL;
    for (size_t i = 0; i < kit_scaled(300000); i++)
        list = tree((int64_t)i, i % 2 ? list : hooked_new(-1), i % 2 ? hooked_new(-2) : list);
    ouro_decref(list);
}

static void a_deep_tree_with_hooks_dies_on_a_small_stack(void **state)
{
    (void)state;
    kit_on_small_stack(hooked_chain, NULL);
    assert_int_equal(kit_destroyed, 2 * kit_scaled(300000));
}

/* -- in steps ---------------------------------------------------------------------------------- */

static void a_release_keeps_to_its_budget(void **state)
{
    (void)state;
    struct hooked *list = NULL;
    for (int i = 0; i < 100; i++)
        list = tree(i, list, NULL);
    ouro_decref_later(list);
    assert_int_equal(kit_destroyed, 0);
    for (size_t n = 1; n <= 9; n++) {
        assert_int_equal(ouro_release_pending(n), n);
        assert_int_equal(kit_destroyed, n * (n + 1) / 2);
    }
    assert_int_equal(ouro_release_pending(0), 0);
    assert_int_equal(ouro_release_pending(1000), 55);
    assert_int_equal(ouro_release_pending(1000), 0);
    assert_int_equal(kit_destroyed, 100);
}

static struct hooked *chain_of(int length)
{
    struct hooked *list = NULL;
    for (int i = 0; i < length; i++)
        list = tree(i, list, NULL);
    return list;
}

/* With hooks and without. All is made before, for births may carry out what was noted. */
static void a_death_leaves_what_was_noted_to_its_budget(void **state)
{
    (void)state;
    struct hooked *noted = chain_of(50), *some = chain_of(10), *more = chain_of(5);
    struct node *node = node_new(1), *parent = node_new(2);
    struct leaf *leaf = leaf_new(1);
    parent->a = node_new(3);
    ouro_decref_later(noted);
    ouro_decref_later(node);
    ouro_decref(some);
    ouro_decref(parent);
    ouro_decref(leaf);
    assert_int_equal(kit_destroyed, 11); /* leaves tell, too */
    assert_int_equal(ouro_release_pending(21), 21);
    ouro_decref(more);
    assert_int_equal(kit_destroyed, 11 + 20 + 5);
    assert_int_equal(ouro_release_pending(1000), 30);
    assert_int_equal(kit_destroyed, 66);
}

/* Neither all at once nor so slowly that the heap grows. */
static void births_carry_out_what_was_noted_in_portions(void **state)
{
    (void)state;
    if (!heapcheck_can_walk())
        skip(); /* every birth goes out of line */
    const size_t length = 100000;
    struct hooked *list = chain_of((int)length);
    ouro_decref_later(list);
    struct ouro_stats before, after;
    ouro_stats_get(&before);
    size_t births = 0, most = 0;
    struct hooked *kept = NULL;
    while (kit_destroyed < length) {
        size_t destroyed = kit_destroyed;
        kept = tree(1, kept, NULL);
        births++;
        if (kit_destroyed - destroyed > most)
            most = kit_destroyed - destroyed;
    }
    ouro_stats_get(&after);
    assert_true(most > 0 && most <= length / 50);
    assert_true(births < length);
    assert_true(after.mapped <= before.mapped + (4 << 20));
    ouro_decref(kept);
}

static void a_slow_path_carries_out_what_was_noted(void **state)
{
    (void)state;
    struct hooked *kept = hooked_new(1);
    ouro_incref(kept);
    ouro_decref_later(kept); /* not the last */
    assert_int_equal(ouro_count(kept), 1);
    ouro_decref_later(kept);
    assert_int_equal(kit_destroyed, 0);
    ouro_poll();
    assert_int_equal(kit_destroyed, 1);
}

/* -- what hooks do (pathology 2) --------------------------------------------------------------- */

static void busy_hook(struct hooked *dying)
{
    if (dying->id < 0 || dying->id > 1000)
        return;
    struct hooked *h = hooked_new(-1); /* allocates and drops */
    h->a = hooked_new(-1);
    ouro_decref(h);
    struct hooked *ring = hooked_new(-2); /* adds roots */
    ring->a = ring;
    ouro_incref(ring);
    ouro_decref(ring);
    assert_int_equal(ouro_collect(NULL), 0); /* re-enters the collector */
    ouro_incref(dying);
    ouro_decref(dying);
    ouro_poll();
    void *keep = dying->b;
    dying->b = NULL;
    ouro_decref(keep);
}

/* Pathology 2: a destructor that adds roots or re-enters the collector. */
static void a_hook_may_allocate_drop_add_roots_and_collect(void **state)
{
    (void)state;
    kit_on_destroy = busy_hook;
    struct hooked *list = NULL;
    for (int i = 0; i < 50; i++)
        list = tree(i, list, hooked_new(-3));
    ouro_decref(list); /* by counts */
    struct hooked *first = tree(0, NULL, hooked_new(-3)), *last = first;
    for (int i = 1; i < 50; i++)
        last = last->a = tree(i, NULL, hooked_new(-3));
    last->a = first;
    ouro_incref(first);
    ouro_decref(first); /* by the collector */
    ouro_collect(NULL);
    ouro_collect(NULL);
    assert_int_equal(kit_destroyed, 2 * 50 * (1 + 2 + 1 + 1));
}

static void drops_itself_in_its_hook(struct hooked *dying)
{
    ouro_incref(dying);
    ouro_incref(dying);
    ouro_decref(dying);
    ouro_decref(dying);
}

static void a_pair_of_counts_in_a_hook_is_no_resurrection(void **state)
{
    (void)state;
    kit_on_destroy = drops_itself_in_its_hook;
    ouro_decref(hooked_new(1));
    struct hooked *ring = hooked_new(2);
    ring->a = ring;
    ouro_incref(ring);
    ouro_decref(ring);
    ouro_collect(NULL);
    ouro_reuse_free(ouro_drop_reuse(hooked_new(3)));
    assert_int_equal(kit_destroyed, 3);
}

/* -- resurrection (pathology 5) ---------------------------------------------------------------- */

static struct hooked *saved[16];
static size_t saved_count;
static void save_self(struct hooked *dying)
{
    if (dying->id == 7) {
        ouro_incref(dying);
        saved[saved_count++] = dying;
    }
}

static void a_saved_object_lives_emptied_and_dies_without_its_hook(void **state)
{
    (void)state;
    kit_on_destroy = save_self;
    for (int way = 0; way < 4; way++) {
        saved_count = 0;
        kit_destroyed = 0;
        struct hooked *h = tree(7, hooked_new(1), hooked_new(2));
        if (way == 0) {
            ouro_decref(h);
        } else if (way == 1) { /* in a cycle */
            ouro_decref(h->b);
            h->b = h;
            ouro_incref(h);
            ouro_decref(h);
            kit_destroyed = 1;
            ouro_collect(NULL);
        } else if (way == 2) {
            assert_null(ouro_drop_reuse(h).cell);
        } else {
            ouro_decref_later(h);
            ouro_poll();
        }
        assert_int_equal(saved_count, 1);
        assert_int_equal(kit_destroyed, 3);
        assert_ptr_equal(saved[0], h);
        assert_null(h->a);
        assert_null(h->b);
        assert_int_equal(h->id, 7);
        assert_int_equal(ouro_count(h), 1);
        ouro_incref(h);
        ouro_decref(h);
        h->a = hooked_new(3); /* it may be used again */
        ouro_collect(NULL);
        if (way % 2)
            ouro_decref(h);
        else
            ouro_reuse_free(ouro_drop_reuse(h));
        assert_int_equal(saved_count, 1); /* the hook ran once in its life */
        assert_int_equal(kit_destroyed, 4);
    }
}

static void keep_neighbour(struct hooked *dying)
{
    ouro_incref(dying->a);
    saved[saved_count++] = dying->a;
}

static void a_saved_member_saves_what_it_reaches(void **state)
{
    (void)state;
    static const struct ouro_field fields[] = {OURO_REF(struct hooked, a, NULL),
                                               OURO_REF(struct hooked, b, NULL)};
    static struct ouro_type quiet = {
        .size = sizeof(struct hooked), .name = "quiet", .fields = fields, .field_count = 2};
    /* saver (id 7) and two quiet ones in a ring; its hook keeps its neighbour instead of itself */
    kit_on_destroy = NULL;
    struct hooked *q1 = OURO_NEW(struct hooked, &quiet), *q2 = OURO_NEW(struct hooked, &quiet);
    struct hooked *saver = hooked_new(8);
    q1->id = 101;
    q2->id = 102;
    saver->a = q1;
    q1->a = q2;
    q2->a = saver;
    ouro_incref(saver);
    saved_count = 0;
    kit_on_destroy = keep_neighbour;
    ouro_decref(saver);
    ouro_collect(NULL);
    kit_on_destroy = NULL;
    assert_int_equal(kit_destroyed, 1);
    assert_int_equal(saved_count, 1);
    assert_ptr_equal(saved[0], q1);
    assert_ptr_equal(q1->a, q2);
    assert_ptr_equal(q2->a, saver); /* reached, so it lives on too, hook spent, emptied */
    assert_int_equal(saver->id, 8);
    assert_null(saver->a);
    ouro_decref(q1);
    ouro_collect(NULL);
    assert_int_equal(kit_destroyed, 1);
}
static struct ouro_weak *weak_of_dying;
static void weak_in_hook(struct hooked *dying)
{
    weak_of_dying = ouro_weak_new(dying);
}

static void a_weak_reference_made_in_a_hook_finds_nothing_later(void **state)
{
    (void)state;
    for (int cycle = 0; cycle < 2; cycle++) {
        struct hooked *h = hooked_new(1);
        kit_on_destroy = weak_in_hook;
        if (cycle) {
            h->a = h;
            ouro_incref(h);
        }
        ouro_decref(h);
        ouro_collect(NULL);
        kit_on_destroy = NULL;
        struct hooked *again = NULL; /* until one is at the same address */
        for (size_t i = 0; i < kit_scaled(20000) && again != h; i++) {
            struct hooked *fresh = hooked_new(2);
            fresh->a = again;
            again = fresh;
        }
        assert_null(ouro_weak_upgrade(weak_of_dying));
        ouro_weak_decref(weak_of_dying);
        ouro_decref(again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(parents_die_before_children_and_children_in_field_order),
        kit_test(a_shared_child_dies_with_its_last_parent),
        kit_test(a_release_keeps_to_its_budget),
        kit_test(a_death_leaves_what_was_noted_to_its_budget),
        kit_test(births_carry_out_what_was_noted_in_portions),
        kit_test(a_slow_path_carries_out_what_was_noted),
        kit_test(a_hook_may_allocate_drop_add_roots_and_collect),
        kit_test(a_pair_of_counts_in_a_hook_is_no_resurrection),
        kit_test(a_saved_object_lives_emptied_and_dies_without_its_hook),
        kit_test(a_saved_member_saves_what_it_reaches),
        kit_test(a_weak_reference_made_in_a_hook_finds_nothing_later),
        kit_test(a_list_of_ten_million_dies_on_a_small_stack),
        kit_test(a_ring_of_a_million_is_collected_on_a_small_stack),
        kit_test(a_deep_tree_with_hooks_dies_on_a_small_stack),
    };
    return kit_run(tests);
}
