/* SPDX-License-Identifier: MIT */
/* Random mutations of a graph against reachability in plain C: after a collection exactly the
 * unreachable objects are gone, and nothing reachable ever is. White-box: counts live objects.
 * The seed is printed; OURO_TEST_SEED and OURO_TEST_STEPS replay a run. */
#include "orc_kit.h"

#include <pthread.h>
#include <string.h>

#define OBJECTS 400
#define FIELDS  3

struct g {
    uint64_t fields; /* the counter where they are a tail */
    size_t id;
    ouro_seq more; /* of references, in one of the types */
    struct g *field[FIELDS];
};

static struct {
    struct g *object;      /* borrowed; valid while it is reachable */
    size_t field[FIELDS];  /* id + 1 of the target */
    size_t more[4], mores; /* likewise */
    int64_t roots;
    unsigned type;
    bool used, died, reached;
    struct ouro_weak *weak;
} model[OBJECTS];

static uint64_t seed;
static size_t hooks_ran;

static size_t pick(size_t n)
{
    return (size_t)(kit_random(&seed) % n);
}

static void g_destroy(void *value, const struct ouro_type *type)
{
    struct g *g = value;
    KIT_CHECK(g->id < OBJECTS && model[g->id].used && !model[g->id].died);
    model[g->id].died = true;
    hooks_ran++;
    ouro_lifted_destroy(value, type);
}

static void g_trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    (void)type;
    struct g *g = value;
    for (size_t i = FIELDS; i-- > 0;) {
        if (g->field[i])
            visitor->visit(visitor, (void **)&g->field[i], NULL);
    }
}

/* References are bare, so that all types look alike. */
static const struct ouro_filter bare = OURO_FILTER_TAG(7, 0);
static const struct ouro_field word_fields[] = {
    {.name = "word", .kind = OURO_FIELD_FILTERED, .filter = &bare}};
static struct ouro_type word_type = {
    .size = 8, .align = 8, .name = "word", .fields = word_fields, .field_count = 1};
static const struct ouro_field filtered_fields[] = {{.name = "field",
                                                     .kind = OURO_FIELD_ARRAY,
                                                     .offset = offsetof(struct g, field),
                                                     .count = FIELDS,
                                                     .type = &word_type}};
static const struct ouro_field tail_fields[] = {OURO_TAIL(struct g, field, fields, &ouro_ref_type)};
static const struct ouro_field filtered_tail_fields[] = {
    OURO_TAIL(struct g, field, fields, &word_type)};
static const struct ouro_field fields[] = {
    {.name = "field",
     .kind = OURO_FIELD_ARRAY,
     .offset = offsetof(struct g, field),
     .count = FIELDS,
     .type = &ouro_ref_type},
    {.name = "more",
     .kind = OURO_FIELD_SEQ,
     .offset = offsetof(struct g, more),
     .type = &ouro_ref_type},
};
#define G(what, fields_used, ...)                                                                  \
    {                                                                                              \
        .size = sizeof(struct g), .name = what, .fields = fields, .field_count = fields_used,      \
        __VA_ARGS__                                                                                \
    }
#define G_OF(what, table)                                                                          \
    {                                                                                              \
        .size = sizeof(struct g), .name = what, .fields = table, .field_count = 1                  \
    }
enum {
    FLAT,
    FILTERED,
    TAILED,
    FILTERED_TAIL,
    FLAT_ALIGNED,
    HOOKED,
    ALIGNED,
    SEQUENCE,
    TRACED,
    TYPES
};
static struct ouro_type types[TYPES] = {
    [FLAT] = G("flat", 1, .hooks = {NULL}),
    [FILTERED] = G_OF("filtered", filtered_fields),
    [TAILED] = G_OF("tailed", tail_fields),
    [FILTERED_TAIL] = G_OF("filtered tail", filtered_tail_fields),
    [FLAT_ALIGNED] = G("flat aligned", 1, .align = 128),
    [HOOKED] = G("hooked", 1, .hooks = {.destroy = g_destroy}),
    [ALIGNED] = G("hooked aligned", 1, .align = 64, .hooks = {.destroy = g_destroy}),
    [SEQUENCE] = G("with a sequence", 2, .hooks = {.destroy = g_destroy}),
    [TRACED] = G("traced by hand", 1, .hooks = {.destroy = g_destroy, .trace = g_trace}),
};

/* -- the oracle -------------------------------------------------------------------------------- */

