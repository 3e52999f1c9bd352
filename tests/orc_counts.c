/* SPDX-License-Identifier: MIT */
/* Counts: increments, decrements, questions, immortality, saturation, misuse. White-box: looks at
 * headers, and sets counts near their ends. */
#include "orc_kit.h"

#include <string.h>

static void null_is_ignored(void **state)
{
    (void)state;
    ouro_incref(NULL);
    ouro_decref(NULL);
    ouro_decref_acyclic(NULL);
    ouro_incref_local(NULL);
    ouro_decref_local(NULL);
    ouro_decref_acyclic_local(NULL);
    ouro_incref_biased(NULL);
    ouro_decref_biased(NULL);
    ouro_decref_acyclic_biased(NULL);
    ouro_incref_atomic(NULL);
    ouro_decref_atomic(NULL);
    ouro_decref_acyclic_atomic(NULL);
    ouro_decref_later(NULL);
    assert_null(ouro_type_of(NULL));
    assert_null(ouro_drop_reuse(NULL).cell);
    ouro_reuse_free((ouro_reuse){NULL});
}

static void last_decref_destroys_once(void **state)
{
    (void)state;
    struct hooked *h = hooked_new(1);
    struct leaf *l = leaf_new(2);
    for (int64_t n = 2; n <= 1000; n++) {
        ouro_incref(h);
        ouro_incref(l);
        assert_int_equal(ouro_count(h), n);
        assert_int_equal(ouro_count(l), n);
    }
    for (int64_t n = 999; n >= 1; n--) {
        ouro_decref(h);
        n % 2 ? ouro_decref(l) : ouro_decref_acyclic(l);
        assert_int_equal(ouro_count(h), n);
        assert_int_equal(ouro_count(l), n);
        assert_int_equal(kit_destroyed, 0);
    }
    ouro_decref(h);
    assert_int_equal(kit_destroyed, 1);
    ouro_decref_acyclic(l);
    assert_int_equal(kit_destroyed, 2);
}

static void a_new_object_is_zeroed_and_typed(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct node *n = OURO_NEW(struct node, &node_type);
        assert_ptr_equal(ouro_type_of(n), &node_type);
        assert_null(n->a);
        assert_null(n->b);
        assert_int_equal(n->id, 0);
        assert_int_equal((uintptr_t)n & 15, 0);
        n->id = -1;
        ouro_decref(n);
    }
}

static void unique_means_one_reference(void **state)
{
    (void)state;
    struct node *n = node_new(1);
    struct leaf *l = leaf_new(1);
    assert_true(ouro_is_unique(n));
    assert_true(ouro_is_unique(l));
    for (int i = 0; i < 3; i++) {
        ouro_incref(n);
        ouro_incref(l);
        assert_false(ouro_is_unique(n));
        assert_false(ouro_is_unique(l));
        ouro_decref(n);
        ouro_decref(l);
        assert_true(ouro_is_unique(l));
        assert_true(ouro_is_unique(n)); /* although it is a candidate now */
    }
    struct ouro_weak *weak = ouro_weak_new(l);
    assert_false(ouro_is_unique(l));
    ouro_weak_decref(weak);
    ouro_decref(n);
    ouro_decref(l);
}

