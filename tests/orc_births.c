/* SPDX-License-Identifier: MIT */
/* Births of every kind: alignments, sizes, tails, refused types, more types than the header has
 * numbers for, and what fails when memory does. White-box: walks the heap. */
#include "orc_kit.h"

#include <string.h>

static void fill(void *p, size_t n, unsigned char with)
{
    memset(p, with, n);
}
static bool is_filled(const void *p, size_t n, unsigned char with)
{
    const unsigned char *c = p;
    for (size_t i = 0; i < n; i++) {
        if (c[i] != with)
            return false;
    }
    return true;
}

/* -- alignment --------------------------------------------------------------------------------- */

#define ALIGNS 9                                  /* 16 .. 4096 */
static struct ouro_type aligned_types[ALIGNS][2]; /* small, and larger than a small block */
static char aligned_names[ALIGNS][2][32];

static struct ouro_type *aligned_type(unsigned a, unsigned large)
{
    struct ouro_type *type = &aligned_types[a][large];
    if (type->name == NULL) {
        snprintf(aligned_names[a][large], 32, "aligned to %u%s", 16u << a, large ? ", large" : "");
        type->name = aligned_names[a][large];
        type->align = (size_t)16 << a;
        type->size = large ? ((size_t)100 << 10) + type->align : type->align;
        type->flags = OURO_ACYCLIC;
        type->hooks = leaf_type.hooks;
    }
    return type;
}

static void over_aligned_objects_keep_to_themselves(void **state)
{
    (void)state;
    uint64_t seed = 11;
    enum { N = 200 };
    static struct {
        unsigned char *p;
        struct ouro_type *type;
        unsigned char with;
    } live[N];
    size_t births = 0;
    for (size_t round = 0; round < kit_scaled(20000); round++) {
        size_t i = kit_random(&seed) % N;
        if (live[i].p) {
            assert_true(is_filled(live[i].p, live[i].type->size, live[i].with));
            assert_ptr_equal(ouro_type_of(live[i].p), live[i].type);
            assert_int_equal(ouro_count(live[i].p), 1);
            ouro_decref(live[i].p);
            live[i].p = NULL;
            continue;
        }
        unsigned a = (unsigned)(kit_random(&seed) % (ALIGNS + 1));
        live[i].type = a == ALIGNS ? &leaf_type : aligned_type(a, kit_random(&seed) % 50 == 0);
        live[i].with = (unsigned char)kit_random(&seed);
        live[i].p = ouro_new(live[i].type, live[i].type->size);
        assert_non_null(live[i].p);
        births++;
        size_t align = live[i].type->align > 16 ? live[i].type->align : 16;
        assert_int_equal((uintptr_t)live[i].p & (align - 1), 0);
        assert_true(is_filled(live[i].p, live[i].type->size, 0));
        fill(live[i].p, live[i].type->size, live[i].with);
    }
    size_t left = 0;
    for (size_t i = 0; i < N; i++)
        left += live[i].p != NULL;
    if (heapcheck_can_walk())
        assert_int_equal(heapcheck_count(NULL), left);
    for (size_t i = 0; i < N; i++)
        ouro_decref(live[i].p);
    assert_int_equal(kit_destroyed, births);
}

/* -- sizes ------------------------------------------------------------------------------------- */

static struct ouro_type tail_type = {.size = 0, .name = "tail", .flags = OURO_ACYCLIC};

