/* SPDX-License-Identifier: MIT */
/* walk.c: reaches all of a graph that is to be isolated, once.
 *
 *  P1  Object i of the graph says base + i + 1 in its visited word, above all candidates of the
 *      thread; acyclic objects have no word to spare: one with a single reference has been found by
 *      the one that led to it, others are looked up by their addresses.
 *  P2  open = references counted in the objects so far, less those found to them. The root's, which
 *      is the handle's, counts as found. No object has fewer than were found to it, as long as
 *      nobody else counts (D3); so if the sum is 0, each has as many.
 *
 * Breadth first, so that an object can be fetched before its turn: of a large graph that lives
 * it is seldom still in the cache when its references are read. What changes with every
 * reference stands in a variable of the loop (`f`), and in the proof's own while anything is
 * called out of line. */
#include "isolate/walk.h"
#include "alloc/pool.h"

#include <string.h>

/* -- refusals ---------------------------------------------------------------------------------- */

void ouro__proof_stop(struct ouro__proof *p, ouro_status status)
{
    if (p->status == OURO_OK)
        p->status = status;
    p->failed = true;
}

void ouro__proof_escapes(struct ouro__proof *p, ouro_escape_kind kind, const void *object,
                         size_t references)
{
    if (p->status == OURO_OK)
        p->why = (struct ouro_escape){.kind = kind, .object = object, .references = references};
    ouro__proof_stop(p, OURO_NOT_ISOLATED);
}

/* -- room -------------------------------------------------------------------------------------- */

bool ouro__proof_grow(void *array, uint32_t *room, uint32_t count, size_t size)
{
    void *old;
    memcpy(&old, array, sizeof old); /* a pointer of any type */
    if (count < *room)
        return true;
    uint32_t more = *room ? 2 * *room : 16;
    void *fresh = ouro__realloc_alone(old, more * size);
    if (!fresh)
        return false;
    memcpy(array, &fresh, sizeof fresh);
    *room = more;
    return true;
}

/* The lists may be of different lengths, where memory was refused. */
static OURO_NOINLINE bool more_room(struct ouro__proof *p)
{
    struct ouro__front *f = &p->f;
    struct ouro__list *objects = &p->handle->objects;
    if (p->base + f->count + OURO__PART >= OURO__ENTRY_INDEX ||
        (objects->room <= f->count && !ouro__list_grow(objects)) ||
        (p->seen.room <= f->count && !ouro__list_grow(&p->seen)))
        return false;
    f->room = p->seen.room;
    f->put = ouro__list_at(objects, f->count);
    f->see = ouro__list_at(&p->seen, f->count);
    if (f->count >= OURO__MANY && p->late == UINT32_MAX && (p->noted = ouro__noted_abroad()) != 0)
        p->late = f->count;
    return true;
}

/* -- looks ------------------------------------------------------------------------------------- */

/* Of a merged object: it is marked (D3), and where a visited word is to be written, claimed as a
 * candidate is: Q keeps others from writing it, and the claim owns a reference. Refused (what it
 * returns shows no mark): somebody else has the claim or the mark, or stores into it. */
static ouro_word mark(struct ouro_header *h, ouro_word b, bool claimed)
{
    bool claim = ouro__can_cycle(h) && !claimed;
    while (!ouro__is_walked(b) && !(b & OURO__STORING) && !((b & OURO__QUEUED) && !claimed)) {
        ouro_word marked = (b & ~(OURO__OWNER_MASK | OURO__TOUCHED)) | OURO__WALKED_OWNER;
        if (claim)
            marked = (marked | OURO__QUEUED) + OURO__UNIT;
        if (ouro__cas_full(&h->shared, &b, marked))
            return marked;
    }
    return b & ~OURO__WALKED_OWNER;
}

/* The shared word as it is at first sight, T clear (D3). */
static ouro_word first_look(struct ouro_header *h, bool claimed)
{
    /* Acquire: pairs with foreign drops and with the ends of foreign stores, as in a capture. */
    ouro_word b = ouro__load_acquire(&h->shared);
    if (b & OURO__MERGED)
        return mark(h, b, claimed);
    if (!ouro__can_cycle(h))
        return b; /* T of such tells of exhaustion (exhaust.c) */
    while ((b & OURO__TOUCHED) && !(b & OURO__STORING) &&
           !ouro__cas_full(&h->shared, &b, b & ~OURO__TOUCHED))
        continue;
    return b & OURO__TOUCHED && !(b & OURO__STORING) ? b & ~OURO__TOUCHED : b;
}

size_t ouro__proof_handles(const struct ouro__proof *p, const void *object)
{
    unsigned bucket = ouro__weak_bucket(object);
    ouro__weak_lock(p->me->orc, bucket);
    size_t handles = ouro__weak_handles(p->me->orc, object);
    ouro__weak_unlock(p->me->orc, bucket);
    return handles;
}

