/* SPDX-License-Identifier: MIT */
/* heapcheck.c: a checker for the whole heap (the habit of Lua's ltests.c).
 *
 * All live objects go into one array, sorted by address; every reference is looked up there and
 * becomes an edge, so that objects are walked once.
 *   1. headers: merged exactly if there is no owner (I3); both words name the same owner (I11); the
 *      type is known; counts in range; tails end in their blocks
 *   2. every reference leads to a live object, to an immortal one, or to another runtime
 *   3. no object is referred to from objects more often than it is counted (I1)
 *   4. no object of an acyclic type reaches itself: none is in a strongly connected component of
 *      more than itself (Tarjan 1972), nor has an edge to itself
 *   5. in the checked library: nothing that other threads may reach refers to a local-mode object
 *      (K2), and no freed object was written (K3)
 * Objects whose references cannot be told (no descriptor) count as having none. A check that fails
 * has given its memory back before it says so. */
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/pool.h"
#include "alloc/runtime.h"
#include "hooks/walk.h"
#include "orc/checked.h"
#include "orc/leak.h"
#include "orc/state.h"

struct item {
    void *object;
    size_t edges;         /* index of its first edge; they end where the next item's begin */
    uint32_t in;          /* references found so far */
    uint32_t number, low; /* of the search for cycles; 0: not seen, DONE: in a component */
};
#define DONE UINT32_MAX

/* An object whose edges are being followed. */
struct step {
    size_t item, edge;
};

struct check {
    struct ouro_visitor visitor;
    struct item *items; /* one more than count */
    size_t count, room;
    size_t *edges; /* indices of the items that they lead to */
    size_t edge_count, edge_room;
    size_t *stack;     /* items whose component is not known yet */
    struct step *path; /* from the root of the search to where it is */
    size_t depth, path_length;
    uint32_t last_number;
    const void *from; /* whose references are being looked at */
};

static void give_back(struct check *c)
{
    ouro_free(c->items);
    ouro_free(c->edges);
    ouro_free(c->stack);
    ouro_free(c->path);
}

static ouro_word word_of(const void *object)
{
    return ouro__load(&ouro__header(object)->shared);
}

OURO_NORETURN static void fail(struct check *c, ouro_failure_kind kind, const void *object,
                               const char *detail)
{
    give_back(c);
    ouro_fail(kind, object, ouro__type_name(object, word_of(object)), detail);
}

static const struct ouro_type *type_of(const void *object)
{
    return ouro__type_of(object, word_of(object));
}

/* -- all objects ------------------------------------------------------------------------------- */

static void add_place(const struct ouro__place *place, void *arg)
{
    struct check *c = arg;
    for (size_t i = 0; i < place->blocks; i++) {
        void *object = ouro__object_in(place->block + i * place->bytes);
        if (object && c->count < c->room)
            c->items[c->count] = (struct item){.object = object};
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
    struct item key = {.object = object};
    return c->count ? bsearch(&key, c->items, c->count, sizeof key, by_address) : NULL;
}

static bool is_frozen(ouro_word b)
{
    return ouro__load(&ouro__tokens[b & OURO__OWNER_MASK].holder) == OURO__FROZEN;
}

static void check_header(struct check *c, void *object)
{
    const struct ouro_header *h = ouro__header(object);
    ouro_word b = word_of(object);
    const struct ouro_type *type = type_of(object);
    struct ouro__place place = ouro__place_of(object);
    if (type && type->tail &&
        ouro__value_size(object, type) > (size_t)(place.block + place.bytes - (char *)object))
        fail(c, OURO_FAIL_CORRUPT, object, "its tail reaches beyond its block");
    bool merged = b & OURO__MERGED,
         owned = (b & OURO__OWNER_MASK) != OURO__MERGED_OWNER && !ouro__is_walked(b);
    if (merged == owned && !(b & OURO__IMMORTAL))
        fail(c, OURO_FAIL_CORRUPT, object, "its owner and its flags contradict each other");
    if (b & OURO__IMMORTAL)
        return;
    if (!merged && is_frozen(b))
        return; /* its owner may have been in the middle of anything when the process was forked */
    if (!merged && ((ouro__half_load(&h->local) ^ b) & OURO__OWNER_MASK))
        fail(c, OURO_FAIL_CORRUPT, object, "its two words name different owners");
    int64_t count = ouro__count_of(b);
    if (merged ? count <= 0 : ouro__local_count(ouro__half_load(&h->local)) + count <= 0)
        fail(c, OURO_FAIL_CORRUPT, object, "alive, but nothing refers to it");
}

/* -- references -------------------------------------------------------------------------------- */

static void add_edge(struct ouro_visitor *self, void *object)
{
    struct check *c = (struct check *)(void *)self;
    struct item *item = find(c, object);
    if (!item) {
        const struct ouro_runtime *of = ouro__runtime_of(object);
        if (of && of != ouro_runtime_current())
            return;
        if (ouro__place_of(object).kind == OURO__PAGE_UNUSED && /* a static object */
            (word_of(object) & OURO__IMMORTAL))
            return;
        fail(c, OURO_FAIL_USE_AFTER_FREE, c->from,
             "a reference in it leads to an object that is gone");
    }
    if (OURO_CHECKED && ouro__checked_escapes(c->from, object))
        fail(c, OURO_FAIL_WRONG_THREAD, object,
             "counted by local mode, but an object that other threads may reach refers to it");
    item->in++;
    if (c->edge_count < c->edge_room)
        c->edges[c->edge_count] = (size_t)(item - c->items);
    c->edge_count++;
}
OURO__DEFINE_VISIT(visit_edge, add_edge)

/* Counts references (room for edges: 0), or writes them down. */
static void walk_all(struct check *c)
{
    c->visitor.visit = visit_edge;
    c->edge_count = 0;
    for (size_t i = 0; i < c->count; i++) {
        struct item *item = &c->items[i];
        item->edges = c->edge_count;
        c->from = item->object;
        const struct ouro_type *type = type_of(item->object);
        if (type)
            ouro__each_ref(item->object, type, &c->visitor, add_edge);
    }
    c->items[c->count].edges = c->edge_count;
}

static void check_counts(struct check *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct item *item = &c->items[i];
        ouro_word b = word_of(item->object);
        if (!(b & OURO__IMMORTAL) && (int64_t)item->in > ouro_count(item->object))
            fail(c, OURO_FAIL_OVER_RELEASE, item->object,
                 "more references lead to it than it counts");
    }
}

