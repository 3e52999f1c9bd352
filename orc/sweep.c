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
#include "hooks/value.h"
#include "alloc/heap.h"
#include "orc/capture.h"

static const struct ouro_type *type_at(const struct ouro__capture *c, uint32_t i)
{
    void *object = c->v->entries[i].object;
    return ouro__type_of(object, ouro__load(&ouro__header(object)->shared));
}

static void prefetch_ahead(const struct ouro__capture *c, uint32_t i)
{
    if (i + 8 < c->dead)
        OURO_PREFETCH(ouro__header(c->v->entries[i + 8].object));
}

static size_t free_dead(struct ouro__capture *c)
{
    size_t freed = 0;
    for (uint32_t i = 0; i < c->dead; i++) {
        prefetch_ahead(c, i);
        void *object = c->v->entries[i].object;
        if (!object)
            continue; /* resurrected, or freed before the sweep was left */
        const struct ouro_type *type = type_at(c, i);
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
        prefetch_ahead(c, i);
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
    /* Not by ouro__may_capture: a drop may just have adopted the target's token. */
    ouro_half visited = ouro__half_load(&ouro__header(object)->visited);
    if (visited == 0 || visited > c->dead || c->v->entries[visited - 1].object != object)
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
        ouro__each_ref(entry->object, type_at(c, i), &c->visitor, drop_if_outside);
    }
    c->me->whole = false;
}

static size_t sweep_plain(struct ouro__capture *c)
{
    struct ouro__stage *stage = &c->v->stage;
    stage->step = OURO__PLAIN;
    drop_outside(c);
    stage->step = OURO__FREEING;
    return OURO_CHECKED || ouro__context.heap->watched ? free_dead(c) : free_runs(c);
}

/* -- resurrection (step 3) --------------------------------------------------------------------- */

/* Whether destroying an object of the type runs written code. */
static bool has_hook(const struct ouro__capture *c, uint32_t i)
{
    return (type_at(c, i)->state & OURO__TYPE_DESTROY) &&
           ouro__half_load(&ouro__header(c->v->entries[i].object)->local) != OURO__SPENT;
}

/* A dying object that has more references than its word can count: a hook may have left one. */
static bool is_uncounted(ouro_word shared)
{
    return ouro__count_of(shared) >= OURO__COUNT_LIMIT;
}

static uint32_t dead_index(const struct ouro__capture *c, const void *object)
{
    const struct ouro_header *h = ouro__header(object);
    if (!ouro__is_dying(ouro__load(&h->shared)))
        return c->dead;
    ouro_half visited = ouro__half_load(&h->visited);
    bool ours = visited != 0 && visited <= c->dead && c->v->entries[visited - 1].object == object;
    return ours ? visited - 1 : c->dead;
}

static void explain(struct ouro_visitor *self, void *object)
{
    struct ouro__capture *c = (struct ouro__capture *)(void *)self;
    uint32_t i = dead_index(c, object);
    if (i < c->dead)
        c->v->entries[i].trial--;
}
OURO__DEFINE_VISIT(visit_explained, explain)

static void save(struct ouro_visitor *self, void *object)
{
    struct ouro__capture *c = (struct ouro__capture *)(void *)self;
    uint32_t i = dead_index(c, object);
    if (i >= c->dead || (c->v->entries[i].link & OURO__ENTRY_LIVE))
        return;
    /* OUTSIDE stays: whether its hook ran. */
    c->v->entries[i].link =
        (c->v->entries[i].link & OURO__ENTRY_OUTSIDE) | OURO__ENTRY_LIVE | c->stack;
    c->stack = i + 1;
}
OURO__DEFINE_VISIT(visit_saved, save)

/* Marks what has references that the dead do not explain, and all it reaches; returns how many. */
static uint32_t find_resurrected(struct ouro__capture *c)
{
    struct ouro__entry *entries = c->v->entries;
    for (uint32_t i = 0; i < c->dead; i++)
        entries[i].trial =
            (int32_t)ouro__count_of(ouro__load(&ouro__header(entries[i].object)->shared));
    c->visitor.visit = visit_explained;
    for (uint32_t i = 0; i < c->dead; i++) {
        if (!(entries[i].link & OURO__ENTRY_OUTSIDE)) /* here: its hook ran, it has no fields */
            ouro__each_ref(entries[i].object, type_at(c, i), &c->visitor, explain);
    }
    c->visitor.visit = visit_saved;
    uint32_t saved = 0;
    for (uint32_t i = 0; i < c->dead; i++) {
        bool unknown = is_uncounted(ouro__load(&ouro__header(entries[i].object)->shared));
        if ((entries[i].trial <= 0 && !unknown) || (entries[i].link & OURO__ENTRY_LIVE))
            continue;
        entries[i].link |= OURO__ENTRY_LIVE;
        entries[i].link &= ~OURO__ENTRY_INDEX;
        for (uint32_t at = i + 1; at; saved++) {
            const struct ouro_type *type = type_at(c, at - 1);
            uint32_t here = at - 1;
            c->stack = entries[here].link & OURO__ENTRY_INDEX;
            if (!(entries[here].link & OURO__ENTRY_OUTSIDE))
                ouro__each_ref(entries[here].object, type, &c->visitor, save);
            at = c->stack;
        }
    }
    return saved;
}