/* D4. */
static int32_t look_at_cell(struct ouro__proof *p, const void *object, bool claimed, ouro_word *b)
{
    struct ouro_header *h = ouro__header(object);
    unsigned bucket = ouro__weak_bucket(object);
    ouro__weak_lock(p->me->orc, bucket);
    p->handles += ouro__weak_handles(p->me->orc, object);
    *b = first_look(h, claimed);
    int32_t references = ouro__references(h, *b);
    ouro__weak_unlock(p->me->orc, bucket);
    return references;
}

/* -- arrivals ---------------------------------------------------------------------------------- */

/* An object is reached for the first time. False: the walk is over, and nothing changed. */
static bool enter(struct ouro__proof *p, void *object, bool claimed)
{
    struct ouro__front *f = &p->f;
    struct ouro_header *h = ouro__header(object);
    if (f->count == f->room && !more_room(p)) {
        ouro__proof_stop(p, OURO_NO_MEMORY);
        return false;
    }
    ouro_word b = ouro__load(&h->shared);
    int32_t references;
    if (OURO_UNLIKELY(b & OURO__WEAK)) {
        references = look_at_cell(p, object, claimed, &b);
    } else {
        b = first_look(h, claimed);
        references = ouro__references(h, b);
    }
    bool merged = (b & OURO__MERGED) != 0, marked = ouro__is_walked(b);
    if (OURO_UNLIKELY((b & OURO__STORING) || (merged ? !marked : (b & OURO__QUEUED) != 0))) {
        ouro__proof_stop(p, OURO_BUSY);
        return false;
    }
    p->merged |= merged;
    f->open += references - (merged && (b & OURO__QUEUED)) - 1;
    f->signs |= b;
    *f->see++ = b;
    *f->put++ = (ouro_word)object;
    f->count++;
    if (ouro__can_cycle(h))
        ouro__half_store(&h->visited, p->base + f->count);
    return true;
}

static void enter_candidate(struct ouro__proof *p, void *object, ouro_half place)
{
    const struct ouro__entry *entry = &p->me->visited.entries[place - 1];
    if (!ouro__proof_grow(&p->reached, &p->reached_room, p->reached_count, sizeof *p->reached))
        ouro__proof_stop(p, OURO_NO_MEMORY);
    else if (enter(p, object, (entry->link & OURO__ENTRY_CLAIMED) != 0))
        p->reached[p->reached_count++] = (struct ouro__reached){p->f.count - 1, place};
}

static void arrive_acyclic(struct ouro__proof *p, void *object, ouro_word b)
{
    if (OURO_LIKELY(ouro__references(ouro__header(object), b) == 1)) {
        (void)enter(p, object, false);
        return;
    }
    if (ouro__memo_find(&p->shared, object)) {
        p->f.open--;
        return;
    }
    if (ouro__memo_reserve(&p->shared) != OURO_OK) {
        ouro__proof_stop(p, OURO_NO_MEMORY);
        return;
    }
    void *as = (void *)((uintptr_t)p->f.count + 1);
    if (enter(p, object, false))
        ouro__memo_add(&p->shared, (struct ouro__memo_entry){object, as, NULL});
}

/* What is not plainly this thread's. False: it is outside, where it may be, or the walk is over. */
static bool belongs(struct ouro__proof *p, const void *object, ouro_word b)
{
    if (p->mixed && ouro__runtime_of(object) != p->me->orc->runtime) {
        ouro__proof_escapes(p, OURO_ESCAPE_OUT, object, 0);
        return false;
    }
    if (b & OURO__IMMORTAL)
        return false;
    if ((b & OURO__MERGED) || ouro__holds(p->me, b))
        return true;
    const struct ouro_type *type = ouro__type_of(object, b);
    if (type && (type->flags & (OURO_SHARED | OURO_IMMUTABLE)))
        return false;
    unsigned t = (unsigned)(b & OURO__OWNER_MASK);
    if (OURO_THREADS && ouro__load(&ouro__tokens[t].holder) == OURO__GONE) {
        p->orphan = t;
        ouro__proof_stop(p, OURO_BUSY);
    }
    ouro__proof_escapes(p, OURO_ESCAPE_OUT, object, 0);
    return false;
}

static bool is_object_of(const struct ouro__proof *p, const void *object, ouro_half visited)
{
    ouro_half i = visited - p->base - 1;
    return i < p->f.count && ouro__proof_object(p, i) == object;
}

static bool is_candidate(const struct ouro__proof *p, const void *object, ouro_half visited)
{
    return visited <= p->base && p->me->visited.entries[visited - 1].object == object;
}

/* Another thread's candidate. */
static void is_claimed(struct ouro__proof *p)
{
    p->claimed = true;
    ouro__proof_stop(p, OURO_BUSY);
}

/* This thread's, with an index and no candidate: D6. */
void ouro__proof_sent_already(struct ouro__proof *p, const void *object)
{
    p->sent = object;
    ouro__proof_escapes(p, OURO_ESCAPE_OUT, object, 0);
}