/* Each pair of functions, on objects that were born in each mode, on the thread that made them. */
static void every_mode_counts_what_any_mode_made(void **state)
{
    (void)state;
    static void *(*const births[])(struct ouro_type *, size_t) = {
        ouro_new_local,        ouro_new_biased,        ouro_new_atomic,
        ouro_new_uninit_local, ouro_new_uninit_biased, ouro_new_uninit_atomic};
    static void (*const increfs[])(void *) = {ouro_incref_local, ouro_incref_biased,
                                              ouro_incref_atomic};
    static void (*const decrefs[])(void *) = {
        ouro_decref_local,         ouro_decref_biased,         ouro_decref_atomic,
        ouro_decref_acyclic_local, ouro_decref_acyclic_biased, ouro_decref_acyclic_atomic};
    static struct ouro_type prompt_type;
    prompt_type.size = sizeof(struct leaf);
    prompt_type.name = "prompt";
    prompt_type.flags = OURO_ACYCLIC | OURO_PROMPT;
    prompt_type.hooks = leaf_type.hooks;
    struct ouro_type *types[] = {&leaf_type, &prompt_type, &hooked_type};
    size_t expected = 0;
    for (size_t t = 0; t < 3; t++) {
        for (size_t b = 0; b < 6; b++) {
            for (size_t i = 0; i < 3; i++) {
                for (size_t d = 0; d < (t == 2 ? 3 : 6); d++) {
                    void *object = births[b](types[t], types[t]->size);
                    memset(object, 0, types[t]->size);
                    increfs[i](object);
                    assert_int_equal(ouro_count(object), 2);
                    decrefs[d](object);
                    assert_int_equal(ouro_count(object), 1);
                    assert_int_equal(kit_destroyed, expected);
                    decrefs[d](object);
                    assert_int_equal(kit_destroyed, ++expected);
                }
            }
        }
    }
}

static void prompt_objects_die_at_the_last_drop(void **state)
{
    (void)state;
    static const struct ouro_field fields[] = {
        OURO_REF(struct hooked, a, NULL),
        OURO_REF(struct hooked, b, NULL),
    };
    static struct ouro_type type = {.size = sizeof(struct hooked),
                                    .name = "prompt with references",
                                    .flags = OURO_PROMPT,
                                    .fields = fields,
                                    .field_count = 2};
    for (int i = 0; i < 3; i++) {
        struct hooked *p = OURO_NEW(struct hooked, &type);
        assert_int_equal(ouro_count(p), 1);
        p->a = hooked_new(1);
        ouro_incref(p);
        ouro_decref(p);
        assert_int_equal(ouro_count(p), 1);
        ouro_decref(p);
        assert_int_equal(kit_destroyed, i + 1);
    }
}

/* -- immortal objects -------------------------------------------------------------------------- */

static void made_immortal_it_never_dies(void **state)
{
    (void)state;
    static struct hooked *volatile kept[4]; /* so that no tool calls them leaked */
    for (int i = 0; i < 4; i++) {
        struct hooked *h = kept[i] = hooked_new(i);
        h->a = hooked_new(10 + i);
        if (i & 1) { /* a candidate already */
            ouro_incref(h);
            ouro_decref(h);
        }
        if (i & 2) {
            h->b = h;
            ouro_incref(h);
        }
        ouro_make_immortal(h);
        struct ouro_header before = *ouro__header(h);
        for (int k = 0; k < 10; k++)
            ouro_decref(h);
        ouro_incref(h);
        ouro_collect(NULL);
        assert_int_equal(kit_destroyed, 0);
        assert_int_equal(h->id, i);
        assert_ptr_equal(ouro_type_of(h), &hooked_type);
        assert_false(ouro_is_unique(h));
        assert_int_equal(before.local, ouro__header(h)->local);
        ouro_slot_store(h, (void **)&h->a, NULL);
        assert_int_equal(kit_destroyed, 1);
        kit_destroyed = 0;
    }
}

static const struct {
    struct ouro_header header;
    struct node node;
} origin = {OURO_IMMORTAL_HEADER, {NULL, NULL, 7}}; /* in .rodata: a write to it crashes */

