/* SPDX-License-Identifier: MIT */
/* isolate.c: the proof that nobody outside refers into a graph. Its other end: extract.c.
 *
 * Problem: a graph is to change its owner. Its counts tell how many references there are to each
 * object; if the graph itself, and the handle, explain all of them, there are no others. That is
 * one walk, with the array and the rings of a capture (orc/capture.h), from one root. Protocol:
 * docs/counts.md, Tokens, hand-over; models: proof.pml, and isolate.pml for weak handles.
 *
 *  D1  Every object that is reached is held by this thread, or merged; Q and S are clear, but for
 *      the Q of a merged candidate of this thread, whose entry owns one reference. Or it may be
 *      outside: then it is not looked into.
 *  D2  trial of an entry = references counted when it was scanned - references found in the graph;
 *      the root's, which is the handle's, counts as found. All are 0 in the end.
 *  D3  The shared words are the same at a second look, after the last first look. T is clear at the
 *      first, so a drop in between leaves it set. So at some instant between the looks no object of
 *      the graph had a reference from outside; and who has none then cannot get any. Merged and
 *      acyclic objects have no T: the program promises that no other thread counts on those
 *      meanwhile (isolated.h).
 *  D4  Of an object with W the handles of its cell and its counts are read with the cell's lock,
 *      and all of the handles lie in the graph: nobody outside can make one a reference. So it is
 *      at the second look: who was in the graph may have taken one there.
 *  D5  Until D1 to D4 are shown nothing is written but visited words of objects that this thread
 *      holds, and T; all are put back if they are not. Then nobody else has anything of the graph,
 *      and plain stores do.
 *  D6  On its way a graph carries the sender's token, and its visited words are not 0, so that who
 *      looks for lost candidates in pages passes it over; nobody refers to it. The receiver writes
 *      both words anew: one touch an object, in the order of the walk.
 *
 * Acyclic objects have no visited word to spare: one with a single reference has been explained by
 * the one that led to it; others are looked up by their addresses. */
#include "isolate/isolated.h"
#include "alloc/pool.h"
#include "hooks/copying.h"
#include "isolate/escape.h"
#include "isolate/handle.h"
#include "orc/capture.h"
#include "orc/weak.h"

#include <string.h>

struct walk {
    struct ouro__capture c;  /* first: visitors are cast to it */
    struct ouro_memo shared; /* acyclic objects with several references: index + 1 */
    struct ouro_memo all;    /* where there are weak or borrowed references: all, as in shared */
    uint32_t *places;        /* of the candidates that were reached, in the order of entries */
    uint32_t reached, places_room;
    size_t handles; /* of cells of the graph's objects */
    bool links;     /* some type has weak or borrowed references */
    ouro_status status;
    struct ouro_escape why;
};

#define ENTRY_CANDIDATE OURO__ENTRY_ROOT

/* -- refusals ---------------------------------------------------------------------------------- */

static void stop(struct walk *w, ouro_status status)
{
    if (w->status == OURO_OK)
        w->status = status;
    w->c.failed = true;
}

static void escapes(struct walk *w, ouro_escape_kind kind, const void *object, size_t references)
{
    if (w->status == OURO_OK) {
        w->why.kind = kind;
        w->why.object = object;
        w->why.references = references;
    }
    stop(w, OURO_NOT_ISOLATED);
}

/* -- entries ----------------------------------------------------------------------------------- */

/* Room for one more than `count` words of `size` bytes; false: no memory, and nothing changed. */
static bool grow(void *array, uint32_t *room, uint32_t count, size_t size)
{
    void *old;
    memcpy(&old, array, sizeof old); /* a pointer of any type */
    if (count < *room)
        return true;
    uint32_t more = *room ? 2 * *room : 64;
    void *fresh = ouro__realloc_alone(old, more * size);
    if (!fresh)
        return false;
    memcpy(array, &fresh, sizeof fresh);
    *room = more;
    return true;
}

static bool room_for_one(struct walk *w)
{
    struct ouro__capture *c = &w->c;
    struct ouro__visited *v = c->v;
    if (v->count == v->capacity && !ouro__visited_grow(v))
        return false;
    c->entries = v->entries;
    return grow(&c->seen, &c->seen_capacity, v->count - c->candidates, sizeof *c->seen);
}

static bool note_place(struct walk *w, uint32_t place)
{
    if (!grow(&w->places, &w->places_room, w->reached, sizeof *w->places))
        return false;
    w->places[w->reached++] = place;
    return true;
}

