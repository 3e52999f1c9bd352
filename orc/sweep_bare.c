/* SPDX-License-Identifier: MIT */
/* sweep_bare.c: garbage of compilers that inline destructors (orc/bare.h) is destroyed.
 *
 * The destroy hook of such a type drops what the fields own, so no slot may lead to another of the
 * dead when it runs; and a destructor of the program's finds its references empty, as in Nim's own
 * collector. So:
 *   1. all are marked DYING, with no reference left;
 *   2. every slot that trace reports is emptied. What it led to: another of the dead, or a living
 *      object of this thread's, which is dropped silently; else the slot stays as it is, for the
 *      hook to drop;
 *   3. hooks run, each once, and each object's memory goes after its hook, unless somebody took a
 *      reference to it meanwhile: then it lives on, emptied.
 *
 * The order of 3 is that of Nim's ORC (lib/system/orc.nim, collectColor): roots as they were
 * registered; from each, depth first, the slot reported last first; what is a root itself waits for
 * its turn. It is kept for MOST_ORDERED objects. Beyond, where following each slot would miss the
 * cache, hooks run in the order of the capture, and where nothing lives each block of objects goes
 * through all steps before the next.
 *
 *  S1 of sweep.c holds until 3.
 *  S3 A hook may leave by a jump: entries whose hook began have OUTSIDE, those that are gone are
 *     empty; the order, and the cells that are gone and not in their pages yet, stand in the
 *     stage. */
#include "alloc/heap.h"
#include "alloc/pool.h"
#include "hooks/value.h"
#include "orc/sweep.h"

#define MOST_ORDERED 65536
#define BLOCK        256
#define AHEAD        24 /* objects: what a miss of the cache takes, at some 8 ns each */

struct bare_sweep {
    struct ouro_visitor visitor;
    struct ouro__capture *c;
    void ***slots; /* to be looked at, the last first */
    size_t count, room;
    uint32_t *order; /* indices in the order in which hooks run */
    uint32_t ordered, at;
    bool failed;
};

OURO_INLINE const struct ouro_type *mark_dying(struct ouro__entry *entry)
{
    struct ouro_header *h = ouro__header(entry->object);
    ouro_word b = ouro__load(&h->shared);
    ouro__half_store(&h->local, OURO__LOCAL_AWAY);
    ouro__store(&h->shared, (b & (OURO__TYPE_MASK | OURO__WEAK)) | OURO__DYING);
    entry->link &= OURO__ENTRY_ROOT;
    return ouro__type_of(entry->object, b);
}

/* What a slot of the dead led to lives on; whether the slot's reference is gone. Beside other
 * threads the hook drops it: their captures are to see that (B4). */
static bool drop_silently(const struct ouro__capture *c, void *object)
{
    if (ouro__load(&ouro__many_threads))
        return false;
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    ouro_half local = ouro__half_load(&h->local);
    if (!ouro__is_traced_bare(b) || (b & (OURO__MERGED | OURO__IMMORTAL)) ||
        (b & OURO__OWNER_MASK) != c->me->home || ouro__local_count(local) < 2)
        return false;
    ouro__half_store(&h->local, local - OURO__LOCAL_UNIT);
    return true;
}

/* -- in Nim's order ---------------------------------------------------------------------------- */

static void push_slot(struct ouro_visitor *self, void **slot, const struct ouro_type *target)
{
    struct bare_sweep *s = (struct bare_sweep *)(void *)self;
    (void)target;
    if (!*slot || s->failed)
        return;
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 1024;
        void ***slots = ouro__realloc_alone(s->slots, room * sizeof *slots);
        s->failed = !slots;
        if (s->failed)
            return;
        s->slots = slots;
        s->room = room;
    }
    OURO_PREFETCH(ouro__header(*slot));
    s->slots[s->count++] = slot;
}