static void let_live(struct ouro__capture *c)
{
    for (uint32_t i = 0; i < c->dead; i++) {
        struct ouro__entry *entry = &c->v->entries[i];
        if (!(entry->link & OURO__ENTRY_LIVE))
            continue;
        struct ouro_header *h = ouro__header(entry->object);
        bool spent = entry->link & OURO__ENTRY_OUTSIDE;
        ouro__half_store(&h->visited, spent ? OURO__ACYCLIC : 0);
        ouro__half_store(&h->local, spent ? OURO__SPENT : OURO__LOCAL_AWAY);
        ouro_word b = ouro__load(&h->shared);
        /* With more references than can be counted it stays immortal. */
        ouro_word immortal = is_uncounted(b) ? 0 : OURO__IMMORTAL;
        /* Full: pairs with the counts of threads that a hook has handed the object to. */
        while (!ouro__cas_full(&h->shared, &b,
                               (b & ~(immortal | OURO__OWNER_MASK)) | OURO__MERGED_OWNER))
            continue;
        entry->object = NULL;
    }
}

/* -- with hooks -------------------------------------------------------------------------------- */

static void mark_all_dying(struct ouro__capture *c)
{
    for (uint32_t i = 0; i < c->dead; i++) {
        prefetch_ahead(c, i);
        struct ouro__entry *entry = &c->v->entries[i];
        struct ouro_header *h = ouro__header(entry->object);
        /* The reference that a claimed entry owns goes with the entry. */
        if (entry->link & OURO__ENTRY_CLAIMED)
            ouro__store(&h->shared, ouro__load(&h->shared) - OURO__UNIT);
        entry->link = 0;
        bool spent = ouro__is_spent(h);
        ouro__mark_dying(h);
        ouro__half_store(&h->visited, i + 1);
        ouro__half_store(&h->local, spent ? OURO__SPENT : OURO__LOCAL_AWAY);
    }
}

static bool run_hooks(struct ouro__capture *c)
{
    bool any = false;
    for (uint32_t i = 0; i < c->dead; i++) {
        if (!has_hook(c, i))
            continue;
        any = true;
        void *object = c->v->entries[i].object;
        if (c->v->entries[i].link & OURO__ENTRY_OUTSIDE)
            continue;                                 /* before the sweep was left */
        c->v->entries[i].link |= OURO__ENTRY_OUTSIDE; /* from here on: its hook ran */
        ouro_destroy_value(object, type_at(c, i));
    }
    return any;
}

static void drop_fields(struct ouro__capture *c)
{
    for (uint32_t i = 0; i < c->dead; i++) {
        struct ouro__entry entry = c->v->entries[i];
        if (!entry.object || (entry.link & OURO__ENTRY_OUTSIDE))
            continue;
        prefetch_ahead(c, i);
        c->me->dropping = c->me->whole = true;
        ouro_lifted_destroy(entry.object, type_at(c, i));
        c->me->dropping = c->me->whole = false;
    }
}

/* What is left to do of a sweep, from wherever its stage is. Nothing is done twice: entries say
 * whose hook ran and what was freed, and fields that were dropped are empty. */
static size_t go_on(struct ouro__capture *c)
{
    struct ouro__stage *stage = &c->v->stage;
    if (stage->step == OURO__PLAIN) {
        drop_outside(c);
        stage->step = OURO__FREEING;
    }
    if (stage->step == OURO__HOOKS_RUN) {
        if (run_hooks(c) && find_resurrected(c) > 0)
            let_live(c);
        stage->step = OURO__DROPPING;
    }
    if (stage->step == OURO__DROPPING) {
        drop_fields(c);
        stage->step = OURO__FREEING;
    }
    return free_dead(c);
}

static size_t sweep_with_hooks(struct ouro__capture *c)
{
    mark_all_dying(c);
    c->v->stage.step = OURO__HOOKS_RUN;
    return go_on(c);
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
    return ouro__is_bare_type(type_at(c, i));
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
    return c->dead ? sweep_with_hooks(c) : 0;
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
    return plain ? sweep_plain(c) : sweep_with_hooks(c);
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

size_t ouro__sweep_on(struct ouro__capture *c)
{
    bool releasing = c->me->releasing;
    c->outside = true;
    c->me->releasing = true;
    size_t freed = c->v->stage.bare ? sweep_bare_on(c) : c->v->stage.freed + go_on(c);
    c->me->releasing = releasing;
    return freed;
}