static void any_size_is_born_and_freed(void **state)
{
    (void)state;
    static const size_t sizes[] = {
        0,       1,       15,      16,    17,     31,      32,
        111,     112,     113,     8175,  8176,   8177,    8192,
        65519,   65520,   65521,   65536, 100000, 1 << 20, (2 << 20) - 32,
        2 << 20, 4 << 20, 10 << 20};
    void *live[OURO_COUNT_OF(sizes)];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < OURO_COUNT_OF(sizes); i++) {
            live[i] = ouro_new(&tail_type, sizes[i]);
            assert_non_null(live[i]);
            assert_true(is_filled(live[i], sizes[i], 0));
            fill(live[i], sizes[i], (unsigned char)i);
        }
        if (heapcheck_can_walk())
            assert_int_equal(heapcheck_count(&tail_type), OURO_COUNT_OF(sizes));
        for (size_t i = 0; i < OURO_COUNT_OF(sizes); i++) {
            assert_true(is_filled(live[i], sizes[i], (unsigned char)i));
            ouro_decref(live[i]);
        }
    }
    static volatile size_t absurd[] = {SIZE_MAX,    SIZE_MAX - 15,   SIZE_MAX - 16,
                                       PTRDIFF_MAX, PTRDIFF_MAX / 2, PTRDIFF_MAX / 4};
    for (size_t i = 0; i < OURO_COUNT_OF(absurd) && !OURO_ASAN; i++) /* ASan aborts */
        assert_null(ouro_new(&tail_type, absurd[i]));
}

/* A closure's environment: as many references as it was born with. */
struct env {
    size_t n;
    void *refs[];
};
static void env_destroy(void *value, const struct ouro_type *type)
{
    (void)type;
    struct env *env = value;
    ouro__fetch_add_full(&kit_destroyed, 1);
    for (size_t i = 0; i < env->n; i++) {
        void *dropped = env->refs[i];
        env->refs[i] = NULL;
        ouro_decref(dropped);
    }
}
static void env_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    (void)type;
    struct env *env = value;
    for (size_t i = 0; i < env->n; i++) {
        if (env->refs[i])
            visitor->visit(visitor, &env->refs[i], NULL);
    }
}
static struct ouro_type env_type = {.size = sizeof(struct env),
                                    .name = "environment",
                                    .hooks = {.destroy = env_destroy, .trace = env_trace}};

static struct env *env_new(size_t n)
{
    struct env *env = ouro_new(&env_type, sizeof *env + n * sizeof(void *));
    KIT_CHECK(env != NULL);
    env->n = n;
    return env;
}

static void references_in_inline_tails_are_collected(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 10, 100, 1000, 10000, 300000};
    struct env *ring[OURO_COUNT_OF(lengths)];
    size_t n = OURO_COUNT_OF(lengths);
    for (size_t i = 0; i < n; i++)
        ring[i] = env_new(lengths[i]);
    for (size_t i = 0; i < n; i++) {
        ring[i]->refs[lengths[i] - 1] = ring[(i + 1) % n];
        ouro_incref(ring[(i + 1) % n]);
    }
    for (size_t i = 0; i < n; i++)
        ouro_decref(ring[i]);
    assert_int_equal(kit_destroyed, 0);
    assert_int_equal(ouro_collect(NULL), n);
    assert_int_equal(kit_destroyed, n);
}

/* -- refusals ---------------------------------------------------------------------------------- */

static void be_born(void *type)
{
    assert_null(ouro_new(type, sizeof(struct node)));
}

static void bad_types_are_refused_by_name(void **state)
{
    (void)state;
    static const struct ouro_field outside[] = {
        {.name = "far", .kind = OURO_FIELD_REF, .offset = 1000}};
    static const struct ouro_field crooked[] = {
        {.name = "odd", .kind = OURO_FIELD_REF, .offset = 3}};
    static const struct ouro_field unknown[] = {{.name = "what", .kind = (enum ouro_field_kind)77}};
    static const struct ouro_field twice[] = {OURO_REF(struct node, a, NULL),
                                              OURO_REF(struct node, a, NULL)};
    static struct ouro_type bad[] = {
        {.size = 24, .name = "bad1", .fields = outside, .field_count = 1},
        {.size = 24, .name = "bad2", .fields = crooked, .field_count = 1},
        {.size = 24, .name = "bad3", .fields = unknown, .field_count = 1},
        {.size = 24, .name = "bad4", .fields = twice, .field_count = 2},
        {.size = 24, .name = "bad5", .align = 24},
        {.size = 24, .name = "bad6", .flags = 1u << 31},
    };
    for (size_t i = 0; i < OURO_COUNT_OF(bad); i++) {
        for (int again = 0; again < 2; again++) {
            const char *said = kit_stderr_of(be_born, &bad[i]);
            assert_non_null(strstr(said, bad[i].name));
            assert_int_equal(bad[i].id, 0);
        }
    }
}

