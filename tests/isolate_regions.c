/* SPDX-License-Identifier: MIT */
/* White-box: includes orc_kit.h, by region_kit.h. Regions: what is built in one goes with it. */
#include "region_kit.h"

/* Of one size class; what odd ones own may be outside. */
struct mixed {
    struct mixed *next, *twin;
    int64_t id;
};
extern struct ouro_type plain_type;
static const struct ouro_field mixed_fields[] = {OURO_REF(struct mixed, next, &plain_type),
                                                 OURO_REF(struct mixed, twin, &plain_type)};
static void mixed_destroy(void *value, const struct ouro_type *type)
{
    ouro__fetch_add_full(&kit_destroyed, 1);
    ouro_lifted_destroy(value, type);
}
struct ouro_type plain_type = OURO_TYPE(struct mixed, mixed_fields);
static struct ouro_type odd_type = {.size = sizeof(struct mixed),
                                    .name = "odd",
                                    .fields = mixed_fields,
                                    .field_count = 2,
                                    .hooks = {.destroy = mixed_destroy}};

/* -- ending ------------------------------------------------------------------------------------ */

static void a_dropped_region_is_gone_with_its_pages(void **state)
{
    (void)state;
    uint64_t before = counted_bytes();
    struct node *root;
    struct ouro_region *region = region_with(&root);
    enter(region);
    kit_touch(root->a); /* a candidate */
    ouro_region_leave(region);
    struct ouro_isolated *handle = NULL;
    assert_int_equal(ouro_region_isolate_unchecked(region, root, &handle), OURO_OK);
    if (!OURO_CHECKED && OURO_THREADS && !KIT_ATOMIC && !ouro__supply()->block && !ouro__tools) {
        /* Nobody follows its references: this one leads nowhere. */
        ouro__store((ouro_word *)(void *)&root->a->a->b, 16);
        ouro__store((ouro_word *)(void *)&root->a->b, 16);
    }
    drop_sealed(handle);
    if (!OURO_CHECKED) /* that keeps what was freed for a while */
        assert_int_equal(counted_bytes(), before);
}

static void hooks_run_once_when_a_region_is_dropped(void **state)
{
    (void)state;
    struct ouro_region *region = region_new();
    enter(region);
    struct hooked *root = hooked_new(0), *last = root;
    for (int64_t i = 1; i < NODES; i++) {
        last->a = hooked_new(i);
        last->b = root; /* cycles */
        ouro_incref(root);
        last = last->a;
    }
    ouro_region_leave(region);
    drop_sealed(sealed(region, root));
    assert_int_equal(ouro__load(&kit_destroyed), NODES);
}

/* Hooks read what they own, and make things. */
static int64_t sum;
static void look_around(struct hooked *dying)
{
    if (dying->a)
        sum += dying->a->id;
    if (dying->id == 2) {
        struct hooked *late = hooked_new(100);
        late->a = hooked_new(101);
        ouro_decref(late);
    }
}

static void hooks_find_all_that_they_own(void **state)
{
    (void)state;
    struct ouro_region *region = region_new();
    enter(region);
    struct hooked *root = hooked_new(1);
    root->a = hooked_new(2);
    root->a->a = hooked_new(3);
    root->a->a->a = root;
    ouro_incref(root);
    ouro_region_leave(region);
    struct ouro_isolated *handle = sealed(region, root);
    sum = 0;
    kit_on_destroy = look_around;
    drop_sealed(handle);
    kit_on_destroy = NULL;
    assert_int_equal(sum, 2 + 3 + 1 + 101);
    assert_int_equal(ouro__load(&kit_destroyed), 5);
}

#if OTHERS_COUNT
static struct common *common_new(int64_t id)
{
    struct common *common = OURO_NEW(struct common, &common_type);
    KIT_CHECK(common != NULL);
    common->id = id;
    return common;
}

static void what_a_region_shares_is_counted_down(void **state)
{
    (void)state;
    static const char text[] = "a text that is long enough to have a payload of its own";
    ouro_string outer, inner;
    assert_int_equal(ouro_string_make(&outer, text, strlen(text)), OURO_OK);
    struct common *outside = common_new(1), *inside;
    struct ouro_region *region = region_new();
    enter(region);
    struct holder *root = holder_new(holder_new(NULL, outside), inside = common_new(2));
    ouro_incref(outside);
    ouro_incref(inside); /* the test keeps one */
    assert_int_equal(ouro_dup(&root->text, &outer, &ouro_string_type), OURO_OK);
    assert_int_equal(ouro_string_make(&root->next->text, text, strlen(text)), OURO_OK);
    assert_int_equal(ouro_dup(&inner, &root->next->text, &ouro_string_type), OURO_OK);
    root->weak = ouro_weak_new(root->next);
    ouro_region_leave(region);
    drop_sealed(sealed(region, root));
    /* What was not the region's alone is there, and the test's. */
    assert_true(ouro_is_unique(outside));
    assert_true(ouro_is_unique(inside));
    assert_int_equal(inside->id, 2);
    assert_memory_equal(ouro_string_data(&inner), text, strlen(text));
    assert_memory_equal(ouro_string_data(&outer), text, strlen(text));
    ouro_decref(outside);
    ouro_decref(inside);
    ouro_destroy_value(&inner, &ouro_string_type);
    ouro_destroy_value(&outer, &ouro_string_type);
}