/* An object is reached for the first time, by one reference. Its index; UINT32_MAX: no memory. */
static uint32_t add_entry(struct walk *w, void *object, uint32_t link)
{
    struct ouro__capture *c = &w->c;
    if (OURO_UNLIKELY(!room_for_one(w))) {
        stop(w, OURO_NO_MEMORY);
        return UINT32_MAX;
    }
    uint32_t index = c->v->count++;
    c->entries[index] = (struct ouro__entry){object, -1, link};
    return index;
}

static void arrive_fresh(struct walk *w, void *object)
{
    uint32_t index = add_entry(w, object, 0);
    if (index != UINT32_MAX)
        ouro__half_store(&ouro__header(object)->visited, index + 1);
}

/* A candidate of this thread: it gets an entry of this walk beside its own. */
static void arrive_candidate(struct walk *w, void *object, ouro_half place)
{
    uint32_t claimed = w->c.entries[place - 1].link & OURO__ENTRY_CLAIMED;
    uint32_t index = add_entry(w, object, ENTRY_CANDIDATE | claimed);
    if (index == UINT32_MAX)
        return;
    if (!note_place(w, place)) {
        w->c.entries[index].link &= ~ENTRY_CANDIDATE; /* its word still says the place */
        stop(w, OURO_NO_MEMORY);
        return;
    }
    ouro__half_store(&ouro__header(object)->visited, index + 1);
}

static void arrive_acyclic(struct walk *w, void *object, ouro_word b)
{
    struct ouro_header *h = ouro__header(object);
    if (OURO_LIKELY(ouro__references(h, b) == 1)) {
        add_entry(w, object, 0);
        return;
    }
    uintptr_t known = (uintptr_t)ouro__memo_find(&w->shared, object);
    if (known) {
        w->c.entries[known - 1].trial--;
        return;
    }
    if (ouro__memo_reserve(&w->shared) != OURO_OK) {
        stop(w, OURO_NO_MEMORY);
        return;
    }
    uint32_t index = add_entry(w, object, 0);
    void *as = (void *)((uintptr_t)index + 1);
    if (index != UINT32_MAX)
        ouro__memo_add(&w->shared, (struct ouro__memo_entry){object, as, NULL});
}

/* -- the walk ---------------------------------------------------------------------------------- */

static bool is_elsewhere(const struct walk *w, const void *object)
{
    return w->c.mixed && ouro__runtime_of(object) != w->c.me->orc->runtime;
}

/* What is not plainly this thread's. False: it is outside, where it may be, or the walk is over. */
static OURO_NOINLINE bool belongs_out(struct walk *w, void *object, ouro_word b)
{
    if (is_elsewhere(w, object)) {
        escapes(w, OURO_ESCAPE_OUT, object, 0);
        return false;
    }
    if (b & OURO__IMMORTAL)
        return false;
    if ((b & OURO__MERGED) || ouro__holds(w->c.me, b))
        return true;
    const struct ouro_type *type = ouro__type_of(object, b);
    if (!type || !(type->flags & (OURO_SHARED | OURO_IMMUTABLE)))
        escapes(w, OURO_ESCAPE_OUT, object, 0);
    return false;
}

static const struct ouro__search isolating;

static void arrive(struct ouro__capture *c, struct ouro__edge edge)
{
    struct walk *w = (struct walk *)(void *)c;
    struct ouro_header *h = ouro__header(edge.target);
    ouro_word b = ouro__load(&h->shared);
    bool own = (b & (OURO__OWNER_MASK | OURO__IMMORTAL)) == c->own;
    if (OURO_UNLIKELY(c->failed) || (OURO_UNLIKELY(!own) && !belongs_out(w, edge.target, b)))
        return;
    ouro_half visited = ouro__half_load(&h->visited);
    if (visited > c->candidates && visited <= c->v->count && /* an index of this walk: V1 */
        (OURO_LIKELY(!(b & OURO__MERGED)) || ouro__is_entry_of(c, edge.target, visited))) {
        ouro__capture_later(c, &isolating, visited - 1);
        return;
    }
    const struct ouro_type *type = ouro__type_of(edge.target, b);
    if (OURO_UNLIKELY(!type || ouro__is_bare_type(type)))
        escapes(w, OURO_ESCAPE_BAD_TYPE, edge.target, 0);
    else if (type->flags & (OURO_SHARED | OURO_IMMUTABLE))
        return;
    else if (visited == OURO__ACYCLIC)
        arrive_acyclic(w, edge.target, b);
    else if (visited == 0 && (b & OURO__QUEUED)) /* claimed by another thread, or on its way */
        stop(w, OURO_BUSY);
    else if (visited == 0)
        arrive_fresh(w, edge.target);
    else if (ouro__is_entry_of(c, edge.target, visited))
        arrive_candidate(w, edge.target, visited);
    else
        stop(w, OURO_BUSY); /* merged, and another thread's candidate */
}

