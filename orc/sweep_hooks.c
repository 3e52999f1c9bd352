/* SPDX-License-Identifier: MIT */
/* sweep_hooks.c: garbage with hooks, or other things than plain references: steps 1 to 5 of
 * sweep.c, whose invariants hold here. */
#include "hooks/value.h"
#include "orc/sweep.h"

/* -- resurrection (step 3) --------------------------------------------------------------------- */

/* Whether destroying an object of the type runs written code. */
static bool has_hook(const struct ouro__capture *c, uint32_t i)
{
    return (ouro__dead_type(c->v, i)->state & OURO__TYPE_DESTROY) &&
           ouro__half_load(&ouro__header(c->v->entries[i].object)->local) != OURO__SPENT;
}

/* A dying object that has more references than its word can count: a hook may have left one. */
static bool is_uncounted(ouro_word shared)
{
    return ouro__count_of(shared) >= OURO__COUNT_LIMIT;
}

static void explain(struct ouro_visitor *self, void *object)
{
    struct ouro__capture *c = (struct ouro__capture *)(void *)self;
    uint32_t i = ouro__dead_index(c, object);
    if (i < c->dead)
        c->v->entries[i].trial--;
}
OURO__DEFINE_VISIT(visit_explained, explain)

static void save(struct ouro_visitor *self, void *object)
{
    struct ouro__capture *c = (struct ouro__capture *)(void *)self;
    uint32_t i = ouro__dead_index(c, object);
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
            ouro__each_ref(entries[i].object, ouro__dead_type(c->v, i), &c->visitor, explain);
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
            const struct ouro_type *type = ouro__dead_type(c->v, at - 1);
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
        ouro__dead_prefetch(c, i, 8);
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
        ouro_destroy_value(object, ouro__dead_type(c->v, i));
    }
    return any;
}

static void drop_fields(struct ouro__capture *c)
{
    for (uint32_t i = 0; i < c->dead; i++) {
        struct ouro__entry entry = c->v->entries[i];
        if (!entry.object || (entry.link & OURO__ENTRY_OUTSIDE))
            continue;
        ouro__dead_prefetch(c, i, 8);
        c->me->dropping = c->me->whole = true;
        ouro_lifted_destroy(entry.object, ouro__dead_type(c->v, i));
        c->me->dropping = c->me->whole = false;
    }
}

/* What is left to do of a sweep, from wherever its stage is. Nothing is done twice: entries say
 * whose hook ran and what was freed, and fields that were dropped are empty. */
size_t ouro__sweep_hooks_on(struct ouro__capture *c)
{
    struct ouro__stage *stage = &c->v->stage;
    if (stage->step == OURO__HOOKS_RUN) {
        if (run_hooks(c) && find_resurrected(c) > 0)
            let_live(c);
        stage->step = OURO__DROPPING;
    }
    if (stage->step == OURO__DROPPING) {
        drop_fields(c);
        stage->step = OURO__FREEING;
    }
    return ouro__sweep_free(c);
}

size_t ouro__sweep_hooks(struct ouro__capture *c)
{
    mark_all_dying(c);
    c->v->stage.step = OURO__HOOKS_RUN;
    return ouro__sweep_hooks_on(c);
}
