/* SPDX-License-Identifier: MIT */
/* Reuse of cells by those who take the contents. White-box: looks at the header of a cell. */
#include "orc_kit.h"
#include "orc/state.h"

#include <pthread.h>

/* Blocks of objects; in the checked library, which keeps those of dead ones for a while, objects.
 * None where the supply gives single blocks, which have no pages. */
static size_t live(void)
{
    if (OURO_CHECKED)
        return heapcheck_alive();
    struct ouro_stats s;
    ouro_stats_get(&s);
    return s.counted.blocks;
}

static void a_unique_object_yields_cell_and_contents(void **state)
{
    (void)state;
    struct hooked *h = hooked_new(1), *child = hooked_new(2);
    h->a = child;
    ouro_reuse token = ouro_take_reuse(h, &hooked_type);
    if (OURO_CHECKED) { /* never yields one, and then nothing has changed */
        assert_null(token.cell);
        assert_int_equal(ouro_count(h), 1);
        h->a = NULL;
        ouro_decref(h);
        ouro_decref(child);
        return;
    }
    assert_ptr_equal(token.cell, h);
    assert_ptr_equal(h->a, child); /* still to be read */
    assert_int_equal(ouro_count(child), 1);
    assert_int_equal(ouro_check_heap() > 0, heapcheck_can_walk()); /* walks pass over the cell */
    struct hooked *next = ouro_new_reuse(token, &hooked_type, sizeof *next);
    assert_ptr_equal(next, h);
    assert_int_equal(ouro_count(next), 1);
    *next = (struct hooked){child, NULL, 3};
    assert_int_equal(kit_destroyed, 0);
    ouro_decref(next); /* an object like any other, with a hook of its own */
    assert_int_equal(kit_destroyed, 2);
}

static void a_cell_may_be_given_back(void **state)
{
    (void)state;
    size_t before = live();
    struct leaf *l = leaf_new(1);
    ouro_reuse token = ouro_take_reuse(l, &leaf_type);
    ouro_reuse_free(token);
    if (token.cell == NULL)
        ouro_decref(l);
    assert_int_equal(live(), before);
    assert_int_equal(kit_destroyed, OURO_CHECKED); /* the contents were the caller's */
}

static void refuses(void *object, const struct ouro_type *type)
{
    int64_t count = ouro_count(object);
    assert_null(ouro_take_reuse(object, type).cell);
    assert_int_equal(ouro_count(object), count);
}

static void a_shared_object_yields_nothing_and_is_unchanged(void **state)
{
    (void)state;
    struct node *n = node_new(1);
    ouro_incref(n);
    refuses(n, &node_type);
    ouro_decref(n);
    struct ouro_weak *weak = ouro_weak_new(n);
    refuses(n, &node_type);
    ouro_weak_decref(weak);
    ouro_decref(n);
    static struct leaf *volatile immortal; /* so that no tool calls it leaked */
    immortal = leaf_new(2);
    ouro_make_immortal(immortal);
    assert_null(ouro_take_reuse(immortal, &leaf_type).cell);
    assert_null(ouro_take_reuse(immortal, &leaf_type).cell);
}

/* A candidate for the collector is one no more. */
static void a_candidate_is_forgotten(void **state)
{
    (void)state;
    ouro_collect(NULL);
    struct node *n = node_new(1);
    ouro_incref(n);
    ouro_decref(n);
    assert_int_equal(ouro_candidates(), 1);
    ouro_reuse token = ouro_take_reuse(n, &node_type);
    if (token.cell != NULL) {
        assert_int_equal(ouro_candidates(), 0);
        n = ouro_new_reuse(token, &node_type, sizeof *n);
        *n = (struct node){NULL, NULL, 2};
    }
    assert_int_equal(ouro_collect(NULL), 0);
    ouro_decref(n);
}

static void the_type_that_is_passed_is_a_hint(void **state)
{
    (void)state;
    size_t before = live();
    struct hooked *h = hooked_new(1);
    ouro_reuse token = ouro_take_reuse(h, &node_type);
    if (token.cell == NULL) {
        ouro_decref(h);
        return;
    }
    assert_ptr_equal(token.cell, h);
    struct node *n = ouro_new_reuse(token, &node_type, sizeof *n); /* of the same size */
    assert_ptr_equal(n, h);
    assert_ptr_equal(ouro_type_of(n), &node_type);
    *n = (struct node){NULL, NULL, 1};
    token = ouro_take_reuse(n, &node_type);
    struct leaf *l = ouro_new_reuse(token, &leaf_type, sizeof *l); /* smaller: does not fit */
    assert_ptr_equal(ouro_type_of(l), &leaf_type);
    assert_int_equal(live(), before + heapcheck_can_walk());
    ouro_decref(l);
    assert_int_equal(kit_destroyed, 1);
}

