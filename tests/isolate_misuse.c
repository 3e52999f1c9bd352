/* SPDX-License-Identifier: MIT */
/* White-box: includes orc_kit.h, by named.h. What a program must not do with isolated graphs,
 * and how it is told. */
#include "named.h"

static struct node *pair(void)
{
    struct node *root = node_new(1);
    root->a = node_new(2);
    return root;
}

static struct ouro_isolated *sent(struct node *root)
{
    struct ouro_isolated *handle = NULL;
    KIT_CHECK(ouro_isolate(root, &handle, NULL) == OURO_OK);
    return handle;
}

/* -- borrowed pointers that the sender keeps --------------------------------------------------- */

static void incref(void *object)
{
    ouro_incref(object);
}
static void decref(void *object)
{
    ouro_decref(object);
}
static void store_null(void *object)
{
    struct node *node = object;
    ouro_slot_store(node, (void **)&node->b, NULL);
}
static void ask_unique(void *object)
{
    (void)ouro_is_unique(object);
}

static void a_pointer_that_the_sender_keeps_is_found(void **state)
{
    (void)state;
    static void (*const uses[])(void *) = {incref, decref, store_null, ask_unique};
    for (size_t i = 0; i < OURO_COUNT_OF(uses); i++) {
        struct node *root = pair(), *inner = root->a;
        struct ouro_isolated *handle = sent(root);
        named_if_checked(OURO_FAIL_MISUSE, inner, "struct node", uses[i], inner);
        ouro_isolated_drop(handle);
    }
}

static void the_receivers_uses_are_no_misuse(void **state)
{
    (void)state;
    struct node *root = ouro_extract(sent(pair()));
    not_named(incref, root->a);
    not_named(store_null, root->a);
    ouro_decref(root);
}

/* -- twice ------------------------------------------------------------------------------------- */

static void isolate_it(void *object)
{
    struct ouro_isolated *handle;
    (void)ouro_isolate(object, &handle, NULL);
}

static void a_graph_handed_on_twice_is_named(void **state)
{
    (void)state;
    if (OURO_RC == OURO_RC_ATOMIC && !OURO_TEST_CHECKED)
        skip(); /* nobody's before and after: it cannot be told */
    struct node *root = pair();
    struct ouro_isolated *handle = sent(root);
    named(OURO_FAIL_MISUSE, root, "struct node", isolate_it, root);
    ouro_isolated_drop(handle);
}

static void a_graph_that_refers_to_one_on_its_way_is_named(void **state)
{
    (void)state;
    if (OURO_RC == OURO_RC_ATOMIC && !OURO_TEST_CHECKED)
        skip();
    struct node *root = pair(), *other = node_new(3);
    struct ouro_isolated *handle = sent(root);
    other->a = root; /* not counted */
    named(OURO_FAIL_MISUSE, root, "struct node", isolate_it, other);
    other->a = NULL;
    ouro_decref(other);
    ouro_isolated_drop(handle);
}

static void extract_twice(void *arg)
{
    (void)arg;
    struct ouro_isolated *handle = sent(pair());
    (void)ouro_extract(handle);
    (void)ouro_extract(handle);
}

static void a_handle_is_extracted_once(void **state)
{
    (void)state;
    run_in_child(extract_twice, NULL);
    assert_true(aborted());
    assert_int_equal(report->failure.kind, OURO_FAIL_MISUSE);
}

/* -- a proof that is none ---------------------------------------------------------------------- */

static void trust(void *object)
{
    struct ouro_isolated *handle;
    (void)ouro_isolate_unchecked(object, &handle);
}

static void the_checked_library_looks_at_the_proof(void **state)
{
    (void)state;
    struct node *root = pair();
    ouro_incref(root->a);
    struct node *stray = root->a;
    named_if_checked(OURO_FAIL_MISUSE, stray, "struct node", trust, root);
    if (OURO_TEST_CHECKED)
        assert_string_equal(report->detail,
                            "said to be isolated, but it is not: struct node.a -> struct node");
    ouro_decref(stray);
    ouro_decref(root);
}

int main(void)
{
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    KIT_CHECK(report != MAP_FAILED);
    const struct CMUnitTest tests[] = {
        kit_test(a_pointer_that_the_sender_keeps_is_found),
        kit_test(the_receivers_uses_are_no_misuse),
        kit_test(a_graph_handed_on_twice_is_named),
        kit_test(a_graph_that_refers_to_one_on_its_way_is_named),
        kit_test(a_handle_is_extracted_once),
        kit_test(the_checked_library_looks_at_the_proof),
    };
    return kit_run(tests);
}