/* -- acyclic objects in cycles ----------------------------------------------------------------- */

static void check_member(struct check *c, const struct item *item)
{
    const struct ouro_type *type = type_of(item->object);
    if (type && (type->flags & OURO_ACYCLIC))
        fail(c, OURO_FAIL_WRONG_ACYCLIC, item->object,
             "its type is marked acyclic, but it is part of a cycle");
}

static void enter(struct check *c, size_t at)
{
    c->items[at].number = c->items[at].low = ++c->last_number;
    c->stack[c->depth++] = at;
    c->path[c->path_length++] = (struct step){at, c->items[at].edges};
}

/* All that `root` reaches was seen. If nothing earlier can be reached from it, what lies above it
 * on the stack is its component. */
static void leave(struct check *c, size_t root)
{
    if (--c->path_length > 0) {
        struct item *before = &c->items[c->path[c->path_length - 1].item];
        if (c->items[root].low < before->low)
            before->low = c->items[root].low;
    }
    if (c->items[root].low != c->items[root].number)
        return;
    bool alone = c->stack[c->depth - 1] == root;
    size_t member;
    do {
        member = c->stack[--c->depth];
        c->items[member].number = DONE;
        if (!alone)
            check_member(c, &c->items[member]);
    } while (member != root);
}

static void search_from(struct check *c, size_t start)
{
    enter(c, start);
    while (c->path_length > 0) {
        struct step *step = &c->path[c->path_length - 1];
        struct item *item = &c->items[step->item];
        if (step->edge == item[1].edges) {
            leave(c, step->item);
            continue;
        }
        size_t to = c->edges[step->edge++];
        const struct item *target = &c->items[to];
        if (target == item)
            check_member(c, item);
        if (target->number == 0)
            enter(c, to);
        else if (target->number != DONE && target->number < item->low)
            item->low = target->number;
    }
}

size_t ouro_check_heap(void)
{
    if (!ouro__heaps_exist() || ouro__supply()->block)
        return 0;
    if (OURO_CHECKED)
        ouro__checked_look();
    struct check c = {.room = 0};
    ouro__arena_each(OURO__COUNTED, add_place, &c);
    c.room = c.count;
    c.items = ouro_malloc((c.room + 1) * sizeof *c.items);
    c.stack = ouro_malloc((c.room + 1) * sizeof *c.stack);
    c.path = ouro_malloc((c.room + 1) * sizeof *c.path);
    c.count = 0;
    if (c.items && c.stack && c.path && c.room < DONE) {
        ouro__arena_each(OURO__COUNTED, add_place, &c);
        qsort(c.items, c.count, sizeof *c.items, by_address);
        for (size_t i = 0; i < c.count; i++)
            check_header(&c, c.items[i].object);
        walk_all(&c);
        check_counts(&c);
        c.edge_room = c.edge_count;
        c.edges = ouro_malloc((c.edge_room + 1) * sizeof *c.edges);
        if (c.edges)
            walk_all(&c);
        for (size_t i = 0; i < c.count && c.edges; i++) {
            if (c.items[i].number == 0)
                search_from(&c, i);
        }
    }
    size_t count = c.edges ? c.count : 0;
    give_back(&c);
    return count;
}