#endif

#if OTHERS_COUNT
/* One thread alone, but two records: each knows its own candidates by their places. */
static void candidates_of_a_region_are_not_taken_for_the_threads_own(void **state)
{
    (void)state;
    (void)kit_alone();
    struct ouro_region *region = region_new();
    enter(region);
    struct hooked *there = hooked_new(1);
    kit_touch(there);
    ouro_region_leave(region);
    struct hooked *here = hooked_new(2);
    here->a = there; /* a second reference */
    ouro_incref(there);
    kit_touch(here);
    ouro_collect(NULL);
    assert_int_equal(ouro__load(&kit_destroyed), 0);
    ouro_decref(here);
    assert_int_equal(ouro__load(&kit_destroyed), 1);
    drop_in(region, there);
    assert_int_equal(ouro__load(&kit_destroyed), 2);
    assert_int_equal(ouro_region_end(region), OURO_OK);
}
#endif

/* Objects that own nothing outside beside such that may: pages that go beside pages that stay. */
static void plain_and_odd_objects_end_together(void **state)
{
    (void)state;
    for (unsigned odd_root = 0; odd_root < 2; odd_root++) {
        struct ouro_region *region = region_new();
        enter(region);
        struct mixed *root = NULL;
        for (int64_t i = 0; i < NODES; i++) {
            bool odd = i % 2 == odd_root;
            struct mixed *m = odd ? ouro_new_biased(&odd_type, sizeof *m)
                                  : ouro_new_biased(&plain_type, sizeof *m);
            KIT_CHECK(m != NULL);
            m->next = root;
            if (root) {
                m->twin = root->next ? root->next : root; /* shared */
                ouro_incref(m->twin);
            }
            root = m;
        }
        ouro_region_leave(region);
        drop_sealed(sealed(region, root));
    }
    assert_int_equal(ouro__load(&kit_destroyed), NODES);
}

static void make_garbage(struct hooked *dying)
{
    (void)dying;
    ouro_decref(ouro_new_biased(&plain_type, 100000)); /* large: not of the region's pages */
    ouro_decref(ouro_new_biased(&odd_type, sizeof(struct mixed)));
}

static void what_hooks_make_does_not_stop_the_end(void **state)
{
    (void)state;
    struct ouro_region *region = region_new();
    enter(region);
    struct hooked *root = hooked_new(1);
    root->a = hooked_new(2);
    ouro_region_leave(region);
    struct ouro_isolated *handle = sealed(region, root);
    kit_on_destroy = make_garbage;
    drop_sealed(handle);
    kit_on_destroy = NULL;
    assert_int_equal(ouro__load(&kit_destroyed), 4);
}

/* Deaths that wait outside of the region have objects of it. */
#if OTHERS_COUNT
static struct ouro_region *region_at_hand;
static struct node *root_at_hand;
static struct node *dead_at_hand;
static void drop_the_region(struct hooked *dying)
{
    (void)dying;
    ouro_decref(dead_at_hand); /* waits for the end of this hook */
    struct ouro_isolated *handle = NULL;
    KIT_CHECK(ouro_region_isolate_unchecked(region_at_hand, root_at_hand, &handle) == OURO_OK ||
              OURO_CHECKED);
    if (handle)
        ouro_isolated_drop(handle);
    region_at_hand = handle ? NULL : region_at_hand;
}

static void a_death_that_waits_elsewhere_keeps_its_page(void **state)
{
    (void)state;
    for (unsigned in_hook = 0; in_hook < 2; in_hook++) {
        region_at_hand = region_new();
        enter(region_at_hand);
        root_at_hand = random_graph(NODES, 1);
        dead_at_hand = node_new(2);
        ouro_region_leave(region_at_hand);
        struct hooked *outside = hooked_new(1);
        kit_on_destroy = in_hook ? drop_the_region : NULL;
        if (!in_hook) {
            ouro_decref_later(dead_at_hand);
            struct ouro_isolated *handle = NULL;
            (void)ouro_region_isolate_unchecked(region_at_hand, root_at_hand, &handle);
            ouro_isolated_drop(handle);
            region_at_hand = handle ? NULL : region_at_hand;
        }
        ouro_decref(outside);
        ouro_release_pending(SIZE_MAX);
        kit_on_destroy = NULL;
        if (region_at_hand)
            drop_sealed(sealed(region_at_hand, root_at_hand));
        ouro_check_heap();
        ouro_collect(NULL);
    }
}
#endif

