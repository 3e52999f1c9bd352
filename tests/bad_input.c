/* SPDX-License-Identifier: MIT */
/* bad_input.c: what docs/errors.md says of wrong arguments, calls out of order and threads that
 * Ouro did not start. White-box: see orc_kit.h. Sizes and alignments of blocks: alloc_blocks.c;
 * foreign pointers: alloc_misuse.c; options: alloc_options.c; descriptors: hooks_refusals.c. */
#include "orc_kit.h"

/* -- NULL -------------------------------------------------------------------------------------- */

static void sequences_refuse_null(void **state)
{
    (void)state;
    ouro_seq seq = {0, NULL};
    void *element = NULL;
    assert_int_equal(ouro_seq_reserve(NULL, &ouro_ref_type, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_reserve(&seq, NULL, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_push(NULL, &ouro_ref_type, &element), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_push(&seq, NULL, &element), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_push(&seq, &ouro_ref_type, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_push(&seq, &ouro_ref_type, &element), OURO_OK);
    assert_int_equal(ouro_seq_pop(NULL, &ouro_ref_type, &element), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_pop(&seq, NULL, &element), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_seq_pop(&seq, &ouro_ref_type, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(seq.len, 1);
    ouro_seq_destroy(&seq, &ouro_ref_type);
}

static void strings_refuse_null(void **state)
{
    (void)state;
    ouro_string s = {0, NULL};
    assert_int_equal(ouro_string_make(NULL, "x", 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_make(&s, NULL, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_append(NULL, "x", 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_append(NULL, NULL, 0), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_append(&s, NULL, 1), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_string_reserve(NULL, 1), OURO_BAD_ARGUMENT);
    assert_true(s.len == 0 && s.payload == NULL);
    assert_int_equal(ouro_string_append(&s, NULL, 0), OURO_OK);
    assert_int_equal(ouro_string_make(&s, NULL, 0), OURO_OK);
    assert_true(s.len == 0 && s.payload == NULL);
}

static ouro_status null_deepcopy(void *fresh, const void *from, const struct ouro_type *type,
                                 struct ouro_memo *memo)
{
    (void)from;
    (void)type;
    assert_int_equal(ouro_deepcopy_ref(NULL, NULL, memo), OURO_BAD_ARGUMENT);
    return ouro_deepcopy_ref(fresh, NULL, NULL);
}

static void value_hooks_refuse_null(void **state)
{
    (void)state;
    void *a = NULL, *b = NULL;
    const struct ouro_type *type = &ouro_ref_type;
    const char *why = NULL;
    assert_int_equal(ouro_dup(NULL, &a, type), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_dup(&b, NULL, type), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_dup(&b, &a, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_copy(NULL, &a, type), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_copy(&b, NULL, type), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_copy(&b, &a, NULL), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_deepcopy_value(NULL, &a, type), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_deepcopy_value(&b, NULL, type), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_deepcopy_value(&b, &a, NULL), OURO_BAD_ARGUMENT);
    assert_null(b);
    static struct ouro_type written = {
        .size = 8, .name = "written", .hooks = {.deepcopy = null_deepcopy}};
    assert_int_equal(ouro_deepcopy_value(&b, &a, &written), OURO_BAD_ARGUMENT);
    assert_int_equal(ouro_type_register(NULL, &why), OURO_BAD_ARGUMENT);
    assert_string_equal(why, "no type");
    assert_int_equal(ouro_type_register(NULL, NULL), OURO_BAD_ARGUMENT);
}

static void what_may_be_null_may_be_null(void **state)
{
    (void)state;
    struct ouro_collection total;
    ouro_decref_later(NULL);
    ouro_weak_incref(NULL);
    ouro_weak_decref(NULL);
    assert_null(ouro_weak_upgrade(NULL));
    assert_null(ouro_weak_new(NULL));
    assert_null(ouro_type_of(NULL));
    ouro_reuse_free((ouro_reuse){NULL});
    ouro_collect_stats(NULL);
    ouro_collect_stats(&total);
    assert_true(ouro_stats_json(NULL, 0) > 0);
    struct leaf *leaf = ouro_new_reuse((ouro_reuse){NULL}, &leaf_type, sizeof *leaf);
    assert_non_null(leaf);
    ouro_decref(leaf);
    struct node *n = node_new(1);
    ouro_slot_store(n, (void **)&n->a, NULL);
    ouro_slot_copy(n, (void **)&n->a, NULL);
    assert_null(ouro_slot_move(n, (void **)&n->a));
    ouro_decref(n);
}

/* -- births ------------------------------------------------------------------------------------ */

static void a_birth_of_a_bad_type_changes_nothing(void **state)
{
    (void)state;
    static struct ouro_type crooked = {.size = 8, .align = 24, .name = "crooked"};
    static struct ouro_type far = {.size = 8, .align = (size_t)1 << 47, .name = "far"};
    static struct ouro_type further = {.size = 8, .align = (size_t)1 << 62, .name = "further"};
    const char *why = NULL;
    assert_null(ouro_new(&crooked, 8));
    if (ouro_supply_get()->block == NULL) /* tools end the process instead */
        assert_null(ouro_new_uninit(&far, 8));
    assert_int_equal(ouro_type_register(&further, &why), OURO_BAD_TYPE);
    assert_string_equal(why, "further: its alignment is larger than any memory");
    assert_null(ouro_new(&further, 8));
}

static void an_object_without_bytes_is_one(void **state)
{
    (void)state;
    static struct ouro_type nothing = {.size = 0, .name = "nothing"};
    void *a = ouro_new(&nothing, 0), *b = ouro_new(&nothing, 0);
    assert_true(a != NULL && b != NULL && a != b);
    ouro_incref(a);
    assert_int_equal(ouro_count(a), 2);
    ouro_decref(a);
    ouro_decref(a);
    ouro_decref(b);
}

/* -- more drops than references ---------------------------------------------------------------- */

static void drop_what_a_slot_holds(void *arg)
{
    (void)arg;
    struct node *n = node_new(1), *held = node_new(2);
    ouro_slot_copy(n, (void **)&n->a, held);
    ouro_decref(held);
    ouro_decref(held); /* n's */
    ouro_decref(n);    /* drops it once more */
}

static void drop_what_a_slot_holds_and_look(void *arg)
{
    (void)arg;
    struct node *n = node_new(1), *held = node_new(2);
    ouro_slot_copy(n, (void **)&n->a, held);
    ouro_decref(held);
    ouro_decref(held);
    (void)ouro_check_heap();
}

static void drop_leaf_twice(void *arg)
{
    (void)arg;
    struct leaf *leaf = leaf_new(1);
    ouro_decref_acyclic(leaf);
    ouro_decref_acyclic(leaf);
}

static void more_drops_than_references_are_named(void **state)
{
    (void)state;
    if (!heapcheck_can_walk())
        skip(); /* each object is a block of libc's: the tool tells */
    assert_int_equal(kit_failure_of(drop_leaf_twice, NULL), OURO_FAIL_OVER_RELEASE);
    assert_int_equal(kit_failure_of(drop_what_a_slot_holds, NULL), OURO_FAIL_OVER_RELEASE);
    assert_int_equal(kit_failure_of(drop_what_a_slot_holds_and_look, NULL),
                     OURO_FAIL_USE_AFTER_FREE);
}

static void drops_of_immortals_do_nothing(void **state)
{
    (void)state;
    static struct leaf *volatile leaf; /* for ever, so that no tool calls it a leak */
    leaf = leaf_new(1);
    ouro_make_immortal(leaf);
    ouro_make_immortal(leaf);
    for (int i = 0; i < 10; i++)
        ouro_decref(leaf);
    assert_false(ouro_is_unique(leaf));
    assert_int_equal(kit_destroyed, 0);
}

/* -- out of order ------------------------------------------------------------------------------ */

static void unpark_and_resume_without_a_beginning_do_nothing(void **state)
{
    (void)state;
    ouro_unpark();
    ouro_collect_resume();
    ouro_collect_pause();
    ouro_collect_pause();
    ouro_collect_resume();
    ouro_collect_resume();
    ouro_collect_resume();
    struct node *n = node_new(1);
    ouro_slot_copy(n, (void **)&n->a, n);
    ouro_decref(n);
    ouro_park();
    ouro_park();
    ouro_unpark();
    ouro_unpark();
    ouro_unpark();
    assert_int_equal(ouro_collect(NULL), 1);
}

/* -- threads that Ouro did not start ----------------------------------------------------------- */

static void ask_only(void *arg)
{
    (void)arg;
    struct ouro_collection total = {.collections = 1};
    ouro_unpark();
    ouro_collect_resume();
    KIT_CHECK(ouro_queued_bytes() == 0 && ouro_candidates() == 0);
    KIT_CHECK(ouro_release_pending(10) == 0 && ouro_collect(NULL) == 0);
    ouro_collect_stats(&total);
    KIT_CHECK(!OURO_THREADS || total.collections == 0);
    ouro_free(NULL);
    ouro_decref(NULL);
    (void)ouro_trim();
}

static void park_first(void *arg)
{
    (void)arg;
    ouro_park();
    ouro_unpark();
    ouro_poll();
}

static void pause_first(void *arg)
{
    (void)arg;
    ouro_collect_pause();
    ouro_collect_resume();
}

/* The first thing that a thread does: anything at all, and no memory for it. */
static void refuse_first(void *arg)
{
    (void)arg;
    ouro_fail_nth_alloc(1, true);
    KIT_CHECK(ouro_new(&node_type, sizeof(struct node)) == NULL);
    ouro_fail_nth_alloc(0, false);
}

static void count_first(void *object)
{
    ouro_incref(object);
    ouro_decref(object);
    ouro_decref(object); /* a reference that it was given */
}

static void upgrade_first(void *weak)
{
    struct hooked *object = ouro_weak_upgrade(weak);
    KIT_CHECK(object != NULL && object->id == 7);
    ouro_decref(object);
    ouro_weak_decref(weak);
}

static void free_first(void *block)
{
    ouro_free(block);
}

static void store_first(void *arg)
{
    struct hooked *container = arg;
    ouro_slot_store(container, (void **)&container->a, hooked_new(8));
    ouro_decref(container);
}

static void first_touch_may_be_of_what_others_have(void **state)
{
    (void)state;
    if (!OURO_THREADS || OURO_RC == OURO_RC_LOCAL)
        skip();
    struct hooked *h = hooked_new(7);
    ouro_incref(h);
    kit_elsewhere(count_first, h);
    kit_elsewhere(upgrade_first, ouro_weak_new(h));
    kit_elsewhere(free_first, ouro_malloc(100));
    ouro_incref(h);
    kit_elsewhere(store_first, h);
    assert_int_equal(h->a->id, 8);
    ouro_decref(h);
    ouro_poll();
    ouro_collect(NULL);
    assert_int_equal(kit_destroyed, 2);
}

static void any_call_may_be_the_first_of_a_thread(void **state)
{
    (void)state;
    void (*const calls[])(void *) = {ask_only, park_first, pause_first, refuse_first};
    for (size_t i = 0; i < OURO_COUNT_OF(calls); i++) {
        if (OURO_THREADS)
            kit_elsewhere(calls[i], NULL);
        else
            calls[i](NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(sequences_refuse_null),
        kit_test(strings_refuse_null),
        kit_test(value_hooks_refuse_null),
        kit_test(what_may_be_null_may_be_null),
        kit_test(a_birth_of_a_bad_type_changes_nothing),
        kit_test(an_object_without_bytes_is_one),
        kit_test(more_drops_than_references_are_named),
        kit_test(drops_of_immortals_do_nothing),
        kit_test(unpark_and_resume_without_a_beginning_do_nothing),
        kit_test(first_touch_may_be_of_what_others_have),
        kit_test(any_call_may_be_the_first_of_a_thread),
    };
    return kit_run(tests);
}