static OURO_NOINLINE void arrive_odd(struct ouro__proof *p, void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load_acquire(&h->shared);
    if (p->failed || !belongs(p, object, b))
        return;
    ouro_half visited = ouro__half_load(&h->visited);
    const struct ouro_type *type = ouro__type_of(object, b);
    if (is_object_of(p, object, visited))
        p->f.open--;
    else if (ouro__is_walked(b) && visited != OURO__ACYCLIC) /* another thread proves as well */
        ouro__proof_stop(p, OURO_BUSY);
    else if (!type || ouro__is_bare_type(type))
        ouro__proof_escapes(p, OURO_ESCAPE_BAD_TYPE, object, 0);
    else if (type->flags & (OURO_SHARED | OURO_IMMUTABLE))
        return;
    else if (visited == OURO__ACYCLIC)
        arrive_acyclic(p, object, b);
    else if (visited == 0 && (b & OURO__QUEUED)) /* the same, or on its way */
        is_claimed(p);
    else if (visited == 0)
        (void)enter(p, object, false);
    else if (is_candidate(p, object, visited))
        enter_candidate(p, object, visited);
    else if (b & OURO__MERGED)
        is_claimed(p);
    else
        ouro__proof_sent_already(p, object);
}

#define NOT_PLAIN                                                                                  \
    (OURO__OWNER_MASK | OURO__MERGED | OURO__QUEUED | OURO__WEAK | OURO__IMMORTAL |                \
     OURO__TOUCHED | OURO__STORING)

/* A reference to `object`, whose header is there. */
OURO_INLINE void arrive(struct ouro__proof *p, struct ouro__front *f, void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_half visited = ouro__half_load(&h->visited);
    ouro_word b = ouro__load_acquire(&h->shared); /* as in first_look */
    if (OURO_LIKELY((b & NOT_PLAIN) == p->own)) {
        if (visited - p->base - 1 < f->count) {
            f->open--;
            return;
        }
        const uint32_t odd = OURO_SHARED | OURO_IMMUTABLE | OURO_BARE;
        if (OURO_LIKELY(visited == 0 && f->count < f->room &&
                        !(ouro__type_of(object, b)->flags & odd))) {
            f->open += ouro__references(h, b) - 1;
            f->signs |= b;
            *f->see++ = b;
            *f->put++ = (ouro_word)object;
            f->count++;
            ouro__half_store(&h->visited, p->base + f->count);
            return;
        }
    }
    p->f = *f;
    arrive_odd(p, object);
    *f = p->f;
}

OURO_INLINE void found(struct ouro__proof *p, struct ouro__front *f, void *object)
{
    OURO_PREFETCH(ouro__header(object));
    if (f->tail - f->head == OURO__EDGES)
        arrive(p, f, p->ring[f->head++ % OURO__EDGES]);
    p->ring[f->tail++ % OURO__EDGES] = object;
}

static void found_out(struct ouro_visitor *self, void *object)
{
    struct ouro__proof *p = (struct ouro__proof *)(void *)self;
    found(p, &p->f, object);
}

OURO__DEFINE_VISIT(visit_slot, found_out)

OURO_INLINE void scan(struct ouro__proof *p, struct ouro__front *f, uint32_t i)
{
    /* The type as it was seen: the header may be in another line, which is not fetched again. */
    void *object = ouro__proof_object(p, i);
    const struct ouro_type *type = ouro__type_of(object, ouro__proof_seen(p, i));
    uint32_t state = type->state;
    if (OURO_UNLIKELY(state & OURO__TYPE_LINKS))
        p->links = true;
    if (OURO_LIKELY((state & (OURO__TYPE_SLOTS | OURO__TYPE_TAILED)) == OURO__TYPE_SLOTS &&
                    !type->filter)) {
        const uint32_t *refs = type->refs;
        for (uint32_t k = 0, n = type->ref_count; k < n; k++) {
            void *target = ouro__slot_load(ouro__ref_slot(object, refs[k]));
            if (target)
                found(p, f, target);
        }
    } else {
        p->f = *f;
        ouro__each_ref(object, type, &p->visitor, found_out);
        *f = p->f;
    }
}

/* Its first slots, which may begin in one line and end in the next. */
OURO_INLINE void fetch(const char *object)
{
    OURO_PREFETCH(object);
    OURO_PREFETCH(object + 24);
}

void ouro__proof_walk(struct ouro__proof *p, void *root)
{
    p->visitor.visit = visit_slot;
    arrive(p, &p->f, root);
    struct ouro__front f = p->f;
    for (uint32_t i = 0; !p->failed;) {
        if (i < f.count) {
            if (i + OURO__AHEAD < f.count)
                fetch(ouro__proof_object(p, i + OURO__AHEAD));
            scan(p, &f, i++);
        } else if (f.head != f.tail) {
            arrive(p, &f, p->ring[f.head++ % OURO__EDGES]);
        } else {
            break;
        }
    }
    p->f = f;
}

uint32_t ouro__proof_index(const struct ouro__proof *p, const void *object)
{
    ouro_half visited = ouro__half_load(&ouro__header(object)->visited);
    if (visited == OURO__ACYCLIC) {
        uintptr_t known = (uintptr_t)ouro__memo_find(&p->shared, object);
        return known ? (uint32_t)(known - 1) : UINT32_MAX;
    }
    return is_object_of(p, object, visited) ? visited - p->base - 1 : UINT32_MAX;
}
