/* SPDX-License-Identifier: MIT */
/* White-box: includes orc_kit.h, by region_kit.h. Regions and several threads, and forks. */
#include "region_kit.h"
#include "start_kit.h"

#include "alloc/valgrind.h"

enum { THREADS = 4, REGIONS = 6 };

/* -- from thread to thread --------------------------------------------------------------------- */

struct parcel {
    struct ouro_region *region;
    struct node *root;
    struct ouro_isolated *handle;
    size_t nodes;
};

static void work_on(void *arg)
{
    struct parcel *parcel = arg;
    void *root;
    parcel->region = ouro_region_extract(parcel->handle, &root);
    enter(parcel->region);
    check_mine(root, parcel->nodes);
    for (unsigned i = 0; i < NODES; i++) {
        struct node *n = node_new(1);
        n->a = root;
        root = n;
    }
    parcel->nodes += NODES;
    check_mine(root, parcel->nodes);
    ouro_region_leave(parcel->region);
    parcel->root = root;
    KIT_CHECK(ouro_region_isolate(parcel->region, root, &parcel->handle, NULL) == OURO_OK);
}

static void a_region_is_the_threads_that_is_in_it(void **state)
{
    (void)state;
    struct parcel parcel = {.region = region_new(), .nodes = NODES};
    enter(parcel.region);
    struct node *root = random_graph(NODES, kit_seed(4));
    ouro_region_leave(parcel.region);
    assert_int_equal(ouro_region_isolate(parcel.region, root, &parcel.handle, NULL), OURO_OK);
    kit_elsewhere(work_on, &parcel);
    kit_elsewhere(work_on, &parcel);
    root = ouro_extract(parcel.handle);
    check_mine(root, parcel.nodes);
    ouro_decref(root);
    ouro_collect(NULL);
}

static void drop_handle(void *handle)
{
    ouro_isolated_drop(handle);
}

static void any_thread_may_drop_a_region(void **state)
{
    (void)state;
    struct ouro_region *region = region_new();
    enter(region);
    struct hooked *root = hooked_new(1);
    root->a = hooked_new(2);
    ouro_region_leave(region);
    struct ouro_isolated *handle = NULL;
    assert_int_equal(ouro_region_isolate(region, root, &handle, NULL), OURO_OK);
    kit_elsewhere(drop_handle, handle);
    assert_int_equal(ouro__load(&kit_destroyed), 2);
}

static void try_to_enter(void *arg)
{
    struct ouro_region *region = arg;
    struct ouro_isolated *handle;
    int none = 0;
    KIT_CHECK(ouro_region_enter(region) == OURO_BUSY);
    KIT_CHECK(ouro_region_end(region) == OURO_BUSY);
    KIT_CHECK(ouro_region_isolate(region, &none, &handle, NULL) == OURO_BUSY);
    KIT_CHECK(ouro_region_isolate_unchecked(region, &none, &handle) == OURO_BUSY);
    KIT_CHECK(ouro_region_current() == NULL);
}

static void one_thread_at_a_time_is_in_a_region(void **state)
{
    (void)state;
    struct ouro_region *region = region_new();
    enter(region);
    kit_elsewhere(try_to_enter, region);
    ouro_region_leave(region);
    assert_int_equal(ouro_region_end(region), OURO_OK);
}

static void end_inside(void *arg)
{
    struct parcel *parcel = arg;
    struct ouro_region *other = region_new();
    enter(other);
    enter(parcel->region);
    parcel->root = node_new(5);
    parcel->nodes = 1;
    parcel->handle = (void *)other;
}

static void a_thread_that_ends_in_a_region_leaves_it(void **state)
{
    (void)state;
    struct parcel parcel = {.region = region_new()};
    kit_elsewhere(end_inside, &parcel);
    assert_int_equal(ouro_region_end((void *)parcel.handle), OURO_OK); /* the other */
    enter(parcel.region);
    check_mine(parcel.root, 1);
    ouro_region_leave(parcel.region);
    drop(parcel.region, parcel.root);
}

