/* SPDX-License-Identifier: MIT */
/* Every misuse is named: its kind, the object, its type, once, and then the process aborts. In each
 * count mode; what the release library keeps, and what the checked one adds. White-box: writes to
 * freed objects.
 *
 * A misuse happens in a forked child, so that the object's address is known and the parent's heap
 * stays whole. */
#include "named.h"

#include <setjmp.h>

/* -- over-release ------------------------------------------------------------------------------ */

static void drop_later_twice(void *object)
{
    ouro_decref_later(object);
    ouro_decref_later(object);
}

static void a_drop_too_many_is_an_over_release(void **state)
{
    (void)state;
    for (size_t t = 0; t < OURO_COUNT_OF(types); t++) {
        for (size_t born = 0; born < MODES; born++) {
            struct use u = {.object = make(born, types[t])};
            for (size_t m = 0; m < MODES; m++) {
                u.first = u.second = modes[m].decref;
                named(OURO_FAIL_OVER_RELEASE, u.object, types[t]->name, use, &u);
                u.first = u.second = modes[m].decref_acyclic;
                if (types[t] != &node_type)
                    named(OURO_FAIL_OVER_RELEASE, u.object, types[t]->name, use, &u);
            }
            void (*others[])(void *) = {ouro__decref_out, ouro_decref_later, drop_for_reuse,
                                        drop_last_out};
            u.first = modes[born].decref;
            for (size_t i = 0; i < OURO_COUNT_OF(others); i++) {
                u.second = others[i];
                named(OURO_FAIL_OVER_RELEASE, u.object, types[t]->name, use, &u);
            }
            u.first = NULL;
            u.second = drop_later_twice; /* the object is dying, not gone */
            named(OURO_FAIL_OVER_RELEASE, u.object, types[t]->name, use, &u);
            ouro_decref_local(u.object);
        }
    }
}

static void untyped_drop_twice(void *object)
{
    KIT_CHECK(ouro__decref_last_out(object));
    ouro__decref_last_out(object);
}

static void a_drop_too_many_without_a_descriptor_is_an_over_release(void **state)
{
    (void)state;
    for (size_t born = 0; born < MODES; born++) {
        struct use u = {.object = make(born, &prompt_type), .second = untyped_drop_twice};
        named(OURO_FAIL_OVER_RELEASE, u.object, prompt_type.name, use, &u);
        ouro_decref(u.object);
        u.object = make(born, &leaf_type);
        named(OURO_FAIL_OVER_RELEASE, u.object, leaf_type.name, use, &u);
        ouro_decref(u.object);
    }
}

static void drop_twice(void *object)
{
    ouro_decref_biased(object);
    ouro_decref_biased(object);
}
static void others_drop_twice(void *object)
{
    kit_elsewhere(drop_twice, object);
    ouro_poll();
}

static void drops_too_many_by_another_thread_are_an_over_release(void **state)
{
    (void)state;
    if (!THREADS_IN_CHILDREN)
        skip();
    for (size_t t = 0; t < OURO_COUNT_OF(types); t++) {
        for (size_t born = 1; born < 3; born++) { /* atomic, biased */
            struct use u = {.object = make(born, types[t]), .second = others_drop_twice};
            named(OURO_FAIL_OVER_RELEASE, u.object, types[t]->name, use, &u);
            ouro_decref(u.object);
        }
    }
}

static void check_heap(void *arg)
{
    (void)arg;
    ouro_check_heap();
}

static void more_references_than_counts_are_found_in_the_heap(void **state)
{
    (void)state;
    for (size_t born = 0; born < MODES; born++) {
        struct node *holder = make(born, &node_type), *held = make(born, &node_type);
        holder->a = holder->b = held; /* two references, one is counted */
        named(OURO_FAIL_OVER_RELEASE, held, node_type.name, check_heap, NULL);
        holder->b = NULL;
        assert_true(ouro_check_heap() >= 2);
        ouro_decref(holder);
    }
}

/* -- use after free ---------------------------------------------------------------------------- */

