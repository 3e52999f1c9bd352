/* SPDX-License-Identifier: MIT */
/* Machine code made from the constants of orc/abi.h counts, stores and gives birth as the inlined
 * functions do: the same assertions as in orc_counts.c and orc_slot.c, for the owner, for others,
 * for immortal objects and in the checked library. White-box: looks at headers. */
#include "orc_kit.h"
#include "codegen.h"

#include <sys/mman.h>

/* -- the code ---------------------------------------------------------------------------------- */

static void (*gen_incref)(struct ouro_context *, void *);
static void (*gen_incref_tls)(void *);
static void (*gen_decref)(struct ouro_context *, void *);
static void (*gen_decref_acyclic)(struct ouro_context *, void *);
static void *(*gen_exchange)(struct ouro_context *, void *, void **, void *);
static void (*gen_store)(struct ouro_context *, void *, void **, void *);
static struct node *(*gen_node)(struct ouro_context *, struct ouro_type *);
static struct leaf *(*gen_leaf)(struct ouro_context *, struct ouro_type *);
static bool (*gen_is_base)(void *, const struct ouro_type *, const struct ouro_type *);
static bool (*gen_is_derived)(void *, const struct ouro_type *, const struct ouro_type *);

/* What goes out of line is counted on its way. */
static _Thread_local unsigned outs;
static void incref_out(struct ouro_context *context, void *object)
{
    outs++;
    ouro__incref_in_out(context, object);
}
static void incref_tls_out(void *object)
{
    outs++;
    ouro__incref_out(object);
}
static void decref_out(struct ouro_context *context, void *object)
{
    outs++;
    ouro__decref_in_out(context, object);
}
static void *exchange_out(struct ouro_context *context, void *container, void **slot, void *value,
                          bool moved)
{
    outs++;
    return ouro__slot_exchange_in_out(context, container, slot, value, moved);
}
static void *new_out(struct ouro_context *context, struct ouro_type *type, size_t size,
                     unsigned mode)
{
    outs++;
    return ouro__new_in_out(context, type, size, mode);
}

static uintptr_t begin(struct code *c)
{
    c->at = (uint8_t *)(((uintptr_t)c->at + 15) & ~(uintptr_t)15);
    return (uintptr_t)c->at;
}

#if defined(__x86_64__)
static int32_t context_at(void)
{
    char *thread;
    __asm__("mov %%fs:0, %0" : "=r"(thread));
    return (int32_t)((char *)ouro_context_here() - thread);
}
#define CAN_RUN OURO_THREADS
#else
static int32_t context_at(void)
{
    return 0;
}
#define CAN_RUN 0
#endif

/* Bytes to a function. */
#define TO(function, at) ((function) = (__typeof__(function))(at))

static void generate(void)
{
    const size_t room = 16384;
    uint8_t *page = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    KIT_CHECK(page != MAP_FAILED);
    struct code c = {.at = page};
    const uint32_t unit = (uint32_t)1 << OURO_ABI_LOCAL_COUNT_SHIFT;
    uintptr_t candidate = (uintptr_t)ouro__candidate;
    TO(gen_incref, begin(&c));
    emit_count(&c, unit, true, (uintptr_t)incref_out, 0);
    TO(gen_decref, begin(&c));
    emit_count(&c, -unit, false, (uintptr_t)decref_out, candidate);
    TO(gen_decref_acyclic, begin(&c));
    emit_count(&c, -unit, true, (uintptr_t)decref_out, 0);
    TO(gen_exchange, begin(&c));
    emit_exchange(&c, (uintptr_t)exchange_out, (uintptr_t)ouro__slot_moved);
    TO(gen_store, begin(&c));
    emit_store(&c, (uintptr_t)gen_exchange, (uintptr_t)gen_decref);
    TO(gen_node, begin(&c));
    emit_birth(&c, sizeof(struct node), (uintptr_t)new_out);
    TO(gen_leaf, begin(&c));
    emit_birth(&c, sizeof(struct leaf), (uintptr_t)new_out);
    TO(gen_is_base, begin(&c));
    emit_is_subtype(&c, 0);
    TO(gen_is_derived, begin(&c));
    emit_is_subtype(&c, 1);
    TO(gen_incref_tls, begin(&c));
    emit_incref_tls(&c, context_at(), (uintptr_t)incref_tls_out);
    KIT_CHECK(c.at < page + room && mprotect(page, room, PROT_READ | PROT_EXEC) == 0);
}

