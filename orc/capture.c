/* SPDX-License-Identifier: MIT */
/* capture.c: trial deletion, first half: how many references to each object do the others explain?
 *
 * Problem: find the objects that candidate roots reach, and for each the references that do not
 * come from such objects (Lins 1992; Bacon and Rajan 2001, mark-gray). Their passes rewrite the
 * counts in the heap. Here counts are only read: each object gets an entry in an array, its header
 * the index, and the trial count stands in the entry. So abandoning needs no repair but of the
 * indices.
 *
 *  V1  visited == i + 1 exactly while entry i is the object's; only objects that this thread may
 *      speak for have one: those it holds, and all while it is the process's only record (not those
 *      of threads that a fork left behind).
 *  V2  Once an object was scanned, trial = its references - those from scanned objects, minus one
 *      if the entry itself owns a reference (CLAIMED).
 *  V3  No count and no slot is written before the verdict.
 *  V4  Every edge to an object outside marks its source OUTSIDE.
 *  V7  Of objects that this thread may not speak for only the shared word is looked at. Beside
 *      running threads they may be dropped and freed meanwhile, by whoever empties the slot that
 *      led here. ouro__arena_hold keeps their pages, and cells whose header may be elsewhere next
 *      time, so the word is that of an object that is alive, dying or freed, and of none that is
 *      this thread's. An object of another runtime is told by its address: no chunk goes meanwhile.
 *
 * Memory: the array, 16 bytes an object, and two small rings. No recursion: an object that is found
 * is linked into a stack through its entry; edges wait in the first ring while their targets'
 * headers are fetched, then in the second while the entries are, and looking at one never scans
 * another. Depth first, so that an object is mostly scanned while its first line is still in the
 * cache (docs/adr/0002). Edges stay in the rings from one candidate to the next: emptied after
 * each, they would hide no latency where most objects are candidates.
 *
 * Beside running threads (docs/cycles.md): T is cleared at first sight, so that verdict.c can see
 * what was touched since. */
#include "orc/capture.h"
#include "alloc/pool.h"
#include "orc/bare.h"

/* -- entries ----------------------------------------------------------------------------------- */

static bool room_for_one(struct ouro__capture *c)
{
    struct ouro__visited *v = c->v;
    if (v->count == v->capacity) {
        if (!ouro__visited_grow(v))
            return false;
        c->entries = v->entries;
    }
    if (c->seen && v->count >= c->seen_capacity) {
        ouro_word *seen = ouro__realloc_alone(c->seen, v->capacity * sizeof *seen);
        if (!seen)
            return false;
        c->seen = v->stage.seen = seen;
        c->seen_capacity = v->capacity;
    }
    return true;
}

/* The shared word as it is captured: T clear. S set: a store is under way. The object is live, and
 * stays a candidate with T as it is: if T was set before, the store gives no notice of its own. */
static ouro_word first_sight(struct ouro__capture *c, struct ouro_header *h, uint32_t index)
{
    /* Acquire: pairs with foreign drops and with the ends of foreign stores (cycles.md, M1, M3). */
    ouro_word b = ouro__load_acquire(&h->shared);
    if (OURO_UNLIKELY(c->seen != NULL)) {
        while ((b & OURO__TOUCHED) && !(b & OURO__STORING) &&
               !ouro__cas_full(&h->shared, &b, b & ~OURO__TOUCHED))
            continue;
        c->seen[index] = b & ~OURO__TOUCHED;
        if (OURO_UNLIKELY(b & OURO__STORING)) {
            c->entries[index].trial++;
            c->entries[index].link |= OURO__ENTRY_ROOT;
            c->skipped = true;
        }
    }
    return b;
}

static void mark_outside(struct ouro__capture *c, struct ouro__edge edge)
{
    c->entries[edge.from].link |= OURO__ENTRY_OUTSIDE;
    c->outside = true;
}

/* By the shared word alone (V7). */
static bool is_acyclic(ouro_word b)
{
    unsigned id = (unsigned)(b >> OURO__TYPE_SHIFT) & 0xFFFF;
    const struct ouro_type *type = id != OURO__WIDE_TYPE ? ouro__type_met(id) : NULL;
    if (!type)
        return id != OURO__WIDE_TYPE;
    /* Atomic: of a type that is just leaving it becomes 0. */
    return ouro__load((const ouro_word *)&type->counts) >> 32 == OURO__ACYCLIC;
}

/* What belongs to another runtime does not make anything wait (N3 of docs/adr/0012). */
static bool is_of_another(const struct ouro__capture *c, const void *object)
{
    return c->mixed && ouro__runtime_of(object) != c->me->orc->runtime;
}

/* A bare object is anybody's who reaches it, as the program orders what is done to it (S of
 * docs/adr/0015); if a thread has its index, it is that thread's. */