#if OTHERS_COUNT
static void what_others_drop_of_a_region_is_settled_in_it(void **state)
{
    (void)state;
    for (unsigned inside = 0; inside < 2; inside++) {
        struct ouro_region *region = region_new();
        enter(region);
        struct node *root = random_graph(NODES, kit_seed(4)), *stray = root->a->a;
        ouro_incref(stray);
        struct hooked *dead = hooked_new(1);
        if (!inside)
            ouro_region_leave(region);
        kit_elsewhere(kit_decref, stray);
        kit_elsewhere(kit_decref, dead);
        if (inside)
            ouro_region_leave(region);
        assert_int_equal(ouro__load(&kit_destroyed), inside + 1);
        drop(region, root);
    }
}

/* Cells that others freed do not come back into pages that are gone. */
static void what_others_free_of_a_region_is_home_before_it_goes(void **state)
{
    (void)state;
    struct kit_other *other = kit_other_start();
    for (unsigned round = 0; round < 20; round++) {
        struct ouro_region *region = region_new();
        enter(region);
        struct node *root = random_graph(NODES, 1);
        struct node *dead[10]; /* plain: their pages go */
        for (size_t i = 0; i < OURO_COUNT_OF(dead); i++)
            dead[i] = node_new((int64_t)i);
        ouro_region_leave(region);
        for (size_t i = 0; i < OURO_COUNT_OF(dead); i++)
            kit_other_do(other, kit_decref, dead[i]);
        drop(region, root);
        root = random_graph(NODES, 2); /* where the region was */
        kit_other_do(other, kit_poll, NULL);
        check_mine(root, NODES);
        ouro_check_heap();
        ouro_decref(root);
        ouro_collect(NULL);
    }
    kit_other_end(other);
}

/* -- a thread that ends in a hook ------------------------------------------------------------- */

static void end_here(struct hooked *dying)
{
    if (dying->id == 1)
        pthread_exit(NULL);
}

static void *end_in_a_hook(void *arg)
{
    struct parcel *parcel = arg;
    enter(parcel->region);
    parcel->handle = (void *)hooked_new(2); /* lives on */
    kit_on_destroy = end_here;
    ouro_decref(hooked_new(1));
    return NULL;
}

static void a_thread_that_ends_in_a_hook_leaves_the_region_whole(void **state)
{
    (void)state;
    struct parcel parcel = {.region = region_new()};
    end_of(start(end_in_a_hook, &parcel));
    kit_on_destroy = NULL;
    struct hooked *root = (void *)parcel.handle;
    size_t before = ouro__load(&kit_destroyed);
    enter(parcel.region);
    ouro_decref(hooked_new(3));
    assert_int_equal(ouro__load(&kit_destroyed), before + 1);
    ouro_region_leave(parcel.region);
    drop(parcel.region, root);
    assert_int_equal(ouro__load(&kit_destroyed), before + 2);
}

/* -- all at once ------------------------------------------------------------------------------- */

static struct place_in_store {
    struct ouro_region *region;
    struct node *root;
    ouro_word strays; /* references that somebody outside has yet to drop */
} store[REGIONS];
static struct stray {
    struct node *node;
    struct place_in_store *of;
} strays[64];
static size_t store_count, stray_count;
static struct place_in_store *free_places[REGIONS];
static pthread_mutex_t store_lock = PTHREAD_MUTEX_INITIALIZER;

static bool take_from_store(struct place_in_store **place)
{
    pthread_mutex_lock(&store_lock);
    bool any = store_count > 0;
    if (any)
        *place = free_places[--store_count];
    pthread_mutex_unlock(&store_lock);
    return any;
}
static void put_into_store(struct place_in_store *place)
{
    pthread_mutex_lock(&store_lock);
    free_places[store_count++] = place;
    pthread_mutex_unlock(&store_lock);
}

static void leave_stray(struct place_in_store *place, struct node *node)
{
    pthread_mutex_lock(&store_lock);
    bool room = stray_count < OURO_COUNT_OF(strays);
    if (room) {
        ouro_incref(node);
        ouro__fetch_add_full(&place->strays, 1);
        strays[stray_count++] = (struct stray){node, place};
    }
    pthread_mutex_unlock(&store_lock);
}

static void drop_a_stray(void)
{
    struct stray stray = {NULL, NULL};
    pthread_mutex_lock(&store_lock);
    if (stray_count > 0)
        stray = strays[--stray_count];
    pthread_mutex_unlock(&store_lock);
    if (!stray.node)
        return;
    ouro_decref(stray.node);
    ouro__fetch_add_full(&stray.of->strays, (ouro_word)-1);
}