/* How many of `n` uses of objects of this thread go out of line: none, but in the checked library,
 * and where a tool watches births. */
static void assert_outs(unsigned n)
{
    assert_int_equal(outs, OURO_CHECKED ? n : 0);
    outs = 0;
}

/* -- counts ------------------------------------------------------------------------------------ */

static void null_is_ignored(void **state)
{
    (void)state;
    struct ouro_context *in = ouro_context_here();
    gen_incref(in, NULL);
    gen_incref_tls(NULL);
    gen_decref(in, NULL);
    gen_decref_acyclic(in, NULL);
}

static void last_decref_destroys_once(void **state)
{
    (void)state;
    struct ouro_context *in = ouro_context_here();
    struct hooked *h = hooked_new(1);
    struct leaf *l = leaf_new(2);
    gen_incref(in, h);
    gen_decref(in, h); /* a candidate from here on */
    outs = 0;
    for (int64_t n = 2; n <= 1000; n++) {
        n % 2 ? gen_incref(in, h) : gen_incref_tls(h);
        gen_incref(in, l);
        assert_int_equal(ouro_count(h), n);
        assert_int_equal(ouro_count(l), n);
    }
    for (int64_t n = 999; n >= 1; n--) {
        gen_decref(in, h);
        n % 2 ? gen_decref(in, l) : gen_decref_acyclic(in, l);
        assert_int_equal(ouro_count(h), n);
        assert_int_equal(ouro_count(l), n);
        assert_int_equal(kit_destroyed, 0);
    }
    assert_outs(4 * 999);
    gen_decref(in, h);
    assert_int_equal(kit_destroyed, 1);
    gen_decref_acyclic(in, l);
    assert_int_equal(kit_destroyed, 2);
}

static void a_drop_makes_a_candidate(void **state)
{
    (void)state;
    struct ouro_context *in = ouro_context_here();
    struct node *n = node_new(1);
    n->a = n;
    gen_incref(in, n); /* that of the slot */
    gen_incref(in, n);
    gen_decref(in, n);
    assert_int_equal(ouro_candidates(), 1);
    assert_int_equal(ouro_collect(NULL), 0);
    gen_decref(in, n);
    assert_int_equal(ouro_collect(NULL), 1);
}

static void a_full_local_count_goes_over_to_the_shared_one(void **state)
{
    (void)state;
    struct ouro_context *in = ouro_context_here();
    struct leaf *l = leaf_new(1);
    const int32_t n = 100000;
    for (int32_t i = 1; i < n; i++) {
        gen_incref(in, l);
        KIT_CHECK(ouro_count(l) == i + 1);
    }
    assert_true(ouro__count_of(ouro__header(l)->shared) > 0);
    for (int32_t i = n; i > 1; i--) {
        KIT_CHECK(ouro_count(l) == i && !ouro_is_unique(l));
        gen_decref(in, l);
    }
    assert_true(ouro_is_unique(l));
    gen_decref(in, l);
    assert_int_equal(kit_destroyed, 1);
}

static void count_elsewhere(void *object)
{
    struct ouro_context *in = ouro_context_here();
    outs = 0;
    for (int i = 0; i < 100; i++)
        gen_incref(in, object);
    for (int i = 0; i < 101; i++)
        gen_decref(in, object);
    KIT_CHECK(outs == 201);
    outs = 0;
}