static void explain_one(struct ouro__capture *c, uint32_t index)
{
    c->entries[index].trial--;
}

/* The shared word as it is at first sight, T clear (D3). */
static ouro_word first_look(struct ouro_header *h)
{
    /* Acquire: pairs with foreign drops and with the ends of foreign stores, as in a capture. */
    ouro_word b = ouro__load_acquire(&h->shared);
    if (!ouro__can_cycle(h))
        return b; /* T of such tells of exhaustion (exhaust.c) */
    while ((b & OURO__TOUCHED) && !(b & OURO__STORING) &&
           !ouro__cas_full(&h->shared, &b, b & ~OURO__TOUCHED))
        continue;
    return b & OURO__TOUCHED && !(b & OURO__STORING) ? b & ~OURO__TOUCHED : b;
}

static int32_t handles_of(const struct walk *w, const void *object)
{
    unsigned bucket = ouro__weak_bucket(object);
    ouro__weak_lock(w->c.me->orc, bucket);
    size_t handles = ouro__weak_handles(w->c.me->orc, object);
    ouro__weak_unlock(w->c.me->orc, bucket);
    return handles < INT32_MAX ? (int32_t)handles : INT32_MAX;
}

/* D4. */
static OURO_NOINLINE int32_t look_at_cell(struct walk *w, void *object, ouro_word *b)
{
    struct ouro_header *h = ouro__header(object);
    unsigned bucket = ouro__weak_bucket(object);
    ouro__weak_lock(w->c.me->orc, bucket);
    w->handles += ouro__weak_handles(w->c.me->orc, object);
    *b = first_look(h);
    int32_t references = ouro__references(h, *b);
    ouro__weak_unlock(w->c.me->orc, bucket);
    return references;
}

static void look_at(struct ouro__capture *c, uint32_t index)
{
    struct walk *w = (struct walk *)(void *)c;
    struct ouro__entry *entry = &c->entries[index];
    struct ouro_header *h = ouro__header(entry->object);
    bool claimed = (entry->link & OURO__ENTRY_CLAIMED) != 0;
    ouro_word b = first_look(h);
    int32_t references = ouro__references(h, b);
    if (OURO_UNLIKELY(b & OURO__WEAK))
        references = look_at_cell(w, entry->object, &b);
    if (OURO_UNLIKELY((b & OURO__STORING) || (!claimed && (b & OURO__QUEUED))))
        stop(w, OURO_BUSY);
    entry->trial += references - claimed;
    c->seen[index - c->candidates] = b;
    w->links |= (ouro__type_of(entry->object, b)->state & OURO__TYPE_LINKS) != 0;
}

static void found_slot(struct ouro_visitor *self, void *object)
{
    ouro__edge_found((struct ouro__capture *)(void *)self, &isolating, object, NULL);
}

OURO__DEFINE_SEARCH_VISIT(visit_slot, isolating)

/* Breadth first, so that objects can be fetched before their turn: of a large graph that lives an
 * object is seldom still in the cache when its references are read. */
static void walk_all(struct ouro__capture *c)
{
    uint32_t i = c->candidates;
    for (;;) {
        if (i < c->v->count && !c->failed) {
            if (i + OURO__AHEAD < c->v->count)
                OURO_PREFETCH(ouro__header(c->entries[i + OURO__AHEAD].object));
            void *object = c->entries[i].object;
            c->scanning = i;
            look_at(c, i++);
            ouro_word b = ouro__load(&ouro__header(object)->shared);
            ouro__each_ref(object, ouro__type_of(object, b), &c->visitor, found_slot);
        } else if (c->head != c->tail) {
            arrive(c, c->ring[c->head++ % OURO__RING]);
        } else if (c->late_head != c->late_tail) {
            explain_one(c, c->late[c->late_head++ % OURO__LATE]);
        } else {
            return;
        }
    }
}

static const struct ouro__search isolating = {
    arrive, explain_one, look_at, ouro__search_nothing, found_slot, visit_slot};

/* -- weak and borrowed references -------------------------------------------------------------- */