static void whatever_is_done_to_a_freed_object_is_named(void **state)
{
    (void)state;
    for (size_t t = 0; t < OURO_COUNT_OF(types); t++) {
        for (size_t born = 0; born < MODES; born++) {
            struct use u = {.object = make(born, types[t]), .first = modes[born].decref};
            for (size_t m = 0; m < MODES; m++) {
                u.second = modes[m].incref;
                named(OURO_FAIL_USE_AFTER_FREE, u.object, types[t]->name, use, &u);
            }
            void (*uses[])(void *) = {ouro__incref_out,   weak_of,        unique,          count,
                                      ouro_make_immortal, into_a_slot_of, out_of_a_slot_of};
            size_t n = OURO_COUNT_OF(uses) - (types[t] == &node_type ? 0 : 2);
            for (size_t i = 0; i < n; i++) {
                u.second = uses[i];
                named(OURO_FAIL_USE_AFTER_FREE, u.object, types[t]->name, use, &u);
            }
            modes[born].decref(u.object);
        }
    }
}

static struct node *container;
static void store_freed(void *object)
{
    ouro_slot_store(container, (void **)&container->a, object);
}

static void a_freed_object_stored_into_a_slot_is_named(void **state)
{
    (void)state;
    for (size_t born = 0; born < MODES; born++) {
        container = make(born, &node_type);
        struct use u = {
            .object = make(born, &leaf_type), .first = modes[born].decref, .second = store_freed};
        named_if_checked(OURO_FAIL_USE_AFTER_FREE, u.object, leaf_type.name, use, &u);
        ouro_decref(u.object);
        ouro_decref(container);
    }
}

static void dangle(void *object)
{
    container->a = object;
    ouro_decref(object);
    ouro_check_heap();
}

static void a_reference_to_a_freed_object_is_found_in_the_heap(void **state)
{
    (void)state;
    for (size_t born = 0; born < MODES; born++) {
        container = make(born, &node_type);
        struct use u = {.object = make(born, &leaf_type), .second = dangle};
        named(OURO_FAIL_USE_AFTER_FREE, container, node_type.name, use, &u);
        ouro_decref(u.object);
        ouro_decref(container);
    }
}

/* -- writes after free ------------------------------------------------------------------------- */

static struct ouro_type tail_type = {.size = 8, .name = "with a tail", .flags = OURO_ACYCLIC};
static size_t write_at;

static void write_and_check(void *object)
{
    ouro_decref(object);
    ((volatile char *)object)[write_at] = 1;
    ouro_check_heap();
}
static void write_and_go_on(void *object)
{
    ouro_decref(object);
    ((volatile char *)object)[write_at] = 1;
    for (int i = 0; i < 10000; i++)
        ouro_decref(leaf_new(i));
}
static volatile int jumped;
static jmp_buf back;
static void leave(const struct ouro_failure *failure, void *arg)
{
    on_failure(failure, arg);
    jumped++;
    longjmp(back, 1);
}
static void write_and_check_twice(void *object)
{
    ouro_set_fail_handler(leave, report);
    if (setjmp(back) == 0)
        write_and_check(object);
    KIT_CHECK(jumped == 1);
    for (int i = 0; i < 10000; i++) /* it leaves the quarantine: it was named already */
        ouro_decref(leaf_new(i));
    ouro_check_heap();
    KIT_CHECK(jumped == 1);
}

static void a_write_to_a_freed_object_is_named(void **state)
{
    (void)state;
    static const size_t sizes[] = {8, 40, 1000, 60000, 200000, 5000000};
    for (size_t i = 0; i < OURO_COUNT_OF(sizes); i++) {
        void *object = ouro_new(&tail_type, sizes[i]);
        struct use u = {.object = object, .second = write_and_check};
        for (write_at = 0; write_at < sizes[i]; write_at += sizes[i] / 2 - 1) {
            u.second = write_and_check;
            named_if_checked(OURO_FAIL_USE_AFTER_FREE, object, tail_type.name, use, &u);
            u.second = write_and_go_on;
            named_if_checked(OURO_FAIL_USE_AFTER_FREE, object, tail_type.name, use, &u);
        }
        ouro_decref(object);
    }
    write_at = 0;
    void *object = ouro_new(&tail_type, 8);
    if (OURO_TEST_CHECKED) {
        struct use u = {.object = object, .second = write_and_check_twice};
        run_in_child(use, &u);
        assert_false(aborted());
        assert_int_equal(report->times, 1);
    }
    ouro_decref(object);
}

enum { MORE = 5000 }; /* than are kept */

/* It leaves the quarantine with the cell free already: the handler that is told so leaves, and
 * others are freed as before. */