static bool may_capture_bare(const struct ouro__capture *c, struct ouro__edge edge, ouro_word b)
{
    return edge.type && !(b & OURO__IMMORTAL) && !is_of_another(c, edge.target) &&
           ouro__load(&ouro__tokens[b & OURO__OWNER_MASK].holder) != OURO__FROZEN;
}

/* An address that stands for a type stands for the same one in all of a collection; but for NULL.
 * */
static struct ouro_type *meant_by(struct ouro__capture *c, struct ouro__edge edge)
{
    if (OURO_LIKELY(edge.type == c->told))
        return c->meant;
    struct ouro_type *type = ouro__resolve(edge.target, edge.type);
    if (edge.type != OURO_TYPE_LATER(NULL)) {
        c->told = edge.type;
        c->meant = type;
    }
    return type;
}

/* Before the first index of an object: false, it is not looked into. */
static bool is_to_be_traced(struct ouro__capture *c, struct ouro__edge edge, struct ouro_header *h,
                            ouro_word b)
{
    if (!edge.type)
        return b & OURO__TYPE_MASK; /* else bare, and nobody told its type */
    const struct ouro_type *was = ouro__type_of(edge.target, b);
    if (was && !ouro__is_carrier(was))
        return !(was->flags & OURO_ACYCLIC); /* who stamped that may not have been the owner */
    struct ouro_type *type = meant_by(c, edge);
    /* Pinned: another thread may be taking it over. */
    if (!type ||
        !(c->pinned ? ouro__stamp_out(edge.target, &b, type) : ouro__stamp(edge.target, &b, type)))
        return false;
    if (!(type->flags & OURO_ACYCLIC))
        return true;
    ouro_half none = 0;
    (void)ouro__half_cas_full(&h->visited, &none, OURO__ACYCLIC);
    return false;
}

/* Where there may be no room, or another thread may be first (B5). */
static OURO_NOINLINE bool claim_out(struct ouro__capture *c, struct ouro__edge edge,
                                    struct ouro_header *h, uint32_t index)
{
    ouro_half none = 0;
    c->failed = !room_for_one(c);
    if (c->failed)
        return false;
    if (!c->pinned) {
        ouro__half_store(&h->visited, index + 1);
        return true;
    }
    if (ouro__half_cas_full(&h->visited, &none, (index + 1) | OURO__AWAY))
        return true;
    c->skipped = true;
    mark_outside(c, edge);
    return false;
}

static const struct ouro__search capturing;

static void arrive_capturing(struct ouro__capture *c, struct ouro__edge edge)
{
    struct ouro_header *h = ouro__header(edge.target);
    ouro_word b = ouro__load(&h->shared);
    if (OURO_UNLIKELY(!ouro__may_capture(c, edge.target, b)) && !may_capture_bare(c, edge, b)) {
        c->skipped =
            c->skipped || !(is_of_another(c, edge.target) || (b & OURO__IMMORTAL) || is_acyclic(b));
        mark_outside(c, edge);
        return;
    }
    ouro_half visited = ouro__half_load(&h->visited);
    if (visited == OURO__ACYCLIC) {
        mark_outside(c, edge);
        return;
    }
    visited = ouro__unmarked(c, visited);
    if (OURO_UNLIKELY(visited > c->v->count)) { /* bare, and in a list, or held (index.h) */
        c->skipped = true;
        mark_outside(c, edge);
        return;
    }
    if (visited != 0) {
        if (OURO_UNLIKELY((b & OURO__MERGED) || c->pinned) &&
            !ouro__is_entry_of(c, edge.target, visited)) {
            /* A candidate of a thread that a fork left behind: nobody speaks for it. Or bare, and
             * another thread's: that one sees to it. */
            c->skipped |= c->pinned;
            mark_outside(c, edge);
            return;
        }
        ouro__capture_later(c, &capturing, visited - 1);
        return;
    }
    if (OURO_UNLIKELY(c->failed))
        return;
    if (OURO_UNLIKELY(edge.type != NULL || !(b & OURO__TYPE_MASK)) &&
        !is_to_be_traced(c, edge, h, b)) {
        mark_outside(c, edge);
        return;
    }
    uint32_t index = c->v->count;
    if (OURO_LIKELY(index != c->v->capacity && c->seen == NULL))
        ouro__half_store(&h->visited, index + 1);
    else if (!claim_out(c, edge, h, index))
        return;
    c->v->count++;
    c->entries[index] = (struct ouro__entry){edge.target, -1, 0};
    ouro__capture_push(c, index);
}

static void explain_one(struct ouro__capture *c, uint32_t index)
{
    c->entries[index].trial--;
}