static void reach(size_t id)
{
    static size_t stack[OBJECTS];
    size_t depth = 0;
    if (model[id].reached)
        return;
    model[id].reached = true;
    stack[depth++] = id;
    while (depth > 0) {
        size_t at = stack[--depth];
        for (size_t i = 0; i < FIELDS + model[at].mores; i++) {
            size_t to = i < FIELDS ? model[at].field[i] : model[at].more[i - FIELDS];
            if (to && !model[to - 1].reached) {
                model[to - 1].reached = true;
                stack[depth++] = to - 1;
            }
        }
    }
}

static void find_reachable(void)
{
    for (size_t i = 0; i < OBJECTS; i++)
        model[i].reached = false;
    for (size_t i = 0; i < OBJECTS; i++) {
        if (model[i].used && model[i].roots > 0)
            reach(i);
    }
}

/* A reachable object, or OBJECTS. */
static size_t some_reachable(void)
{
    size_t from = pick(OBJECTS);
    for (size_t i = 0; i < OBJECTS; i++) {
        size_t id = (from + i) % OBJECTS;
        if (model[id].used && model[id].reached)
            return id;
    }
    return OBJECTS;
}

static int64_t references_to(size_t id)
{
    int64_t n = model[id].roots;
    for (size_t i = 0; i < OBJECTS; i++) {
        if (!model[i].used || !model[i].reached)
            continue;
        for (size_t k = 0; k < FIELDS + model[i].mores; k++)
            n += (k < FIELDS ? model[i].field[k] : model[i].more[k - FIELDS]) == id + 1;
    }
    return n;
}

static void nothing_reachable_died(void)
{
    for (size_t i = 0; i < OBJECTS; i++) {
        if (model[i].used && model[i].reached) {
            assert_false(model[i].died);
            assert_int_equal(model[i].object->id, i);
            for (size_t k = 0; k < FIELDS; k++)
                assert_ptr_equal(model[i].object->field[k],
                                 model[i].field[k] ? model[model[i].field[k] - 1].object : NULL);
        }
    }
}

static void exactly_the_unreachable_are_gone(void)
{
    ouro_poll();
    ouro_collect(NULL);
    ouro_poll();
    find_reachable();
    nothing_reachable_died();
    size_t expected[TYPES] = {0};
    for (size_t i = 0; i < OBJECTS; i++) {
        if (!model[i].used)
            continue;
        if (model[i].reached) {
            expected[model[i].type]++;
            assert_int_equal(ouro_count(model[i].object), references_to(i));
            continue;
        }
        if (model[i].type > FLAT_ALIGNED)
            assert_true(model[i].died);
        if (model[i].weak) {
            assert_null(ouro_weak_upgrade(model[i].weak));
            ouro_weak_decref(model[i].weak);
        }
        memset(&model[i], 0, sizeof model[i]);
    }
    if (heapcheck_can_walk()) {
        for (unsigned t = 0; t < TYPES; t++)
            assert_int_equal(heapcheck_count(&types[t]), expected[t]);
    }
}

/* -- mutations --------------------------------------------------------------------------------- */

static void make(unsigned kinds)
{
    size_t id = pick(OBJECTS);
    if (model[id].used)
        return;
    unsigned t = (unsigned)pick(kinds);
    struct g *g = ouro_new(&types[t], sizeof *g);
    KIT_CHECK(g != NULL);
    g->id = id;
    g->fields = FIELDS;
    memset(&model[id], 0, sizeof model[id]);
    model[id].object = g;
    model[id].type = t;
    model[id].roots = 1;
    model[id].used = model[id].reached = true;
}

static void store(size_t from, size_t to)
{
    size_t k = pick(FIELDS);
    void **slot = (void **)&model[from].object->field[k];
    if (to == OBJECTS)
        ouro_slot_store(model[from].object, slot, NULL);
    else
        ouro_slot_copy(model[from].object, slot, model[to].object);
    model[from].field[k] = to == OBJECTS ? 0 : to + 1;
}

/* A move changes no count, so one that closes a cycle makes no candidate: the program does, by a
 * pair of counts (the decrement that the move left out). */
static void move(size_t from, size_t to)
{
    size_t i = pick(FIELDS), k = pick(FIELDS);
    if (from == to && i == k)
        return;
    void *moved = ouro_slot_move(model[from].object, (void **)&model[from].object->field[i]);
    ouro_incref(moved);
    size_t id = model[from].field[i];
    model[from].field[i] = 0;
    ouro_slot_store(model[to].object, (void **)&model[to].object->field[k], moved);
    model[to].field[k] = id;
    ouro_decref(moved);
}