#if OURO_THREADS
static void no_cell_is_used_again_across_the_border_of_a_region(void **state)
{
    (void)state;
    struct ouro_region *region = region_new();
    struct node *outside = node_new(1);
    ouro_reuse token = ouro_take_reuse(outside, &node_type);
    enter(region);
    struct node *inside =
        token.cell ? ouro_new_reuse(token, &node_type, sizeof *inside) : node_new(1);
    if (!token.cell)
        ouro_region_leave(region), ouro_decref(outside), enter(region);
    if (token.cell) {
        assert_ptr_not_equal(inside, outside);
        inside->a = inside->b = NULL;
    }
    struct node *again = node_new(2);
    assert_null(ouro_take_reuse(again, &node_type).cell);
    token = ouro_drop_reuse(again);
    assert_null(token.cell);
    ouro_region_leave(region);
    drop_sealed(sealed(region, inside));
}

#endif

static void what_waits_in_a_region_goes_with_it(void **state)
{
    (void)state;
    struct ouro_region *region = region_new();
    enter(region);
    struct node *root = random_graph(NODES, 1);
    ouro_decref_later(node_new(7));
    ouro_region_leave(region);
    struct ouro_isolated *handle = NULL;
    assert_int_equal(ouro_region_isolate_unchecked(region, root, &handle), OURO_OK);
    drop_sealed(handle);
    ouro_check_heap();
}

static void foreign_bytes_of_a_region_are_given_back(void **state)
{
    (void)state;
    struct ouro_stats stats;
    struct ouro_region *region = region_new();
    enter(region);
    struct node *root = random_graph(NODES, 1);
    assert_int_equal(ouro_foreign_bytes(root->a, 5000), OURO_OK);
    ouro_region_leave(region);
    drop_sealed(sealed(region, root));
    ouro_stats_get(&stats);
    assert_int_equal(stats.foreign, 0);
}

static void frames_outlive_the_end_of_a_region(void **state)
{
    (void)state;
    struct ouro_frame frame = ouro_frame_begin();
    assert_int_equal(ouro_frame_own(node_new(1)), OURO_OK);
    size_t depth = ouro__frames_depth();
    struct node *root;
    struct ouro_region *region = region_with(&root);
    drop_sealed(sealed(region, root));
    assert_int_equal(ouro__frames_depth(), depth);
    ouro_frame_end(frame);
}

#if OTHERS_COUNT
static void leave_pages(void *arg)
{
    struct node **left = arg;
    for (size_t i = 0; i < NODES; i++) {
        struct node *n = node_new((int64_t)i);
        if (i % 10)
            ouro_decref(n);
        else
            left[i / 10] = n;
    }
}

static void a_region_takes_no_pages_of_others(void **state)
{
    (void)state;
    struct node *left[NODES / 10], *root;
    kit_elsewhere(leave_pages, left);
    struct ouro_region *region = region_with(&root);
    drop_sealed(sealed(region, root));
    root = random_graph(NODES, 5); /* where the region was */
    for (size_t i = 0; i < OURO_COUNT_OF(left); i++) {
        assert_int_equal(left[i]->id, i * 10);
        ouro_decref(left[i]);
    }
    check_mine(root, NODES);
    ouro_decref(root);
    ouro_collect(NULL);
}
#endif

static void aligned_objects_end_with_their_region(void **state)
{
    (void)state;
    for (size_t align = 64; align <= (size_t)128 << 10; align *= 4) {
        struct ouro_type aligned = {.size = 64, .align = align, .name = "aligned"};
        aligned.flags = OURO_ACYCLIC;
        uint64_t before = counted_bytes();
        struct ouro_region *region = region_new();
        enter(region);
        void *root = ouro_new_biased(&aligned, 64);
        KIT_CHECK(root != NULL);
        ouro_region_leave(region);
        drop_sealed(sealed(region, root));
        if (!OURO_CHECKED)
            assert_int_equal(counted_bytes(), before);
        ouro_collect(NULL);
#if !OURO_CHECKED
        assert_int_equal(ouro_type_unregister(&aligned, NULL), OURO_OK);
#endif
        if (OURO_CHECKED)
            break; /* that keeps an object of it for a while */
    }
}

static void a_park_ends_with_the_stay_in_a_region(void **state)
{
    (void)state;
    struct ouro_region *region = region_new();
    enter(region);
    struct node *root = node_new(1);
    ouro_park();
    ouro_region_leave(region);
    enter(region);
    assert_int_equal(ouro__self->park_depth, 0);
    ouro_region_leave(region);
    drop_sealed(sealed(region, root));
}