/* Its turn comes; its slots are looked at next. */
static void take(struct bare_sweep *s, uint32_t i)
{
    struct ouro__entry *entry = &s->c->v->entries[i];
    entry->link = (entry->link & OURO__ENTRY_ROOT) | OURO__ENTRY_LIVE;
    s->order[s->ordered++] = i;
    const struct ouro_type *type = ouro__dead_type(s->c->v, i);
    if (type->hooks.trace)
        type->hooks.trace(entry->object, type, &s->visitor);
}

static void empty_slot(struct bare_sweep *s, void **slot)
{
    void *object = *slot;
    if (!object)
        return; /* reported twice */
    uint32_t i = ouro__dead_index(s->c, object);
    if (i == s->c->dead) {
        if (drop_silently(s->c, object))
            *slot = NULL;
        return;
    }
    *slot = NULL;
    uint32_t link = s->c->v->entries[i].link;
    if (!(link & OURO__ENTRY_LIVE) && !((link & OURO__ENTRY_ROOT) && s->at != i))
        take(s, i);
}

static void take_all_from(struct bare_sweep *s, uint32_t root)
{
    struct ouro__entry *entry = &s->c->v->entries[root];
    entry->link &= ~OURO__ENTRY_ROOT;
    if (entry->link & OURO__ENTRY_LIVE)
        return;
    s->at = root;
    take(s, root);
    while (s->count > 0 && !s->failed)
        empty_slot(s, s->slots[--s->count]);
}

/* false: no memory; some slots are empty, which does no harm. */
static bool empty_in_order(struct bare_sweep *s)
{
    s->visitor.visit = push_slot;
    s->order = ouro__realloc_alone(NULL, s->c->dead * sizeof *s->order);
    s->failed = !s->order;
    for (uint32_t i = 0; i < s->c->dead && !s->failed; i++)
        mark_dying(&s->c->v->entries[i]);
    for (uint32_t i = 0; i < s->c->dead && !s->failed; i++) {
        if (s->c->v->entries[i].link & OURO__ENTRY_ROOT)
            take_all_from(s, i);
    }
    ouro_free(s->slots);
    return !s->failed && s->ordered == s->c->dead;
}

/* -- in the order of the capture --------------------------------------------------------------- */

static void empty_one(struct ouro_visitor *self, void **slot, const struct ouro_type *target)
{
    const struct bare_sweep *s = (const struct bare_sweep *)(const void *)self;
    (void)target;
    if (*slot && (ouro__dead_index(s->c, *slot) < s->c->dead || drop_silently(s->c, *slot)))
        *slot = NULL;
}

/* All that could be captured was, and is dead: so is what the slots lead to. */
static void empty_any(struct ouro_visitor *self, void **slot, const struct ouro_type *target)
{
    (void)self;
    (void)target;
    *slot = NULL;
}

static void mark_and_empty(struct bare_sweep *s, uint32_t from, uint32_t to)
{
    struct ouro__capture *c = s->c;
    s->visitor.visit = c->v->stage.closed ? empty_any : empty_one;
    for (uint32_t i = from; i < to; i++) {
        ouro__dead_prefetch(c, i, AHEAD);
        const struct ouro_type *type = mark_dying(&c->v->entries[i]);
        if (type->hooks.trace)
            type->hooks.trace(c->v->entries[i].object, type, &s->visitor);
    }
}

/* -- hooks ------------------------------------------------------------------------------------- */

/* The memory of an object goes; small cells with others of their page. */
OURO_INLINE void free_with(struct ouro__run *run, void *object, const struct ouro_type *type,
                           size_t n)
{
    const struct ouro_heap *heap = ouro__context.heap;
    struct ouro_header *h = ouro__header(object);
    bool odd = type->state & (OURO__TYPE_ALIGNED | OURO__TYPE_LARGE);
    if (OURO_CHECKED || odd || heap->watched || (ouro__load(&h->shared) & OURO__WEAK)) {
        ouro__run_end(run, n);
        ouro__free_object(object, type);
        return;
    }
    ouro__mark_freed(h);
    ouro__run_free(run, heap, object, OURO__COUNTED, n);
}