struct link_check {
    struct ouro__links links;
    struct walk *w;
    size_t inside; /* handles found that stand for objects of the graph */
};

static bool check_link(struct ouro__links *links, void **slot, enum ouro_field_kind kind)
{
    struct link_check *check = OURO_CONTAINER_OF(links, struct link_check, links);
    const void *object = *slot;
    if (object && kind == OURO_FIELD_WEAK)
        object = ouro__weak_target(*slot);
    if (!object)
        return true;
    uintptr_t place = (uintptr_t)ouro__memo_find(&check->w->all, object);
    if (!place) {
        escapes(check->w, OURO_ESCAPE_WEAK_OUT, object, 0);
    } else if (kind == OURO_FIELD_WEAK) {
        check->w->c.entries[place - 1].trial++;
        check->inside++;
    }
    return true; /* a walk that is left leaves sequences as they must not stay */
}

static bool list_all(struct walk *w)
{
    const struct ouro__capture *c = &w->c;
    for (uint32_t i = c->candidates; i < c->v->count; i++) {
        if (ouro__memo_reserve(&w->all) != OURO_OK)
            return false;
        void *as = (void *)((uintptr_t)i + 1);
        ouro__memo_add(&w->all, (struct ouro__memo_entry){c->entries[i].object, as, NULL});
    }
    return true;
}

/* Some handle is outside: of an object whose cell has more than were found. */
static void name_weak_in(struct walk *w)
{
    const struct ouro__capture *c = &w->c;
    for (uint32_t i = c->candidates; i < c->v->count; i++) {
        const struct ouro__entry *entry = &c->entries[i];
        if (!(c->seen[i - c->candidates] & OURO__WEAK))
            continue;
        int32_t more = handles_of(w, entry->object) - entry->trial;
        if (more > 0) {
            escapes(w, OURO_ESCAPE_WEAK_IN, entry->object, (size_t)more);
            return;
        }
    }
    stop(w, OURO_BUSY); /* it has just gone */
}

/* All counts are explained, and all trials 0: now they count the handles that are found. */
static void check_links(struct walk *w)
{
    const struct ouro__capture *c = &w->c;
    struct link_check check = {{check_link}, w, 0};
    if (w->links && !list_all(w)) {
        stop(w, OURO_NO_MEMORY);
        return;
    }
    for (uint32_t i = c->candidates; w->links && i < c->v->count; i++) {
        void *object = c->entries[i].object;
        const struct ouro_type *type = ouro__type_of(object, c->seen[i - c->candidates]);
        if (type->state & OURO__TYPE_LINKS)
            (void)ouro__each_link(object, type, &check.links);
    }
    if (check.inside != w->handles)
        name_weak_in(w);
}

/* -- the verdict ------------------------------------------------------------------------------- */

static void check_counts(struct walk *w)
{
    const struct ouro__capture *c = &w->c;
    for (uint32_t i = c->candidates; i < c->v->count; i++) {
        if (OURO_UNLIKELY(c->entries[i].trial != 0)) {
            escapes(w, OURO_ESCAPE_IN, c->entries[i].object, (size_t)c->entries[i].trial);
            return;
        }
    }
}

/* D3. The first looks were acquires, so these loads come after all of them. */
static void look_again(struct walk *w)
{
    const struct ouro__capture *c = &w->c;
    for (uint32_t i = c->candidates; i < c->v->count && !c->failed; i++) {
        const struct ouro__entry *entry = &c->entries[i];
        if (i + OURO__AHEAD < c->v->count)
            OURO_PREFETCH(ouro__header(entry[OURO__AHEAD].object));
        ouro_word seen = c->seen[i - c->candidates];
        if (OURO_UNLIKELY(ouro__load_acquire(&ouro__header(entry->object)->shared) != seen) ||
            (OURO_UNLIKELY(seen & OURO__WEAK) && handles_of(w, entry->object) != entry->trial))
            stop(w, OURO_BUSY);
    }
}

/* All words as they were. */
static void put_back(struct walk *w)
{
    const struct ouro__capture *c = &w->c;
    uint32_t next = 0;
    for (uint32_t i = c->candidates; i < c->v->count; i++) {
        const struct ouro__entry *entry = &c->entries[i];
        struct ouro_header *h = ouro__header(entry->object);
        if (entry->link & ENTRY_CANDIDATE)
            ouro__half_store(&h->visited, w->places[next++]);
        else if (ouro__half_load(&h->visited) == i + 1)
            ouro__half_store(&h->visited, 0);
    }
    c->v->count = c->candidates;
}