/* Cells of every kind of type, into objects of every kind. */
static void cells_of_any_type_go_to_any_type(void **state)
{
    (void)state;
    static struct ouro_type sizes[] = {
        {.size = 1, .name = "1", .flags = OURO_ACYCLIC},
        {.size = 16, .name = "16"},
        {.size = 30, .name = "30", .flags = OURO_ACYCLIC},
        {.size = 500, .name = "500", .flags = OURO_ACYCLIC},
        {.size = 20000, .name = "20000", .flags = OURO_ACYCLIC},
        {.size = 100, .align = 256, .name = "aligned", .flags = OURO_ACYCLIC},
        {.size = 24, .name = "prompt", .flags = OURO_ACYCLIC | OURO_PROMPT},
    };
    size_t n = OURO_COUNT_OF(sizes), before = live();
    for (size_t i = 0; i < n * n * 3; i++) {
        struct ouro_type *from = &sizes[i / n % n], *to = &sizes[i % n];
        size_t tail = i / n / n * 20000; /* some have one */
        void *object = ouro_new(from, from->size + tail);
        ouro_reuse token = ouro_take_reuse(object, from);
        if (token.cell == NULL)
            ouro_decref(object);
        object = ouro_new_reuse(token, to, to->size);
        memset(object, 0xAB, to->size);
        assert_ptr_equal(ouro_type_of(object), to);
        ouro_decref(object);
    }
    assert_int_equal(live(), before);
}

/* The drop that does without the general destroy drops the same. */
static void a_dropped_cell_has_let_go_of_all(void **state)
{
    (void)state;
    struct pair {
        struct leaf *plain;
        uint64_t word, number;
    };
    static const struct ouro_filter tagged = OURO_FILTER_TAG(7, 1);
    static const struct ouro_field fields[] = {
        OURO_REF(struct pair, plain, &leaf_type),
        OURO_FILTERED(struct pair, word, &tagged, &leaf_type),
        OURO_FILTERED(struct pair, number, &tagged, &leaf_type),
    };
    static struct ouro_type pair_type = OURO_TYPE(struct pair, fields);
    struct leaf *kept = leaf_new(1);
    for (uint64_t i = 0; i < 4; i++) {
        struct pair *p = OURO_NEW(struct pair, &pair_type);
        struct leaf *leaf = i & 2 ? kept : leaf_new(2);
        if (i & 2)
            ouro_incref(kept);
        p->plain = i & 1 ? leaf : NULL;
        p->word = i & 1 ? 0 : ouro_filter_word(&tagged, 1, leaf);
        p->number = 42 << 3;
        ouro_reuse_free(ouro_drop_reuse(p));
        assert_int_equal(ouro_count(kept), 1);
    }
    assert_int_equal(kit_destroyed, 2);
    ouro_decref(kept);
}

/* -- trees that share ------------------------------------------------------------------------- */

static struct node *put(struct node *n, int64_t id)
{
    struct node old = {NULL, NULL, id};
    ouro_reuse token = {NULL};
    if (n != NULL) {
        old = *n;
        token = ouro_take_reuse(n, &node_type);
        if (token.cell == NULL) {
            ouro_incref(old.a);
            ouro_incref(old.b);
            ouro_decref(n);
        }
    }
    if (id < old.id)
        old.a = put(old.a, id);
    else if (id > old.id)
        old.b = put(old.b, id);
    n = ouro_new_reuse(token, &node_type, sizeof *n);
    assert_non_null(n);
    *n = old;
    return n;
}

static bool has(const struct node *n, int64_t id)
{
    while (n != NULL && n->id != id)
        n = id < n->id ? n->a : n->b;
    return n != NULL;
}

/* Functional insertion with versions that are kept: each has what was in it, and all goes. */
static void versions_of_a_tree_stay_as_they_were(void **state)
{
    (void)state;
    enum { IDS = 64, VERSIONS = 8 };
    uint64_t seed = kit_seed(31);
    for (size_t round = 0; round < kit_scaled(200); round++) {
        struct node *version[VERSIONS] = {NULL}, *tree = NULL;
        bool in[VERSIONS][IDS] = {{false}}, now[IDS] = {false};
        for (int i = 0; i < 200; i++) {
            int64_t id = (int64_t)(kit_random(&seed) % IDS);
            tree = put(tree, id);
            now[id] = true;
            if (kit_random(&seed) % 8 != 0)
                continue;
            size_t v = kit_random(&seed) % VERSIONS;
            ouro_incref(tree);
            ouro_decref(version[v]);
            version[v] = tree;
            memcpy(in[v], now, sizeof now);
        }
        for (int v = 0; v < VERSIONS; v++)
            for (int64_t id = 0; version[v] != NULL && id < IDS; id++)
                assert_int_equal(has(version[v], id), in[v][id]);
        ouro_decref(tree);
        for (int v = 0; v < VERSIONS; v++)
            ouro_decref(version[v]);
    }
    ouro_collect(NULL); /* kit_teardown: nothing is alive */
}