static void build(struct place_in_store *place, uint64_t *random)
{
    place->region = region_new();
    enter(place->region);
    place->root = random_graph(10 + kit_random(random) % 40, kit_random(random));
    ouro_region_leave(place->region);
}

/* In the region. */
static void change(struct place_in_store *place, uint64_t *random)
{
    struct node *at = place->root;
    for (unsigned steps = kit_random(random) % 8; steps > 0 && at->a; steps--)
        at = at->a;
    switch (kit_random(random) % 4) {
    case 0: {
        struct node *fresh = node_new(1);
        fresh->a = place->root;
        place->root = fresh;
        break;
    }
    case 1:
        ouro_incref(place->root);
        ouro_slot_store(at, (void **)&at->b, place->root); /* a cycle */
        break;
    case 2:
        leave_stray(place, at);
        break;
    default:
        ouro_slot_store(at, (void **)&at->b, NULL);
    }
    if (kit_random(random) % 8 == 0)
        ouro_collect(NULL);
}

/* Isolated, handed on to itself, or dropped. */
static void send(struct place_in_store *place, uint64_t *random)
{
    struct ouro_isolated *handle;
    struct ouro_escape why;
    bool alone = ouro__load_acquire(&place->strays) == 0;
    ouro_status status = ouro_region_isolate(place->region, place->root, &handle, &why);
    KIT_CHECK(status == OURO_OK || (!alone && status == OURO_NOT_ISOLATED) || status == OURO_BUSY);
    if (status != OURO_OK)
        return;
    void *root;
    switch (kit_random(random) % 3) {
    case 0:
        place->region = ouro_region_extract(handle, &root);
        KIT_CHECK(root == place->root);
        return;
    case 1:
        ouro_isolated_drop(handle);
        break;
    default:
        root = ouro_extract(handle);
        if (root)
            ouro_decref(root);
        else
            ouro_isolated_drop(handle);
    }
    build(place, random);
}

static void *storm(void *arg)
{
    uint64_t random = (uintptr_t)arg;
    for (unsigned i = 0; i < (ouro__on_valgrind() ? 30 : OURO_TSAN ? 400 : 3000); i++) {
        struct place_in_store *place;
        if (kit_random(&random) % 3 == 0)
            drop_a_stray();
        if (!take_from_store(&place))
            continue;
        enter(place->region);
        for (unsigned n = kit_random(&random) % 6; n > 0; n--)
            change(place, &random);
        ouro_region_leave(place->region);
        if (kit_random(&random) % 4 == 0)
            send(place, &random);
        put_into_store(place);
    }
    return NULL;
}

static void regions_wander_while_others_drop_what_is_in_them(void **state)
{
    (void)state;
    uint64_t seed = kit_seed(11);
    for (size_t i = 0; i < REGIONS; i++) {
        build(&store[i], &seed);
        put_into_store(&store[i]);
    }
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        threads[i] = start(storm, (void *)(uintptr_t)(kit_random(&seed) | 1));
    for (size_t i = 0; i < THREADS; i++)
        end_of(threads[i]);
    while (stray_count > 0)
        drop_a_stray();
    for (size_t i = 0; i < REGIONS && !KIT_ATOMIC; i++)
        drop(store[i].region, store[i].root);
    /* What is counted atomically is the candidate of whoever dropped it, in another region even. */
    for (size_t i = 0; i < REGIONS && KIT_ATOMIC; i++)
        assert_int_equal(ouro_region_end(store[i].region), OURO_OK);
    for (size_t i = 0; i < REGIONS && KIT_ATOMIC; i++)
        ouro_decref(store[i].root);
    (void)kit_alone();
    ouro_collect(NULL);
    store_count = 0;
}
#endif

/* -- forks ------------------------------------------------------------------------------------- */

static void enter_it(void *region)
{
    enter(region);
}
static void leave_it(void *region)
{
    ouro_region_leave(region);
}

static void *enter_it_anew(void *region)
{
    return (void *)(intptr_t)ouro_region_enter(region);
}