static void free_a_kept_one(void *object)
{
    static struct leaf *more[MORE];
    alarm(30);
    for (int i = 0; i < MORE; i++)
        more[i] = leaf_new(i);
    ouro_set_fail_handler(leave, report);
    ouro_decref(object);
    ouro_free(object);
    struct ouro_mark mark = ouro_frame_mark();
    static int volatile i;
    for (i = 0; i < MORE; i++) {
        if (setjmp(back) == 0)
            ouro_decref(more[i]);
        else
            ouro_frame_unwind(&mark);
    }
}

static void what_is_wrong_with_a_kept_object_is_told_without_its_lock(void **state)
{
    (void)state;
    if (!OURO_TEST_CHECKED || !heapcheck_can_walk() || ouro__tools)
        skip(); /* libc or the tool sees it first */
    void *object = ouro_new(&tail_type, 3000);
    run_in_child(free_a_kept_one, object);
    assert_int_not_equal(WTERMSIG(report->status), SIGALRM);
    assert_false(aborted());
    assert_int_equal(report->times, 1);
    assert_int_equal(report->failure.kind, OURO_FAIL_DOUBLE_FREE);
    ouro_decref(object);
}

/* -- wrong acyclic ----------------------------------------------------------------------------- */

static struct ouro_type tree_type = {
    .size = sizeof(struct node), .name = "tree", .flags = OURO_ACYCLIC};

static void tie(struct node *from, struct node *to)
{
    from->a = to;
    ouro_incref(to);
}
static void untie(struct node *from)
{
    struct node *to = from->a;
    from->a = NULL;
    ouro_decref(to);
}

static void an_acyclic_type_in_a_cycle_is_named(void **state)
{
    (void)state;
    tree_type.fields = node_type.fields;
    tree_type.field_count = node_type.field_count;
    for (size_t born = 0; born < MODES; born++) {
        struct node *n[5];
        for (size_t length = 1; length <= 5; length++) {
            for (size_t i = 0; i < length; i++) /* one tree among nodes */
                n[i] = make(born, i == length / 2 ? &tree_type : &node_type);
            for (size_t i = 0; i < length; i++)
                tie(n[i], n[(i + 1) % length]);
            named(OURO_FAIL_WRONG_ACYCLIC, n[length / 2], "tree", check_heap, NULL);
            untie(n[length - 1]); /* a list is none */
            not_named(check_heap, NULL);
            for (size_t i = 0; i < length; i++)
                ouro_decref(n[i]);
        }
    }
}

static void acyclic_objects_beside_cycles_are_right(void **state)
{
    (void)state;
    /* A ring of nodes, each of which holds one and the same long list of trees. */
    size_t length = kit_scaled(200000), held = 50;
    struct node *ring[50], *list = NULL;
    for (size_t i = 0; i < length; i++) {
        struct node *head = make(2, &tree_type);
        head->b = list;
        list = head;
    }
    for (size_t i = 0; i < held; i++)
        ring[i] = make(2, &node_type);
    for (size_t i = 0; i < held; i++) {
        tie(ring[i], ring[(i + 1) % held]);
        ring[i]->b = list;
        ouro_incref(list);
    }
    assert_int_equal(ouro_check_heap(), length + held); /* in good time, too */
    for (size_t i = 0; i < held; i++)
        ouro_decref(ring[i]);
    assert_int_equal(ouro_collect(NULL), held);
    ouro_decref(list);
}

int main(void)
{
    report_share();
    const struct CMUnitTest tests[] = {
        kit_test(a_drop_too_many_is_an_over_release),
        kit_test(a_drop_too_many_without_a_descriptor_is_an_over_release),
        kit_test(drops_too_many_by_another_thread_are_an_over_release),
        kit_test(more_references_than_counts_are_found_in_the_heap),
        kit_test(whatever_is_done_to_a_freed_object_is_named),
        kit_test(a_freed_object_stored_into_a_slot_is_named),
        kit_test(a_reference_to_a_freed_object_is_found_in_the_heap),
        kit_test(a_write_to_a_freed_object_is_named),
        kit_test(what_is_wrong_with_a_kept_object_is_told_without_its_lock),
        kit_test(an_acyclic_type_in_a_cycle_is_named),
        kit_test(acyclic_objects_beside_cycles_are_right),
    };
    return kit_run(tests);
}