static void push(size_t from, size_t to)
{
    struct g *g = model[from].object;
    if (model[from].mores == 4) {
        ouro_seq_truncate(&g->more, &ouro_ref_type, 1);
        model[from].mores = 1;
        return;
    }
    void *reference = model[to].object;
    ouro_incref(reference);
    KIT_CHECK(ouro_seq_push(&g->more, &ouro_ref_type, &reference) == OURO_OK);
    model[from].more[model[from].mores++] = to + 1;
}

static void drop_root(size_t id, bool later)
{
    if (model[id].roots == 0)
        return;
    model[id].roots--;
    if (later)
        ouro_decref_later(model[id].object);
    else
        ouro_decref(model[id].object);
}

static void take_root(size_t id)
{
    if (model[id].weak && pick(2)) {
        KIT_CHECK(ouro_weak_upgrade(model[id].weak) == model[id].object);
    } else {
        ouro_incref(model[id].object);
    }
    model[id].roots++;
}

static void step(unsigned kinds)
{
    find_reachable(); /* what follows touches reachable objects alone */
    size_t x = some_reachable(), y = some_reachable();
    size_t what = pick(100);
    if (x == OBJECTS || what < 22) {
        make(kinds);
    } else if (what < 50) {
        store(x, y);
    } else if (what < 55) {
        store(x, OBJECTS);
    } else if (what < 63) {
        move(x, y);
    } else if (what < 67 && model[x].type == SEQUENCE) {
        push(x, y);
    } else if (what < 92) {
        drop_root(x, what < 70);
    } else if (what < 97) {
        take_root(x);
    } else if (what < 98 && !model[x].weak) {
        model[x].weak = ouro_weak_new(model[x].object);
    } else if (what < 99) {
        ouro_release_pending(3);
    }
}

static void drop_all(void)
{
    for (size_t i = 0; i < OBJECTS; i++) {
        while (model[i].used && model[i].roots > 0)
            drop_root(i, false);
    }
    exactly_the_unreachable_are_gone();
    for (size_t i = 0; i < OBJECTS; i++)
        assert_false(model[i].used);
}

static void mutate(size_t steps, unsigned kinds)
{
    memset(model, 0, sizeof model);
    hooks_ran = 0;
    for (size_t i = 0; i < steps; i++) {
        step(kinds);
        if (i % 50 == 0) {
            find_reachable();
            nothing_reachable_died();
        }
        if (pick(200) == 0)
            exactly_the_unreachable_are_gone();
    }
    drop_all();
}

static size_t steps(void)
{
    const char *text = getenv("OURO_TEST_STEPS");
    return text ? strtoul(text, NULL, 0) : kit_scaled(40000);
}

static void only_garbage_dies_among_plain_references(void **state)
{
    (void)state;
    mutate(steps(), FLAT_ALIGNED + 1);
}

static void only_garbage_dies_among_objects_of_every_kind(void **state)
{
    (void)state;
    mutate(steps(), TYPES);
    assert_true(hooks_ran > 0);
}

static void only_garbage_dies_by_collections_that_start_by_themselves(void **state)
{
    (void)state;
    int64_t least = ouro_option_get(OURO_OPTION_collect_candidates);
    assert_int_equal(ouro_option_set("collect_candidates", 3), OURO_OK);
    ouro_collect(NULL);
    mutate(steps(), TYPES);
    ouro_option_set("collect_candidates", least);
}

#if OURO_THREADS
static pthread_barrier_t barrier;

static void *touch(void *wait)
{
    ouro_decref(leaf_new(1));
    if (wait) {
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

/* From here on the process had more than one thread: captures take the second look. */
static void only_garbage_dies_after_a_thread_was_here(void **state)
{
    (void)state;
    pthread_t thread;
    KIT_CHECK(pthread_create(&thread, NULL, touch, NULL) == 0);
    pthread_join(thread, NULL);
    if (KIT_ATOMIC && !kit_alone())
        skip();
    mutate(steps(), TYPES);
}

static void only_garbage_dies_beside_a_thread(void **state)
{
    (void)state;
    if (KIT_ATOMIC)
        skip(); /* merged cycles wait until the process has one thread */
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    KIT_CHECK(pthread_create(&thread, NULL, touch, &barrier) == 0);
    pthread_barrier_wait(&barrier);
    mutate(steps(), TYPES);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
}
#endif

int main(void)
{
    seed = kit_seed(20260101);
    const struct CMUnitTest tests[] = {
        kit_test(only_garbage_dies_among_plain_references),
        kit_test(only_garbage_dies_among_objects_of_every_kind),
        kit_test(only_garbage_dies_by_collections_that_start_by_themselves),
#if OURO_THREADS
        kit_test(only_garbage_dies_after_a_thread_was_here),
        kit_test(only_garbage_dies_beside_a_thread),
#endif
    };
    return kit_run(tests);
}
