/* SPDX-License-Identifier: MIT */
/* Many, one after the other: threads, types, closures. Memory stays flat. White-box: see orc_kit.h.
 * Each says what it measured. */
#include "orc_kit.h"
#include "hooks/registry.h"

#include <pthread.h>
#include <time.h>

struct memory {
    uint64_t mapped, used, raw, counted;
    size_t resident;
};

static struct memory measure(void)
{
    struct ouro_stats s;
    ouro_collect(NULL);
    ouro_trim(); /* not what waits for its purge */
    ouro_stats_get(&s);
    return (struct memory){s.mapped, s.used, s.raw.bytes, s.counted.bytes, kit_resident()};
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void tell(const char *what, size_t n, double began, const struct memory *a,
                 const struct memory *b)
{
    print_message("%zu %s in %.1f s: mapped %llu -> %llu KiB, used %llu -> %llu, raw %llu -> %llu, "
                  "counted %llu -> %llu, resident %zu -> %zu\n",
                  n, what, seconds() - began, (unsigned long long)a->mapped >> 10,
                  (unsigned long long)b->mapped >> 10, (unsigned long long)a->used >> 10,
                  (unsigned long long)b->used >> 10, (unsigned long long)a->raw >> 10,
                  (unsigned long long)b->raw >> 10, (unsigned long long)a->counted >> 10,
                  (unsigned long long)b->counted >> 10, a->resident >> 10, b->resident >> 10);
}

/* Resident memory is the process's: the C library's, a sanitizer's. */
#define RESIDENT_SLACK ((size_t)2 << 20)

static void expect_flat(const struct memory *a, const struct memory *b)
{
    assert_true(b->mapped <= a->mapped);
    assert_true(b->used <= a->used + (256 << 10)); /* a page or two that a class of blocks opens */
    if (!kit_instrumented())
        assert_true(b->resident <= a->resident + RESIDENT_SLACK);
}

/* -- threads ----------------------------------------------------------------------------------- */

#define THREADS 200000

/* Objects that die here, that the thread leaves to others, cycles, a weak handle, and counts on an
 * object of the thread that waits. */
static void *short_life(void *shared)
{
    ouro_incref(shared);
    struct node *n = node_new(1), *ring = node_new(2);
    n->a = node_new(3);
    ring->a = ring;
    ouro_incref(ring);
    ouro_decref(ring); /* a candidate, which outlives the thread */
    struct ouro_weak *weak = ouro_weak_new(n);
    KIT_CHECK(weak != NULL);
    ouro_decref(n);
    void *gone = ouro_weak_upgrade(weak);
    KIT_CHECK(gone == NULL);
    ouro_weak_decref(weak);
    ouro_decref(shared);
    return node_new(4); /* for the one that waits */
}

static void threads_in_a_row_leave_nothing(void **state)
{
    (void)state;
    if (!OURO_THREADS)
        skip();
    /* An emulated thread takes milliseconds to begin and end. */
    size_t n = kit_scaled(THREADS) / (OURO_EMULATED ? 8 : 1), warm = n / 20;
    struct node *shared = node_new(0);
    struct memory before = {0}, after;
    double began = seconds();
    for (size_t i = 0; i < n; i++) {
        pthread_t thread;
        void *left;
        KIT_CHECK(pthread_create(&thread, NULL, short_life, shared) == 0);
        KIT_CHECK(pthread_join(thread, &left) == 0);
        ouro_decref(left);
        if (i % 1000 == 999)
            ouro_collect(NULL);
        if (i == warm)
            before = measure();
    }
    kit_alone();
    after = measure();
    tell("threads", n, began, &before, &after);
    expect_flat(&before, &after);
    assert_int_equal(ouro_count(shared), 1);
    ouro_decref(shared);
}

/* -- types ------------------------------------------------------------------------------------- */

#define TYPES 200000

/* Objects of types that the program makes as it runs, as a compiler's plug-ins or a JIT do: those
 * beyond the first 65,534 have no number that fits the header. What a type costs is its table of
 * offsets, and nothing that grows with the number of types. */
static void types_in_a_row_cost_their_tables(void **state)
{
    (void)state;
    size_t n = kit_scaled(TYPES),
           warm = n / 20 < 5000 ? n / 2 : n / 20; /* 4096 are kept, checked */
    struct ouro_type *types = calloc(n, sizeof *types);
    assert_non_null(types);
    memset(types, 1, n * sizeof *types); /* resident from the start: it is the program's memory */
    struct memory before = {0}, after;
    double began = seconds();
    for (size_t i = 0; i < n; i++) {
        types[i] = node_type;
        types[i] = (struct ouro_type){.size = sizeof(struct node),
                                      .align = _Alignof(struct node),
                                      .name = "one of many",
                                      .fields = node_type.fields,
                                      .field_count = node_type.field_count};
        struct node *object = ouro_new(&types[i], sizeof *object);
        KIT_CHECK(object != NULL && ouro_type_of(object) == &types[i]);
        KIT_CHECK(types[i].ref_count == 2);
        if (i % 3 == 0) { /* garbage with one of a type of long ago */
            object->a = ouro_new(&types[i / 2], sizeof *object);
            KIT_CHECK(object->a != NULL);
            object->a->a = object;
            ouro_incref(object->a);
            ouro_decref(object->a);
        } else {
            ouro_decref(object);
        }
        if (i == warm)
            before = measure();
    }
    after = measure();
    tell("types", n, began, &before, &after);
    uint64_t tables = after.raw - before.raw;
    print_message("%.1f bytes a type\n", (double)tables / (double)(n - warm));
    /* Two offsets of four bytes, in a block of 16; and the collector's buffer. */
    assert_true(tables <= n * 16 + (512 << 10));
    assert_int_equal(ouro_check_heap() > 0, heapcheck_alive() > 0);
    /* All else is as it was. */
    before.used += tables + tables / 8;
    before.mapped +=
        after.raw - before.raw + ((size_t)4 << 20); /* chunks of 4 MiB hold the tables */
    before.resident += tables + tables / 8 + ((size_t)1 << 20); /* and the table of types */
    expect_flat(&before, &after);
}

/* -- closures ---------------------------------------------------------------------------------- */

#define CLOSURES 1000000
#define RUNNING  64

struct frame {
    uint64_t steps;
    ouro_closure self; /* what it resumes with: the frame itself */
    ouro_string text;
};
static const struct ouro_field frame_fields[] = {OURO_CLOSURE(struct frame, self),
                                                 OURO_STRING(struct frame, text)};
static struct ouro_type frame_type = {.flags = OURO_EXACT,
                                      .size = sizeof(struct frame),
                                      .align = _Alignof(struct frame),
                                      .name = "frame",
                                      .fields = frame_fields,
                                      .field_count = OURO_COUNT_OF(frame_fields)};

static void resume(struct frame *frame)
{
    KIT_CHECK(ouro_string_append(&frame->text, "step ", 5) == OURO_OK);
    frame->steps++;
}

static ouro_closure start(void)
{
    struct frame *frame = OURO_NEW(struct frame, &frame_type);
    KIT_CHECK(frame != NULL);
    ouro_incref(frame);
    frame->self = (ouro_closure){(ouro_code *)resume, frame};
    return (ouro_closure){(ouro_code *)resume, frame};
}

/* Asynchronous procedures whose environment refers to itself: when one has run to its end, only the
 * collector can find it, by its own triggers. */
static void closures_in_a_row_are_collected_in_time(void **state)
{
    (void)state;
    size_t n = kit_scaled(CLOSURES), begun = 0;
    if (n < CLOSURES / 4)
        n = CLOSURES / 4; /* the first tenth of fewer does not show how high use goes */
    ouro_closure running[RUNNING];
    uint64_t most_early = 0, most = 0;
    double began = seconds();
    struct memory before = measure(), after;
    for (; begun < RUNNING; begun++)
        running[begun] = start();
    for (size_t i = 0; begun < n; i++) {
        ouro_closure *c = &running[i % RUNNING];
        struct frame *frame = c->env;
        ouro_incref(frame); /* the dispatcher's own while it calls */
        ((void (*)(struct frame *))c->code)(frame);
        bool done = frame->steps == 4;
        ouro_decref(frame);
        if (!done)
            continue;
        ouro_decref(c->env);
        *c = start();
        if (++begun % 1000 == 0) {
            struct ouro_stats s;
            ouro_stats_get(&s);
            most = s.used > most ? s.used : most;
            most_early = begun <= n / 10 ? most : most_early;
        }
    }
    for (size_t i = 0; i < RUNNING; i++)
        ouro_decref(running[i].env);
    after = measure();
    tell("closures", n, began, &before, &after);
    print_message("at most %llu KiB in use, in the first tenth %llu\n",
                  (unsigned long long)most >> 10, (unsigned long long)most_early >> 10);
    assert_true(most <= most_early + most_early / 10 + (256 << 10));
    assert_true(after.counted <= before.counted || OURO_CHECKED); /* it keeps dead ones a while */
}

/* -- weak handles ------------------------------------------------------------------------------ */

#define WEAK 200000

/* Cells in all, where no list is longer than a few on the average. */
static size_t weak_cells(void)
{
    size_t cells = 0;
    for (unsigned i = 0; i < OURO__WEAK_BUCKETS; i++) {
        const struct ouro__bucket *bucket = &ouro__self->orc->buckets[i];
        assert_true(bucket->count >> bucket->bits <= 4);
        cells += bucket->count;
    }
    return cells;
}

static void weak_handles_are_found_however_many_there_are(void **state)
{
    (void)state;
    size_t n = kit_scaled(WEAK);
    struct leaf **leaves = calloc(n, sizeof *leaves);
    struct ouro_weak **handles = calloc(n, sizeof *handles);
    KIT_CHECK(leaves != NULL && handles != NULL);
    for (size_t i = 0; i < n; i++) {
        leaves[i] = leaf_new((int64_t)i);
        handles[i] = ouro_weak_new(leaves[i]);
        KIT_CHECK(handles[i] != NULL);
    }
    assert_int_equal(weak_cells(), n);
    for (size_t i = 0; i < n; i++) {
        struct ouro_weak *again = ouro_weak_new(leaves[i]);
        KIT_CHECK(again == handles[i]);
        ouro_weak_decref(again);
        if (i % 2 == 0) {
            ouro_decref(leaves[i]);
            KIT_CHECK(ouro_weak_upgrade(handles[i]) == NULL);
        } else {
            struct leaf *leaf = ouro_weak_upgrade(handles[i]);
            KIT_CHECK(leaf == leaves[i]);
            ouro_decref(leaf);
        }
    }
    assert_int_equal(weak_cells(), n / 2);
    for (size_t i = 0; i < n; i++)
        ouro_weak_decref(handles[i]);
    assert_int_equal(weak_cells(), 0);
    for (size_t i = 1; i < n; i += 2)
        ouro_decref(leaves[i]);
    free(leaves);
    free(handles);
}

/* Ten thousand runtimes: tests of their own, tests/runtime_*.c. */

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(closures_in_a_row_are_collected_in_time),
        kit_test(threads_in_a_row_leave_nothing),
        kit_test(weak_handles_are_found_however_many_there_are),
        kit_test(types_in_a_row_cost_their_tables),
    };
    return kit_run(tests);
}
