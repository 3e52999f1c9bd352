/* SPDX-License-Identifier: MIT */
/* sweep.c: the dead of a collection are destroyed.
 *
 * Nobody can reach them (V6), so this needs no care for others but in hooks. If no type among them
 * has a hook or anything but plain references, and no captured object survived, then a reference
 * either leads to another of the dead or to an object that was not captured (V4): only sources
 * marked OUTSIDE are looked at again, and each object is touched once, to be freed. Otherwise:
 *   1. all are marked DYING, their counts as they are;
 *   2. written hooks run, each once, while the memory of all is still there;
 *   3. if any ran: references are summed again. An object that has more than the dead explain was
 *      resurrected, and lives on with all it reaches, merged, hooks spent (docs/cycles.md);
 *   4. the references of the others are dropped; what dies of it is chained;
 *   5. their memory is given back.
 *
 *  S1  While this runs, entries 0 .. dead-1 stay where they are, and their objects' indices too;
 *      candidates that appear meanwhile stand behind all entries.
 *  S3  A hook may leave by a jump, in step 2: what was done stands in the entries and in
 *      v->stage, and ouro__sweep_on does the rest (unwind.c).
 *  S2  In step 4 a drop on a DYING object does nothing (`dropping`). */
#include "alloc/heap.h"
#include "orc/sweep.h"

size_t ouro__sweep_free(struct ouro__capture *c)
{
    size_t freed = 0;
    for (uint32_t i = 0; i < c->dead; i++) {
        ouro__dead_prefetch(c, i, 8);
        void *object = c->v->entries[i].object;
        if (!object)
            continue; /* resurrected, or freed before the sweep was left */
        const struct ouro_type *type = ouro__dead_type(c->v, i);
        c->v->entries[i].object = NULL;
        freed++;
        ouro__free_object(object, type);
    }
    return freed;
}

/* The same for objects of small blocks that nobody else has an eye on: runs of cells go to their
 * pages together. */
static size_t free_runs(struct ouro__capture *c)
{
    const uint32_t odd = OURO__TYPE_ALIGNED | OURO__TYPE_LARGE;
    const struct ouro_heap *const heap = ouro__context.heap;
    struct ouro__run run = OURO__RUN_INIT;
    size_t cells = 0;
    for (uint32_t i = 0; i < c->dead; i++) {
        ouro__dead_prefetch(c, i, 8);
        void *object = c->v->entries[i].object;
        struct ouro_header *h = ouro__header(object);
        const struct ouro_type *type = ouro__type_of(object, ouro__load(&h->shared));
        if (OURO_UNLIKELY(type->state & odd)) {
            ouro__free_object(object, type);
            continue;
        }
        ouro__mark_freed(h);
        ouro__run_free(&run, heap, object, OURO__COUNTED, cells++);
    }
    ouro__run_end(&run, cells);
    return c->dead;
}

/* -- nothing but references -------------------------------------------------------------------- */

/* All that could be captured was, and is dead; the rest is dropped. */
static void drop_if_outside(struct ouro_visitor *self, void *object)
{
    const struct ouro__capture *c = (const struct ouro__capture *)(const void *)self;
    if (ouro__dead_index(c, object) == c->dead)
        ouro__decref_out(object);
}
OURO__DEFINE_VISIT(visit_dropped, drop_if_outside)

static void drop_outside(struct ouro__capture *c)
{
    c->visitor.visit = visit_dropped;
    c->me->whole = true;
    for (uint32_t i = 0; i < c->dead && c->outside; i++) {
        struct ouro__entry *entry = &c->v->entries[i];
        if (!(entry->link & OURO__ENTRY_OUTSIDE))
            continue;
        entry->link &= ~OURO__ENTRY_OUTSIDE; /* once, if the checked library leaves here */
        ouro__each_ref(entry->object, ouro__dead_type(c->v, i), &c->visitor, drop_if_outside);
    }
    c->me->whole = false;
}