/* The thread's own mask tells that it is another's object. */
static void others_count_atomically(void **state)
{
    (void)state;
    struct ouro_context *in = ouro_context_here();
    for (int i = 0; i < 3; i++) {
        struct hooked *h = hooked_new(i);
        gen_incref(in, h); /* the reference that the other thread drops */
        kit_elsewhere(count_elsewhere, h);
        ouro_poll();
        assert_int_equal(ouro_count(h), 1);
        gen_decref(in, h);
        assert_int_equal(kit_destroyed, i + 1);
    }
}

static const struct {
    struct ouro_header header;
    struct node node;
} origin = {OURO_IMMORTAL_HEADER, {NULL, NULL, 7}}; /* in .rodata: a write to it crashes */

static void immortal_objects_are_never_written(void **state)
{
    (void)state;
    struct ouro_context *in = ouro_context_here();
    static struct hooked *volatile kept; /* so that no tool calls it leaked */
    struct hooked *h = kept = hooked_new(1);
    ouro_make_immortal(h);
    struct ouro_header before = *ouro__header(h);
    void *const objects[] = {(void *)(uintptr_t)&origin.node, h};
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 10; k++) {
            gen_incref(in, objects[i]);
            gen_incref_tls(objects[i]);
            gen_decref(in, objects[i]);
            gen_decref_acyclic(in, objects[i]);
            gen_decref(in, objects[i]);
        }
    }
    assert_memory_equal(&before, ouro__header(h), sizeof before);
    assert_int_equal(kit_destroyed, 0);
}

/* -- slots and births -------------------------------------------------------------------------- */

static void a_slot_owns_what_is_stored(void **state)
{
    (void)state;
    struct ouro_context *in = ouro_context_here();
    struct hooked *c = hooked_new(1), *x = hooked_new(2);
    void **slot = (void **)&c->a;
    gen_incref(in, x);
    outs = 0;
    assert_null(gen_exchange(in, c, slot, x));
    assert_ptr_equal(c->a, x);
    assert_outs(1);
    assert_int_equal(ouro_candidates(), 1); /* what moves in may close a cycle */
    assert_ptr_equal(gen_exchange(in, c, slot, NULL), x);
    gen_store(in, c, slot, x);
    assert_int_equal(ouro_count(x), 2);
    gen_store(in, c, slot, hooked_new(3));
    assert_int_equal(ouro_count(x), 1);
    gen_store(in, c, slot, x);
    assert_int_equal(kit_destroyed, 1);
    gen_store(in, c, slot, NULL);
    assert_int_equal(kit_destroyed, 2);
    gen_decref(in, c);
    assert_int_equal(kit_destroyed, 3);
}

static void a_move_into_itself_is_collected(void **state)
{
    (void)state;
    struct node *n = node_new(1);
    gen_store(ouro_context_here(), n, (void **)&n->a, n);
    assert_int_equal(ouro_collect(NULL), 1);
}

static void births_are_zeroed_typed_and_unique(void **state)
{
    (void)state;
    struct ouro_context *in = ouro_context_here();
    enum { N = 1000 };
    static struct node *nodes[N];
    gen_decref(in, gen_leaf(in, &leaf_type)); /* the type is registered, the heap is there */
    gen_decref(in, gen_node(in, &node_type));
    outs = 0;
    for (int i = 0; i < N; i++) {
        struct node *n = nodes[i] = gen_node(in, &node_type);
        struct leaf *l = gen_leaf(in, &leaf_type);
        assert_ptr_equal(ouro_type_of(n), &node_type);
        assert_ptr_equal(ouro_type_of(l), &leaf_type);
        assert_true(ouro_is_unique(n) && ouro_is_unique(l));
        assert_true(n->a == NULL && n->b == NULL && n->id == 0 && l->id == 0);
        assert_int_equal((uintptr_t)n & 15, 0);
        n->id = l->id = -1;
        gen_decref(in, l);
    }
    if (OURO_CHECKED)
        assert_true(outs >= 2 * N);
    else if (!in->heap->watched)
        assert_true(outs < 3 * N / 2); /* the last drops of N leaves, and refills */
    for (int i = 0; i < N; i++)
        gen_decref(in, nodes[i]);
    assert_int_equal(kit_destroyed, N + 1);
}

