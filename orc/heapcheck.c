/* SPDX-License-Identifier: MIT */
/* heapcheck.c: a checker for the whole heap (the habit of Lua's ltests.c).
 *
 * All live objects go into one array, sorted by address; every reference is looked up there.
 *   1. headers: merged exactly if there is no owner (I3); the type is known; counts in range
 *   2. every reference leads to a live object, or to an immortal one
 *   3. no object is referred to from objects more often than it is counted (I1)
 *   4. no object of an acyclic type reaches itself
 * Objects whose references cannot be told (no descriptor) count as having none. */
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/pool.h"
#include "hooks/walk.h"
#include "orc/leak.h"
#include "orc/object.h"
#include "orc/state.h"

struct item {
    void *object;
    uint32_t in;   /* references found so far */
    uint32_t mark; /* the search that saw it last */
};

struct check {
    struct ouro_visitor visitor;
    struct item *items;
    size_t count, room;
    size_t *stack; /* of the search for cycles */
    size_t depth;
    uint32_t search;
    struct item *from; /* whose references are being looked at */
    bool found;
};

static void add_place(const struct ouro__place *place, void *arg)
{
    struct check *c = arg;
    for (size_t i = 0; i < place->blocks; i++) {
        void *object = ouro__object_in(place->block + i * place->bytes);
        if (object && c->count < c->room)
            c->items[c->count] = (struct item){object, 0, 0};
        c->count += object != NULL;
    }
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct item *)a)->object;
    uintptr_t y = (uintptr_t)((const struct item *)b)->object;
    return x < y ? -1 : x > y;
}

static struct item *find(const struct check *c, void *object)
{
    struct item key = {object, 0, 0};
    return c->count ? bsearch(&key, c->items, c->count, sizeof key, by_address) : NULL;
}

static ouro_word word_of(const void *object)
{
    return ouro__load(&ouro__header(object)->shared);
}

OURO_NORETURN static void fail(ouro_failure_kind kind, const void *object, const char *detail)
{
    ouro_fail(kind, object, ouro__type_name(object, word_of(object)), detail);
}

static void check_header(void *object)
{
    const struct ouro_header *h = ouro__header(object);
    ouro_word b = word_of(object);
    bool merged = b & OURO__MERGED, owned = (b & OURO__OWNER_MASK) != OURO__NOBODY;
    if (merged == owned && !(b & OURO__IMMORTAL))
        fail(OURO_FAIL_CORRUPT, object, "its owner and its flags contradict each other");
    if (b & OURO__IMMORTAL)
        return;
    int64_t count = ouro__count_of(b);
    if (merged ? count <= 0 : ouro__local_count(ouro__half_load(&h->local)) + count <= 0)
        fail(OURO_FAIL_CORRUPT, object, "alive, but nothing refers to it");
}

static const struct ouro_type *type_of(const void *object)
{
    return ouro__type_of(object, word_of(object));
}

/* -- counting references ----------------------------------------------------------------------- */

static void count_reference(struct ouro_visitor *self, void **slot, const struct ouro_type *target)
{
    (void)target;
    struct check *c = (struct check *)(void *)self;
    struct item *item = find(c, *slot);
    if (item)
        item->in++;
    else if (!(ouro__place_of(*slot).kind == OURO__PAGE_UNUSED && /* a static object */
               (word_of(*slot) & OURO__IMMORTAL)))
        fail(OURO_FAIL_USE_AFTER_FREE, c->from->object,
             "a reference in it leads to an object that is gone");
}

static void count_references(struct check *c)
{
    c->visitor.visit = count_reference;
    for (size_t i = 0; i < c->count; i++) {
        c->from = &c->items[i];
        const struct ouro_type *type = type_of(c->from->object);
        if (type)
            ouro__each_ref(c->from->object, type, &c->visitor, count_reference);
    }
    for (size_t i = 0; i < c->count; i++) {
        const struct item *item = &c->items[i];
        ouro_word b = word_of(item->object);
        if (!(b & OURO__IMMORTAL) && (int64_t)item->in > ouro_count(item->object))
            fail(OURO_FAIL_OVER_RELEASE, item->object,
                 "more references lead to it than it counts");
    }
}

/* -- acyclic objects in cycles ----------------------------------------------------------------- */

static void reach(struct ouro_visitor *self, void **slot, const struct ouro_type *target)
{
    (void)target;
    struct check *c = (struct check *)(void *)self;
    struct item *item = find(c, *slot);
    c->found = c->found || item == c->from;
    if (!item || item->mark == c->search)
        return;
    item->mark = c->search;
    c->stack[c->depth++] = (size_t)(item - c->items);
}

static bool reaches_itself(struct check *c, struct item *from)
{
    c->from = from;
    c->found = false;
    c->search++;
    c->depth = 0;
    c->stack[c->depth++] = (size_t)(from - c->items);
    while (c->depth > 0 && !c->found) {
        void *object = c->items[c->stack[--c->depth]].object;
        const struct ouro_type *type = type_of(object);
        if (type)
            ouro__each_ref(object, type, &c->visitor, reach);
    }
    return c->found;
}

static void check_acyclic(struct check *c)
{
    c->visitor.visit = reach;
    for (size_t i = 0; i < c->count; i++) {
        const struct ouro_type *type = type_of(c->items[i].object);
        if (type && (type->flags & OURO_ACYCLIC) && (type->state & OURO__TYPE_TRACED) &&
            reaches_itself(c, &c->items[i]))
            fail(OURO_FAIL_WRONG_ACYCLIC, c->items[i].object,
                 "its type is marked acyclic, but it is part of a cycle");
    }
}

size_t ouro_check_heap(void)
{
    if (!ouro__heaps_exist() || ouro__supply()->block)
        return 0;
    struct check c = {.room = 0};
    ouro__arena_each(OURO__COUNTED, add_place, &c);
    c.room = c.count;
    c.items = ouro_malloc((c.room + 1) * sizeof *c.items);
    c.stack = ouro_malloc((c.room + 1) * sizeof *c.stack);
    c.count = 0;
    if (c.items && c.stack) {
        ouro__arena_each(OURO__COUNTED, add_place, &c);
        qsort(c.items, c.count, sizeof *c.items, by_address);
        for (size_t i = 0; i < c.count; i++)
            check_header(c.items[i].object);
        count_references(&c);
        check_acyclic(&c);
    }
    ouro_free(c.items);
    ouro_free(c.stack);
    return c.count;
}