static size_t sweep_plain(struct ouro__capture *c)
{
    struct ouro__stage *stage = &c->v->stage;
    stage->step = OURO__PLAIN;
    drop_outside(c);
    stage->step = OURO__FREEING;
    return OURO_CHECKED || ouro__context.heap->watched ? ouro__sweep_free(c) : free_runs(c);
}

/* -- beside bare objects ----------------------------------------------------------------------- */

static void place_at(struct ouro__capture *c, uint32_t i, struct ouro__entry entry)
{
    c->v->entries[i] = entry;
    if (entry.object)
        ouro__half_store(&ouro__header(entry.object)->visited, i + 1);
}

static bool is_bare_at(const struct ouro__capture *c, uint32_t i)
{
    return ouro__is_bare_type(ouro__dead_type(c->v, i));
}

/* Bare objects of the dead to the front, in their order; how many there are. */
static uint32_t bare_first(struct ouro__capture *c)
{
    uint32_t bare = 0;
    if (c->bare == c->captured)
        return c->dead;
    for (uint32_t i = 0; i < c->dead; i++) {
        if (!is_bare_at(c, i))
            continue;
        struct ouro__entry entry = c->v->entries[i];
        if (i != bare)
            place_at(c, i, c->v->entries[bare]);
        place_at(c, bare++, entry);
    }
    return bare;
}

/* The bare ones are gone: the others take their places. */
static void rest_to_the_front(struct ouro__capture *c)
{
    struct ouro__visited *v = c->v;
    uint32_t all = c->dead, rest = 0;
    for (uint32_t i = v->stage.bare; i < all; i++) {
        place_at(c, rest++, v->entries[i]);
        if (rest - 1 != i)
            v->entries[i] = (struct ouro__entry){NULL, 0, 0};
    }
    v->stage.bare = 0;
    c->dead = v->stage.dead = rest;
}

static size_t sweep_rest(struct ouro__capture *c)
{
    rest_to_the_front(c);
    return c->dead ? ouro__sweep_hooks(c) : 0;
}

/* Neither kind refers to the other, so that one after the other can go. */
static size_t sweep_bare_first(struct ouro__capture *c)
{
    struct ouro__stage *stage = &c->v->stage;
    uint32_t all = c->dead;
    c->dead = stage->bare = bare_first(c);
    if (c->dead)
        stage->freed = ouro__sweep_bare(c);
    c->dead = all;
    return stage->freed + (stage->bare < all ? sweep_rest(c) : 0);
}

static size_t sweep_bare_on(struct ouro__capture *c)
{
    struct ouro__stage *stage = &c->v->stage;
    uint32_t all = c->dead;
    c->dead = stage->bare;
    stage->freed = ouro__sweep_bare_on(c);
    c->dead = all;
    return stage->freed + (stage->bare < all ? sweep_rest(c) : 0);
}

static size_t sweep_all(struct ouro__capture *c)
{
    if (c->bare)
        return sweep_bare_first(c);
    bool plain = !c->odd && c->dead == c->captured;
    return plain ? sweep_plain(c) : ouro__sweep_hooks(c);
}

size_t ouro__sweep(struct ouro__capture *c)
{
    if (c->dead == 0)
        return 0;
    struct ouro__thread *me = c->me;
    bool releasing = me->releasing;
    me->releasing = true; /* other deaths are chained, and carried out when this is over */
    size_t freed = sweep_all(c);
    me->releasing = releasing;
    return freed;
}

/* Nothing is done twice: entries say whose hook ran and what was freed, and fields that were
 * dropped are empty. */
static size_t rest_on(struct ouro__capture *c)
{
    if (c->v->stage.step == OURO__PLAIN) {
        drop_outside(c);
        c->v->stage.step = OURO__FREEING;
    }
    return ouro__sweep_hooks_on(c);
}

size_t ouro__sweep_on(struct ouro__capture *c)
{
    bool releasing = c->me->releasing;
    c->outside = true;
    c->me->releasing = true;
    size_t freed = c->v->stage.bare ? sweep_bare_on(c) : c->v->stage.freed + rest_on(c);
    c->me->releasing = releasing;
    return freed;
}