static void static_const_objects_are_never_written(void **state)
{
    (void)state;
    struct node *o = (struct node *)(uintptr_t)&origin.node;
    static void (*const counts[])(void *) = {
        ouro_incref_local,  ouro_decref_local,  ouro_decref_acyclic_local,
        ouro_incref_biased, ouro_decref_biased, ouro_decref_acyclic_biased,
        ouro_incref_atomic, ouro_decref_atomic, ouro_decref_acyclic_atomic,
        ouro__incref_out,   ouro__decref_out,   ouro_decref_later};
    for (size_t i = 0; i < OURO_COUNT_OF(counts); i++) {
        counts[i](o);
        counts[i](o);
    }
    assert_false(ouro_is_unique(o));
    assert_null(ouro_drop_reuse(o).cell);
    ouro_make_immortal(o);
    struct ouro_weak *weak = ouro_weak_new(o);
    assert_ptr_equal(ouro_weak_upgrade(weak), o);
    ouro_weak_decref(weak);
    assert_int_equal(ouro_foreign_bytes(o, 100), OURO_OK);
    assert_int_equal(ouro_foreign_bytes(o, 0), OURO_OK);
    struct node *ring = node_new(1);
    ring->a = ring;
    ring->b = o;
    ouro_incref(ring);
    ouro_decref(ring);
    assert_int_equal(ouro_collect(NULL), 1);
    struct node *holder = node_new(2);
    holder->a = o;
    ouro_decref(holder);
    assert_int_equal(o->id, 7);
}

/* -- saturation -------------------------------------------------------------------------------- */

static void overflow_by_one(void *object)
{
    for (int i = 0; i < 3; i++)
        ouro_incref(object);
}

/* White-box: the local word of an object of this thread says n references. */
static void set_local(void *object, int32_t n)
{
    struct ouro_header *h = ouro__header(object);
    ouro__half_store(&h->local, ouro__owned_local(h->shared, n));
}

static void a_full_local_count_goes_over_to_the_shared_one(void **state)
{
    (void)state;
    struct leaf *l = ouro_new_biased(&leaf_type, sizeof(struct leaf));
    const int32_t n = 100000;
    for (int32_t i = 1; i < n; i++) {
        ouro_incref(l);
        KIT_CHECK(ouro_count(l) == i + 1);
    }
    assert_true(ouro__count_of(ouro__header(l)->shared) > 0);
    for (int32_t i = n; i > 1; i--) {
        KIT_CHECK(ouro_count(l) == i && !ouro_is_unique(l));
        ouro_decref(l);
    }
    assert_true(ouro_is_unique(l));
    assert_false(ouro__header(l)->shared & OURO__MERGED); /* still its maker's */
    ouro_decref(l);
    assert_int_equal(kit_destroyed, 1);
}

static void a_local_count_saturates_once_and_says_so(void **state)
{
    (void)state;
    static struct leaf *volatile kept; /* so that no tool calls it leaked */
    struct leaf *l = kept = ouro_new_biased(&leaf_type, sizeof(struct leaf));
    set_local(l, OURO__LOCAL_MOST - 1);
    ouro__fetch_add(&ouro__header(l)->shared, (OURO__COUNT_LIMIT - OURO__LOCAL_PART) * OURO__UNIT);
    const char *said = kit_stderr_of(overflow_by_one, l);
    assert_non_null(strstr(said, "saturated"));
    assert_non_null(strstr(said, "leaf"));
    assert_null(strstr(strstr(said, "saturated") + 1, "saturated"));
    assert_true(ouro__header(l)->shared & OURO__IMMORTAL);
    set_local(l, 2); /* years later */
    for (int i = 0; i < 5; i++)
        ouro_decref(l);
    assert_int_equal(kit_destroyed, 0);
    assert_int_equal(kept->id, 0);
}

static void a_shared_count_saturates_once_and_says_so(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    static struct leaf *volatile kept; /* so that no tool calls it leaked */
    kept = leaf_new_merged(0);
    struct leaf *l = kept;
    ouro_word *shared = &ouro__header(l)->shared;
    *shared += (ouro_word)(OURO__COUNT_LIMIT - 4) << OURO__COUNT_SHIFT;
    const char *said = kit_stderr_of(overflow_by_one, l);
    assert_string_equal(said, "");
    said = kit_stderr_of(overflow_by_one, l);
    assert_non_null(strstr(said, "saturated"));
    assert_null(strstr(strstr(said, "saturated") + 1, "saturated"));
    ouro_word before = *shared;
    for (int i = 0; i < 5; i++) {
        ouro_incref(l);
        ouro_decref(l);
        ouro_decref(l);
    }
    assert_int_equal(*shared, before);
    assert_int_equal(kit_destroyed, 0);
}