/* The hook of one of the dead runs, if it did not begin before; whether the object went, after
 * `freed` others. */
OURO_INLINE bool destroy_one(struct ouro__visited *v, uint32_t i, size_t freed)
{
    struct ouro__entry *entry = &v->entries[i];
    void *object = entry->object;
    if (!object)
        return false;
    const struct ouro_type *type = ouro__type_of(object, ouro__load(&ouro__header(object)->shared));
    if (type->hooks.destroy && !(entry->link & OURO__ENTRY_OUTSIDE)) {
        entry->link |= OURO__ENTRY_OUTSIDE;
        type->hooks.destroy(object, type);
        entry = &v->entries[i]; /* the array may have moved */
    }
    entry->object = NULL;
    if (OURO_UNLIKELY(ouro__count_of(ouro__load(&ouro__header(object)->shared)) > 0) &&
        ouro__resurrected(object)) {
        v->stage.saved++;
        return false;
    }
    free_with(&v->stage.run, object, type, freed);
    return true;
}

static void sweep_in_order(struct ouro__visited *v, uint32_t dead)
{
    const uint32_t *order = v->stage.order;
    size_t freed = 0;
    for (uint32_t i = v->stage.gone; i < dead; i++)
        freed += destroy_one(v, order[i], freed);
    ouro__run_end(&v->stage.run, freed);
}

/* In the order of the capture, each block of objects while it is in the cache. Where a slot may
 * lead to the living all are emptied first: what it leads to is looked at. */
static void sweep_in_blocks(struct bare_sweep *s)
{
    struct ouro__visited *v = s->c->v;
    struct ouro__stage *stage = &v->stage;
    uint32_t block = stage->closed ? BLOCK : s->c->dead, dead = s->c->dead, to;
    size_t freed = 0;
    for (uint32_t from = stage->gone; from < dead; from = to) {
        to = dead - from > block ? from + block : dead;
        if (stage->emptied < to)
            mark_and_empty(s, stage->emptied, to);
        stage->emptied = to;
        for (uint32_t i = from; i < to; i++) {
            if (block != BLOCK)
                ouro__dead_prefetch(s->c, i, AHEAD);
            freed += destroy_one(v, i, freed);
        }
    }
    ouro__run_end(&stage->run, freed);
}

static size_t go_on(struct bare_sweep *s)
{
    struct ouro__stage *stage = &s->c->v->stage;
    if (stage->order)
        sweep_in_order(s->c->v, s->c->dead);
    else
        sweep_in_blocks(s);
    ouro_free(stage->order);
    stage->order = NULL;
    return s->c->dead - stage->saved;
}

size_t ouro__sweep_bare(struct ouro__capture *c)
{
    struct bare_sweep s = {.c = c};
    struct ouro__stage *stage = &c->v->stage;
    bool ordered = c->dead <= MOST_ORDERED && empty_in_order(&s);
    if (!ordered)
        ouro_free(s.order);
    stage->order = ordered ? s.order : NULL;
    stage->emptied = ordered ? c->dead : 0;
    stage->closed = c->dead == c->captured && !c->outside;
    stage->run = (struct ouro__run)OURO__RUN_INIT;
    stage->step = OURO__HOOKS_RUN;
    return go_on(&s);
}

/* A run that was left: how many cells are in it nobody knows any more. */
static void end_left(struct ouro__run *run)
{
    size_t cells = run->before + 1;
    if (run->slice == OURO__NO_SLICE)
        return;
    for (void *cell = run->first; cell != run->last; cell = *(void **)cell)
        cells++;
    ouro__run_end(run, cells);
}

size_t ouro__sweep_bare_on(struct ouro__capture *c)
{
    struct bare_sweep s = {.c = c};
    struct ouro__stage *stage = &c->v->stage;
    end_left(&stage->run);
    while (stage->gone < c->dead &&
           !c->v->entries[stage->order ? stage->order[stage->gone] : stage->gone].object)
        stage->gone++;
    return go_on(&s);
}