static void the_subtype_test_takes_no_walk(void **state)
{
    (void)state;
    struct chain {
        struct leaf base;
        int64_t more;
    };
    static struct ouro_type base = OURO_PLAIN_TYPE(struct leaf),
                            other = OURO_PLAIN_TYPE(struct leaf);
    static const struct ouro_field of_base[] = {OURO_VALUE(struct chain, base, &base)};
    static struct ouro_type derived = OURO_SUBTYPE(struct chain, of_base, &base);
    static struct ouro_type *const types[] = {&base, &other, &derived};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ouro_type_register(types[i], NULL), OURO_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(gen_is_base(NULL, types[i], &base), ouro_is_subtype(types[i], &base));
        assert_int_equal(gen_is_base(NULL, types[i], &other), ouro_is_subtype(types[i], &other));
        assert_int_equal(gen_is_derived(NULL, types[i], &derived),
                         ouro_is_subtype(types[i], &derived));
    }
    assert_true(gen_is_base(NULL, &derived, &base));
    assert_false(gen_is_derived(NULL, &base, &derived));
}

/* -- misuse ------------------------------------------------------------------------------------ */

static void release_twice(void *arg)
{
    struct ouro_context *in = arg;
    struct leaf *l = gen_leaf(in, &leaf_type), *other = gen_leaf(in, &leaf_type);
    gen_decref(in, l);
    gen_decref_acyclic(in, l);
    gen_decref(in, other);
}

static void count_after_free(void *arg)
{
    struct ouro_context *in = arg;
    struct leaf *l = gen_leaf(in, &leaf_type), *other = gen_leaf(in, &leaf_type);
    gen_decref(in, l);
    gen_incref(in, l);
    gen_decref(in, other);
}

static void local_of_another(void *object)
{
    gen_incref(ouro_context_here(), object);
}
static void reach_from_elsewhere(void *arg)
{
    (void)arg;
    kit_elsewhere(local_of_another, ouro_new_local(&leaf_type, sizeof(struct leaf)));
}

static void misuse_is_named(void **state)
{
    (void)state;
    struct ouro_context *in = ouro_context_here();
    gen_decref(in, leaf_new(0));
    if (!heapcheck_can_walk())
        skip(); /* the memory is libc's by then: the tool that watches says so */
    assert_int_equal(kit_failure_of(release_twice, in), OURO_FAIL_OVER_RELEASE);
    assert_int_equal(kit_failure_of(count_after_free, in), OURO_FAIL_USE_AFTER_FREE);
    if (OURO_CHECKED && !kit_instrumented())
        assert_int_equal(kit_failure_of(reach_from_elsewhere, NULL), OURO_FAIL_WRONG_THREAD);
}

int main(void)
{
    if (!CAN_RUN)
        return 77;
    generate();
    const struct CMUnitTest tests[] = {
        kit_test(null_is_ignored),
        kit_test(last_decref_destroys_once),
        kit_test(a_drop_makes_a_candidate),
        kit_test(a_full_local_count_goes_over_to_the_shared_one),
        kit_test(others_count_atomically),
        kit_test(immortal_objects_are_never_written),
        kit_test(a_slot_owns_what_is_stored),
        kit_test(a_move_into_itself_is_collected),
        kit_test(births_are_zeroed_typed_and_unique),
        kit_test(the_subtype_test_takes_no_walk),
        kit_test(misuse_is_named),
    };
    return kit_run(tests);
}