/* The child's thread may have the address of the one that is not there. */
static void no_thread_of_a_child_enters_what_was_taken(void **state)
{
    (void)state;
    if (OURO_TSAN || OURO_EMULATED || ouro__on_valgrind())
        skip(); /* they know no threads, nor locks, of such children */
    struct ouro_region *taken = region_new();
    struct kit_other *other = kit_other_start();
    kit_other_do(other, enter_it, taken);
    pid_t child = kit_fork();
    if (child == 0)
        kit_child_ends((int)(intptr_t)end_of(start(enter_it_anew, taken)));
    assert_int_equal(kit_wait(child), OURO_BUSY);
    kit_other_do(other, leave_it, taken);
    kit_other_end(other);
    assert_int_equal(ouro_region_end(taken), OURO_OK);
}

static void a_child_ends_runtimes_whose_regions_have_ended(void **state)
{
    (void)state;
    struct ouro_runtime *runtime;
    if (OURO_TSAN || ouro__on_valgrind())
        skip(); /* they take locks that a child has set anew for locked ones */
    assert_int_equal(ouro_runtime_new(NULL, &runtime), OURO_OK);
    assert_int_equal(ouro_runtime_enter(runtime), OURO_OK);
    assert_int_equal(ouro_region_end(region_new()), OURO_OK);
    ouro_runtime_leave(runtime);
    pid_t child = kit_fork();
    if (child == 0)
        kit_child_ends(ouro_runtime_destroy(runtime, NULL) == OURO_OK ? 7 : 1);
    assert_int_equal(kit_wait(child), 7);
    assert_int_equal(ouro_runtime_destroy(runtime, NULL), OURO_OK);
}

static void a_child_has_the_regions_that_no_other_thread_was_in(void **state)
{
    (void)state;
    struct ouro_region *outer = region_new(), *inner = region_new(), *away = region_new(),
                       *taken = region_new();
    struct kit_other *other = kit_other_start();
    kit_other_do(other, enter_it, taken);
    struct node *outside = node_new(1);
    enter(away);
    struct node *c = node_new(4);
    ouro_region_leave(away);
    enter(outer);
    struct node *a = node_new(2);
    enter(inner);
    struct node *b = node_new(3);
    pid_t child = kit_fork();
    if (child == 0) {
        check_mine(b, 1);
        ouro_decref(b);
        ouro_region_leave(inner);
        check_mine(a, 1);
        ouro_region_leave(outer);
        check_mine(outside, 1);
        enter(away); /* nobody was in it */
        check_mine(c, 1);
        ouro_decref(c);
        ouro_region_leave(away);
        bool right = ouro_region_enter(taken) == OURO_BUSY && ouro_region_end(taken) == OURO_BUSY &&
                     ouro_region_end(inner) == OURO_OK && ouro_region_end(away) == OURO_OK;
        struct ouro_isolated *handle;
        right = right && ouro_region_isolate(outer, a, &handle, NULL) == OURO_OK;
        if (right)
            ouro_isolated_drop(handle);
        ouro_decref(outside);
        kit_child_ends(right ? 7 : 1);
    }
    assert_int_equal(kit_wait(child), 7);
    ouro_region_leave(inner);
    ouro_region_leave(outer);
    ouro_decref(outside);
    drop(outer, a);
    drop(inner, b);
    drop(away, c);
    kit_other_do(other, leave_it, taken);
    kit_other_end(other);
    assert_int_equal(ouro_region_end(taken), OURO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_region_is_the_threads_that_is_in_it),
        kit_test(any_thread_may_drop_a_region),
        kit_test(one_thread_at_a_time_is_in_a_region),
        kit_test(a_thread_that_ends_in_a_region_leaves_it),
#if OTHERS_COUNT
        kit_test(what_others_drop_of_a_region_is_settled_in_it),
        kit_test(what_others_free_of_a_region_is_home_before_it_goes),
        kit_test(a_thread_that_ends_in_a_hook_leaves_the_region_whole),
        kit_test(regions_wander_while_others_drop_what_is_in_them),
#endif
        kit_test(no_thread_of_a_child_enters_what_was_taken),
        kit_test(a_child_ends_runtimes_whose_regions_have_ended),
        kit_test(a_child_has_the_regions_that_no_other_thread_was_in),
    };
    return kit_run(tests);
}