/* The references of an entry are counted when it is scanned: in any order with the edges to it. */
static void count_entry(struct ouro__capture *c, uint32_t index)
{
    struct ouro__entry *entry = &c->entries[index];
    struct ouro_header *h = ouro__header(entry->object);
    ouro_word b = first_sight(c, h, index);
    entry->trial += ouro__references(h, b) - ((entry->link & OURO__ENTRY_CLAIMED) != 0);
    c->captured++;
    const struct ouro_type *type = ouro__type_of(entry->object, b);
    if (OURO_UNLIKELY(b & OURO__WEAK))
        c->weak = true;
    if (OURO_UNLIKELY(!(type->state & OURO__TYPE_FLAT)))
        c->odd = true;
    if (OURO_UNLIKELY(type->flags & OURO_BARE)) {
        c->bare++;
        entry->link |= OURO__ENTRY_BARE;
        entry->trial += ouro__is_carrier(type); /* nobody told its type: it lives */
    }
}

static void found_slot(struct ouro_visitor *self, void *object)
{
    ouro__edge_found((struct ouro__capture *)(void *)self, &capturing, object, NULL);
}

OURO__DEFINE_SEARCH_VISIT(visit_slot, capturing)

static const struct ouro__search capturing = {arrive_capturing,     explain_one, count_entry,
                                              ouro__search_nothing, found_slot,  visit_slot};

/* -- the whole --------------------------------------------------------------------------------- */

void ouro__capture_abandon(struct ouro__capture *c)
{
    if (c->pinned) {
        ouro__abandon_beside(c);
        return;
    }
    for (uint32_t i = c->candidates; i < c->v->count; i++) {
        if (!(c->entries[i].link & OURO__ENTRY_LIVE))
            ouro__half_store(&ouro__header(c->entries[i].object)->visited, 0);
    }
    c->v->count = c->candidates;
    for (uint32_t i = 0; i < c->candidates; i++) {
        struct ouro__entry *entry = &c->entries[i];
        if (!entry->object)
            continue;
        *entry = (struct ouro__entry){entry->object, 0, entry->link & OURO__ENTRY_CLAIMED};
        ouro__half_store(&ouro__header(entry->object)->visited, i + 1);
    }
}

/* Made immortal since it became a candidate, or disposed of by another thread: it is one no more,
 * and not looked into. */
static bool pass_over_immortal(const struct ouro__capture *c, struct ouro__entry *entry)
{
    if (OURO_LIKELY(!(ouro__load(&ouro__header(entry->object)->shared) & OURO__IMMORTAL)))
        return false;
    if (c->pinned) {
        ouro__pass_over_beside(c, entry);
    } else {
        ouro__half_store(&ouro__header(entry->object)->visited, 0);
        entry->link |= OURO__ENTRY_LIVE;
    }
    return true;
}

bool ouro__may_capture_out(const struct ouro__capture *c, const void *object, ouro_word b)
{
    if (is_of_another(c, object) || (b & OURO__IMMORTAL))
        return false;
    if (ouro__is_traced_bare(b))
        return ouro__load(&ouro__tokens[b & OURO__OWNER_MASK].holder) != OURO__FROZEN;
    if (b & OURO__MERGED)
        return c->alone;
    return ouro__holds(c->me, b) ||
           (c->alone && ouro__load(&ouro__tokens[b & OURO__OWNER_MASK].holder) != OURO__FROZEN);
}

bool ouro__capture(struct ouro__capture *c)
{
    struct ouro__visited *v = c->v;
    c->entries = v->entries;
    c->candidates = v->count;
    c->mixed = ouro__load(&ouro__more_runtimes) != 0;
    c->own = c->mixed ? ~(ouro_word)0 : c->me->home;
    c->visitor.visit = capturing.visit;
    if (ouro__load_seq(&ouro__many_threads)) { /* after enter_lone (collect.c) */
        c->seen = ouro__realloc_alone(NULL, (v->capacity ? v->capacity : 1) * sizeof *c->seen);
        c->seen_capacity = v->capacity;
        v->stage.seen = c->seen;
        c->failed = !c->seen;
        if (c->failed)
            return false;
        c->pinned = v->bare;
        if (c->pinned)
            ouro__take_marks_off(c);
    }
    for (uint32_t i = 0; i < c->candidates && !c->failed; i++) {
        if (i + 8 < c->candidates)
            OURO_PREFETCH(ouro__header(c->entries[i + 8].object));
        struct ouro__entry *entry = &c->entries[i];
        if (!ouro__is_captured(c, entry) || pass_over_immortal(c, entry))
            continue;
        entry->link |= OURO__ENTRY_ROOT;
        ouro__capture_push(c, i);
        ouro__capture_scan(c, &capturing);
    }
    ouro__capture_finish(c, &capturing);
    if (!c->failed)
        return true;
    c->head = c->tail;
    c->late_head = c->late_tail;
    c->stack = 0;
    ouro__capture_abandon(c);
    return false;
}