static void a_refused_birth_changes_nothing(void **state)
{
    (void)state;
    static struct ouro_type fresh[3] = {
        {.size = sizeof(struct node), .name = "fresh", .flags = OURO_ACYCLIC},
        {.size = 64, .align = 64, .name = "fresh aligned", .flags = OURO_ACYCLIC},
        {.size = 100000, .name = "fresh large", .flags = OURO_ACYCLIC}};
    for (int for_good = 0; for_good < 2; for_good++) {
        for (size_t i = 0; i < 3; i++) {
            size_t before = heapcheck_count(NULL);
            size_t n = 1;
            for (void *object = NULL; object == NULL; n++) {
                ouro_fail_nth_alloc(n, for_good);
                object = ouro_new(&fresh[i], fresh[i].size);
                ouro_fail_nth_alloc(0, false);
                if (object == NULL)
                    assert_int_equal(heapcheck_count(NULL), before);
                ouro_decref(object);
                assert_true(n < 10);
            }
        }
    }
}

/* -- more types than a header can number ------------------------------------------------------- */

#define WIDE_TYPES 70000
static void more_types_than_sixteen_bits(void **state)
{
    (void)state;
    static struct ouro_type types[WIDE_TYPES];
    static const struct ouro_field fields[] = {OURO_REF(struct node, a, NULL),
                                               OURO_REF(struct node, b, NULL)};
    size_t n = kit_instrumented() ? 67500 : WIDE_TYPES;
    for (size_t i = 0; i < n; i++) {
        types[i] = (struct ouro_type){.size = sizeof(struct node),
                                      .name = "one of many",
                                      .fields = fields,
                                      .field_count = 2,
                                      .align = i % 5 ? 0 : 64};
        assert_int_equal(ouro_type_register(&types[i], NULL), OURO_OK);
    }
    struct node *ring[8];
    for (size_t round = 0; round < 200; round++) {
        for (size_t i = 0; i < 8; i++) { /* wide ones and others in one ring */
            struct ouro_type *type = &types[i % 2 ? n - 1 - round * 4 - i : round * 4 + i];
            ring[i] = ouro_new(type, sizeof(struct node));
            assert_ptr_equal(ouro_type_of(ring[i]), type);
            assert_true(ouro_is_unique(ring[i]));
            assert_null(ring[i]->a);
            ring[i]->b = node_new(1); /* an ordinary one hangs off each */
        }
        for (size_t i = 0; i < 8; i++) {
            ring[i]->a = ring[(i + 1) % 8];
            ouro_incref(ring[i]->a);
        }
        if (round == 0)
            assert_int_equal(ouro_collect(NULL), 0);
        for (size_t i = 0; i < 8; i++)
            ouro_decref(ring[i]);
        if (round % 2) { /* by counts alone */
            ouro_incref(ring[0]);
            struct node *a = ring[0]->a;
            ring[0]->a = NULL;
            ouro_decref(a);
            ouro_decref(ring[0]);
            assert_int_equal(ouro_collect(NULL), 0);
        } else {
            assert_int_equal(ouro_collect(NULL), 16);
        }
    }
    for (size_t i = 0; i < 50; i++) {
        struct node *one = ouro_new(&types[n - 1 - i], sizeof(struct node));
        ouro_reuse cell = ouro_drop_reuse(one);
        one = ouro_new_reuse(cell, &types[n - 2 - i], sizeof(struct node));
        memset(one, 0, sizeof *one);
        ouro_decref(one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(over_aligned_objects_keep_to_themselves),  kit_test(any_size_is_born_and_freed),
        kit_test(references_in_inline_tails_are_collected), kit_test(bad_types_are_refused_by_name),
        kit_test(a_refused_birth_changes_nothing),          kit_test(more_types_than_sixteen_bits),
    };
    return kit_run(tests);
}