/* The graph is nobody's any more (D6). What is reached lives, so it is no candidate. */
static void take_out(struct walk *w, struct ouro_isolated *handle)
{
    const struct ouro__capture *c = &w->c;
    uint32_t count = c->v->count - c->candidates, next = 0;
    handle->count = count;
    handle->plain = false;
    c->v->count = c->candidates;
    for (uint32_t i = 0; i < count; i++) {
        struct ouro__entry entry = c->v->entries[c->candidates + i];
        handle->objects[i] = entry.object;
        handle->plain |= !(c->seen[i] & OURO__MERGED);
        if (OURO_UNLIKELY(entry.link & ENTRY_CANDIDATE))
            ouro__half_store(&ouro__header(entry.object)->visited, w->places[next++]);
    }
    /* Each has its place now: forgetting one moves others. */
    for (uint32_t i = 0; next > 0 && i < count; i++) {
        struct ouro__entry entry = c->v->entries[c->candidates + i];
        struct ouro_header *h = ouro__header(entry.object);
        if (!(entry.link & ENTRY_CANDIDATE))
            continue;
        ouro__forget(c->me, h);
        ouro__half_store(&h->visited, c->candidates + i + 1); /* D6 */
        if (entry.link & OURO__ENTRY_CLAIMED)
            ouro__store(&h->shared, (ouro__load(&h->shared) & ~OURO__QUEUED) - OURO__UNIT);
    }
}

static struct ouro_isolated *prove(struct walk *w, void *root)
{
    struct ouro__capture *c = &w->c;
    arrive(c, (struct ouro__edge){root, NULL, 0});
    walk_all(c);
    bool reached = c->v->count > c->candidates;
    if (!c->failed && !reached) /* of a kind that is never in a graph */
        escapes(w, OURO_ESCAPE_OUT, root, 0);
    if (!c->failed)
        check_counts(w);
    if (!c->failed && (w->links || w->handles > 0))
        check_links(w);
    struct ouro_isolated *handle = NULL;
    size_t bytes = (c->v->count - c->candidates) * sizeof(void *);
    if (!c->failed && !(handle = ouro__realloc_alone(NULL, sizeof *handle + bytes)))
        stop(w, OURO_NO_MEMORY);
    if (!c->failed)
        look_again(w);
    if (!c->failed) {
        take_out(w, handle);
        return handle;
    }
    put_back(w);
    ouro_free(handle);
    return NULL;
}

static void explain(struct ouro_escape *why, const struct walk *w, void *root)
{
    *why = w->why;
    why->type_name = NULL;
    /* What a borrowed pointer leads to may be anything, and what a weak one does may have died. */
    if (why->kind != OURO_ESCAPE_WEAK_OUT) {
        ouro_word b = ouro__load(&ouro__header(why->object)->shared);
        const struct ouro_type *type = ouro__type_of(why->object, b);
        why->type_name = type ? type->name : NULL;
    }
    ouro__escape_path(why->path, sizeof why->path, root, why->object);
}

ouro_status ouro_isolate(void *root, struct ouro_isolated **handle, struct ouro_escape *why)
{
    if (!root || !handle)
        return OURO_BAD_ARGUMENT;
    *handle = NULL;
    struct ouro__thread *me = ouro__me();
    if (!me)
        return OURO_NO_MEMORY;
    struct ouro__visited *v = &me->visited;
    if (v->collecting || me->releasing)
        return OURO_BUSY;
    ouro__poll_tokens(me);
    struct walk w = {.c = {.me = me, .v = v, .entries = v->entries, .candidates = v->count}};
    w.c.visitor.visit = isolating.visit;
    w.c.mixed = ouro__load(&ouro__more_runtimes) != 0;
    w.c.own = w.c.mixed ? ~(ouro_word)0 : me->home;
    bool pleading = ouro__own.pleading;
    ouro__own.pleading = true; /* the memory callback may drop objects, and collect */
    ouro__arena_hold();        /* V7 of capture.c: others may free what they empty slots of */
    *handle = prove(&w, root);
    if (!*handle && w.status == OURO_NOT_ISOLATED && why)
        explain(why, &w, root);
    ouro__arena_release();
    ouro__memo_end(&w.shared);
    ouro__memo_end(&w.all);
    ouro_free(w.c.seen);
    ouro_free(w.places);
    ouro__own.pleading = pleading;
    if (*handle)
        ouro__tool_release(*handle);
    return w.status;
}