/* -- threads ----------------------------------------------------------------------------------- */

struct shared {
    struct node *node;
    bool yielded;
};

static void take_elsewhere(void *arg)
{
    struct shared *s = arg;
    s->yielded = ouro_take_reuse(s->node, &node_type).cell != NULL;
}

static void another_thread_is_refused(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_RC == OURO_RC_LOCAL || OURO_RC == OURO_RC_ATOMIC)
        skip(); /* a local object is this thread's; an atomic one has no owner */
    struct shared s = {node_new(1), true};
    kit_elsewhere(take_elsewhere, &s);
    assert_false(s.yielded);
    assert_int_equal(ouro_count(s.node), 1);
    ouro_decref(s.node);
}

static pthread_key_t at_end;
static int turns;
static struct node *left;

static void make_one(void *arg)
{
    *(struct node **)arg = node_new(5);
}

/* Another thread, which may have got this one's token by now, has an object. */
static void ask_for_what_another_owns(void)
{
    struct node *theirs = NULL;
    struct kit_other *other = kit_other_start();
    kit_other_do(other, make_one, &theirs);
    ouro_reuse token = ouro_take_reuse(theirs, &node_type);
    KIT_CHECK(token.cell == NULL || KIT_ATOMIC);
    if (token.cell == NULL)
        kit_other_do(other, kit_decref, theirs);
    else
        ouro_reuse_free(token);
    kit_other_end(other);
}

/* Later turns run when Ouro has let go of the thread: its token may be another's by now, and births
 * are refused. */
static void reuse_until_the_end(void *arg)
{
    struct node *n = arg;
    ask_for_what_another_owns();
    ouro_reuse token = ouro_take_reuse(n, &node_type);
    if (token.cell != NULL) {
        n = ouro_new_reuse(token, &node_type, sizeof *n);
        if (n != NULL)
            *n = (struct node){NULL, NULL, 1};
    }
    left = n;
    turns++;
    pthread_setspecific(at_end, n);
}
static void use_until_the_end(void *arg)
{
    (void)arg;
    pthread_setspecific(at_end, node_new(1));
}

static void a_thread_that_ends_may_still_reuse(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_RC == OURO_RC_LOCAL)
        skip();
    if (OURO_TSAN)
        skip(); /* which sees no more of a thread than its own end */
    turns = 0;
    assert_int_equal(pthread_key_create(&at_end, reuse_until_the_end), 0);
    kit_elsewhere(use_until_the_end, NULL);
    assert_true(turns > 0);
    assert_int_equal(pthread_key_delete(at_end), 0);
    ouro_check_heap();
    assert_int_equal(ouro_count(left), 1);
    ouro_decref(left);
}

/* -- misuse and exhaustion --------------------------------------------------------------------- */

static void take_a_dead_one(void *arg)
{
    ouro_decref(arg);
    ouro_take_reuse(arg, &leaf_type);
}

static void a_dead_object_is_named(void **state)
{
    (void)state;
    struct leaf *l = leaf_new(1);
    /* On libc's blocks ASan ends the child (-2) at the inlined look at the header of a freed
     * block. */
    bool tool = OURO_ASAN && !OURO_CHECKED && ouro_supply_get()->block != NULL;
    assert_int_equal(kit_failure_of(take_a_dead_one, l), tool ? -2 : OURO_FAIL_USE_AFTER_FREE);
    ouro_decref(l);
}

static void a_cell_needs_no_memory(void **state)
{
    (void)state;
    struct node *n = node_new(1);
    ouro_fail_nth_alloc(1, true);
    ouro_reuse token = ouro_take_reuse(n, &node_type);
    struct node *next = ouro_new_reuse(token, &node_type, sizeof *next);
    ouro_fail_nth_alloc(0, false);
    if (token.cell == NULL) { /* the checked library: no memory, no object */
        assert_null(next);
        ouro_decref(n);
        return;
    }
    assert_ptr_equal(next, n);
    *next = (struct node){NULL, NULL, 1};
    ouro_decref(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_unique_object_yields_cell_and_contents),
        kit_test(a_cell_may_be_given_back),
        kit_test(a_shared_object_yields_nothing_and_is_unchanged),
        kit_test(a_candidate_is_forgotten),
        kit_test(the_type_that_is_passed_is_a_hint),
        kit_test(cells_of_any_type_go_to_any_type),
        kit_test(a_dropped_cell_has_let_go_of_all),
        kit_test(versions_of_a_tree_stay_as_they_were),
        kit_test(another_thread_is_refused),
        kit_test(a_thread_that_ends_may_still_reuse),
        kit_test(a_dead_object_is_named),
        kit_test(a_cell_needs_no_memory),
    };
    return kit_run(tests);
}