/* Many references to one captured object do not overflow the collector's trial count. */
static void the_collector_keeps_what_is_referred_to_very_often(void **state)
{
    (void)state;
    struct node *n = ouro_new_biased(&node_type, sizeof(struct node));
    n->a = n;
    ouro_incref_biased(n);
    ouro_incref_biased(n);
    ouro_decref_biased(n);
    struct ouro_header *h = ouro__header(n);
    const ouro_word many = (OURO__COUNT_LIMIT + 7) * OURO__UNIT;
    set_local(n, OURO__LOCAL_MOST);
    h->shared += many;
    assert_int_equal(ouro_collect(NULL), 0);
    h->shared -= many;
    set_local(n, 2);
    ouro_decref_biased(n);
    assert_int_equal(ouro_collect(NULL), 1);
}

/* -- misuse ------------------------------------------------------------------------------------ */

static void release_twice(void *drop)
{
    void (*decref)(void *) = *(void (**)(void *))drop;
    struct leaf *l = leaf_new(1);
    struct leaf *other = leaf_new(2); /* so that the page stays */
    decref(l);
    decref(l);
    decref(other);
}

static void increment_after_free(void *arg)
{
    (void)arg;
    struct leaf *l = leaf_new(1);
    struct leaf *other = leaf_new(2);
    ouro_decref(l);
    ouro_incref(l);
    ouro_decref(other);
}

static void a_count_on_a_freed_object_is_reported(void **state)
{
    (void)state;
    ouro_decref(leaf_new(0)); /* the heap exists: what follows is known */
    if (!heapcheck_can_walk())
        skip(); /* the memory is libc's by then: the tool that watches says so */
    static void (*drops[])(void *) = {ouro_decref_local,  ouro_decref_acyclic_local,
                                      ouro_decref_biased, ouro_decref_acyclic_biased,
                                      ouro_decref_atomic, ouro_decref_acyclic_atomic,
                                      ouro_decref,        ouro_decref_acyclic,
                                      ouro__decref_out};
    for (size_t i = 0; i < OURO_COUNT_OF(drops); i++)
        assert_int_equal(kit_failure_of(release_twice, &drops[i]), OURO_FAIL_OVER_RELEASE);
    assert_int_equal(kit_failure_of(increment_after_free, NULL), OURO_FAIL_USE_AFTER_FREE);
}

static void drop_a_field_too_often(void *arg)
{
    (void)arg;
    struct node *n = node_new(1), *m = node_new(2);
    n->a = m;
    m->b = m;
    ouro_incref(m);
    ouro_incref(m);
    ouro_incref(n);
    ouro_decref(m);
    ouro_decref(m); /* the reference of m->b, which still stands there */
    ouro_decref(n);
    ouro_collect(NULL);
}

static void the_collector_reports_more_references_than_counts(void **state)
{
    (void)state;
    ouro_decref(leaf_new(0));
    if (KIT_ATOMIC && OURO_TSAN)
        skip(); /* the collector is never alone there */
    assert_int_equal(kit_failure_of(drop_a_field_too_often, NULL), OURO_FAIL_OVER_RELEASE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(null_is_ignored),
        kit_test(last_decref_destroys_once),
        kit_test(a_new_object_is_zeroed_and_typed),
        kit_test(unique_means_one_reference),
        kit_test(every_mode_counts_what_any_mode_made),
        kit_test(prompt_objects_die_at_the_last_drop),
        kit_test(made_immortal_it_never_dies),
        kit_test(static_const_objects_are_never_written),
        kit_test(a_full_local_count_goes_over_to_the_shared_one),
        kit_test(a_local_count_saturates_once_and_says_so),
        kit_test(a_shared_count_saturates_once_and_says_so),
        kit_test(the_collector_keeps_what_is_referred_to_very_often),
        kit_test(a_count_on_a_freed_object_is_reported),
        kit_test(the_collector_reports_more_references_than_counts),
    };
    return kit_run(tests);
}