static void raw_memory_outlives_its_region(void **state)
{
    (void)state;
    struct node *root;
    struct ouro_region *region = region_with(&root);
    enter(region);
    char *raw[100];
    for (size_t i = 0; i < OURO_COUNT_OF(raw); i++) {
        raw[i] = ouro_malloc(100);
        memset(raw[i], (int)i, 100);
    }
    ouro_region_leave(region);
    drop_sealed(sealed(region, root));
    for (size_t i = 0; i < OURO_COUNT_OF(raw); i++) {
        assert_int_equal(raw[i][99], i);
        ouro_free(raw[i]);
    }
}

#if OTHERS_COUNT
static void what_lives_in_a_region_that_ends_lives_on(void **state)
{
    (void)state;
    struct node *root;
    struct ouro_region *region = region_with(&root);
    assert_int_equal(ouro_region_end(region), OURO_OK);
    for (struct node *at = root; at; at = at->a)
        assert_true(at->id >= 0);
    ouro_decref(root);
    ouro_collect(NULL);
    kit_collect(NULL);
}

#endif

#if OTHERS_COUNT && OURO_RC != OURO_RC_ATOMIC
/* The next region may have the token of one that has ended, and so what that left. */
static void what_a_region_left_is_not_of_the_next(void **state)
{
    (void)state;
    struct node *left, *root;
    if (ouro__supply()->block)
        skip(); /* no pages tell what is whose */
    struct ouro_region *region = region_with(&left);
    assert_int_equal(ouro_region_end(region), OURO_OK);
    region = region_with(&root);
    enter(region);
    kit_touch(left); /* held here, if the token is the same: a candidate */
    root->b = left;  /* moved in */
    ouro_region_leave(region);
    (void)open_region(region, root, OURO_ESCAPE_OUT);
    root->b = NULL;
    drop_sealed(sealed(region, root));
    drop_sealed(isolated(left));
}
#endif

static void large_objects_end_with_their_region(void **state)
{
    (void)state;
    struct ouro_region *region = region_new();
    enter(region);
    struct node *root = node_new(1);
    root->a = ouro_new_biased(&node_type, (size_t)200 << 10);
    root->b = ouro_new_biased(&node_type, (size_t)9 << 20);
    KIT_CHECK(root->a && root->b);
    root->a->a = node_new(2);
    ouro_region_leave(region);
    struct ouro_isolated *handle = sealed(region, root);
    assert_int_equal(ouro_isolated_objects(handle), 4);
    drop_sealed(handle);
}

static void many_regions_one_after_the_other_need_the_memory_of_one(void **state)
{
    (void)state;
    struct ouro_stats stats;
    uint64_t first = 0;
    for (unsigned i = 0; i < 300; i++) {
        struct node *root;
        struct ouro_region *region = region_with(&root);
        drop_sealed(sealed(region, root));
        ouro_stats_get(&stats);
        if (i == 10)
            first = stats.used;
    }
    assert_int_equal(stats.used, first);
}

int main(void)
{
    region_seed = kit_seed(3);
    const struct CMUnitTest tests[] = {
        kit_test(a_dropped_region_is_gone_with_its_pages),
        kit_test(hooks_run_once_when_a_region_is_dropped),
        kit_test(hooks_find_all_that_they_own),
#if OTHERS_COUNT
        kit_test(a_death_that_waits_elsewhere_keeps_its_page),
        kit_test(what_a_region_shares_is_counted_down),
        kit_test(candidates_of_a_region_are_not_taken_for_the_threads_own),
#endif
        kit_test(plain_and_odd_objects_end_together),
        kit_test(what_hooks_make_does_not_stop_the_end),
#if OURO_THREADS
        kit_test(no_cell_is_used_again_across_the_border_of_a_region),
#endif
        kit_test(what_waits_in_a_region_goes_with_it),
        kit_test(foreign_bytes_of_a_region_are_given_back),
        kit_test(frames_outlive_the_end_of_a_region),
#if OTHERS_COUNT
        kit_test(a_region_takes_no_pages_of_others),
#endif
        kit_test(aligned_objects_end_with_their_region),
        kit_test(a_park_ends_with_the_stay_in_a_region),
        kit_test(raw_memory_outlives_its_region),
#if OTHERS_COUNT
        kit_test(what_lives_in_a_region_that_ends_lives_on),
#if OURO_RC != OURO_RC_ATOMIC
        kit_test(what_a_region_left_is_not_of_the_next),
#endif
#endif
        kit_test(large_objects_end_with_their_region),
        kit_test(many_regions_one_after_the_other_need_the_memory_of_one),
    };
    return kit_run(tests);
}
