/* SPDX-License-Identifier: MIT */
/* verdict.c: trial deletion, second half: which of the captured objects are dead?
 *
 * An object whose references are not all explained is live, and so is all that it reaches (Bacon
 * and Rajan 2001, scan). What remains is closed: every reference to it comes from it. In one
 * uninterrupted step of the owner that is enough, unless other threads run: then each shared word
 * must still be what it was when the object was captured, T and S clear (docs/cycles.md, the one
 * rule; the second look). What a living object explained while it was captured may have been moved
 * out of it before the living were looked for: if it was touched, the others are counted anew, by
 * the references among them alone. Weak upgrades are kept out meanwhile by holding the buckets'
 * locks.
 *
 *  V5  A live object has visited == 0 and its entry LIVE; it is no candidate any more. Where others
 *      may drop bare objects meanwhile (pinned) it has its index until the end.
 *  V6  After the second look the dead can be reached by nobody, and no weak cell finds them. */
#include "orc/capture.h"

/* -- the living -------------------------------------------------------------------------------- */

static const struct ouro__search living;

/* First sight of a live object: nobody is to look at it again (V5). */
static void arrive_living(struct ouro__capture *c, struct ouro__edge edge)
{
    struct ouro_header *h = ouro__header(edge.target);
    ouro_word b = ouro__load(&h->shared);
    if (!ouro__may_capture(c, edge.target, b))
        return;
    /* All that could be captured and has an index was captured: the entry is this thread's. */
    ouro_half visited = ouro__unmarked(c, ouro__half_load(&h->visited));
    if (visited == 0 || visited > c->v->count ||
        (((b & OURO__MERGED) || c->pinned) && !ouro__is_entry_of(c, edge.target, visited)))
        return;
    if (OURO_LIKELY(!c->pinned)) {
        ouro__half_store(&h->visited, 0);
    } else {
        if (!ouro__is_captured(c, &c->entries[visited - 1]))
            return; /* found before; or it takes no part */
        c->entries[visited - 1].link |= OURO__ENTRY_LIVE;
    }
    ouro__capture_later(c, &living, visited - 1);
}

/* By a drop (B4) since it was captured: somebody may be destroying it, so its slots are not looked
 * at again. What it explained lives, which a new count tells. */
static bool was_dropped(const struct ouro__capture *c, uint32_t i)
{
    ouro_half visited = ouro__half_load(&ouro__header(c->entries[i].object)->visited);
    return OURO_UNLIKELY(c->pinned) && ouro__unmarked(c, visited) != i + 1;
}

static void mark_live(struct ouro__capture *c, uint32_t index)
{
    c->entries[index].link |= OURO__ENTRY_LIVE;
    if (was_dropped(c, index))
        c->moved = true;
    else
        ouro__capture_push(c, index);
}

/* Was it touched since it was captured? Then its slots were not what they are (M1, M2). */
static void look_again(struct ouro__capture *c, uint32_t index)
{
    if (OURO_LIKELY(!c->seen))
        return;
    ouro__fence_acquire();
    if (ouro__load(&ouro__header(c->entries[index].object)->shared) != c->seen[index])
        c->moved = true;
}

static void found_slot(struct ouro_visitor *self, void *object)
{
    ouro__edge_found((struct ouro__capture *)(void *)self, &living, object, NULL);
}

OURO__DEFINE_SEARCH_VISIT(visit_slot, living)

static const struct ouro__search living = {arrive_living, mark_live,  ouro__search_nothing,
                                           look_again,    found_slot, visit_slot};

static void find_living(struct ouro__capture *c)
{
    c->visitor.visit = living.visit;
    for (uint32_t i = 0; i < c->v->count; i++) {
        struct ouro__entry *entry = &c->entries[i];
        if (entry->trial == 0 || !ouro__is_captured(c, entry))
            continue;
        /* Beside running threads a reference that moved may have been seen twice: live. */
        if (OURO_UNLIKELY(entry->trial < 0 && !c->seen))
            ouro__wrong_found(entry->object, ouro__load(&ouro__header(entry->object)->shared),
                              "more references to it were found than are counted");
        c->lives = true;
        if (OURO_LIKELY(!c->pinned))
            ouro__half_store(&ouro__header(entry->object)->visited, 0);
        mark_live(c, i);
        ouro__capture_scan(c, &living);
    }
    ouro__capture_finish(c, &living);
}

/* -- the second look --------------------------------------------------------------------------- */

/* A bit a bucket: those of the dead that may have weak cells. */
static void lock_buckets(const struct ouro__capture *c)
{
    uint32_t need = 0;
    for (uint32_t i = 0; i < c->v->count && c->weak; i++) {
        const struct ouro__entry *entry = &c->entries[i];
        if (!ouro__is_captured(c, entry) ||
            !(ouro__load(&ouro__header(entry->object)->shared) & OURO__WEAK))
            continue;
        need |= (uint32_t)1 << ouro__weak_bucket(entry->object);
    }
    for (unsigned i = 0; i < OURO__WEAK_BUCKETS; i++) {
        if (need >> i & 1)
            ouro__weak_lock(c->me->orc, i); /* in order: nobody holds two but in this order */
    }
    c->v->stage.locked = need;
}

void ouro__unlock_buckets(struct ouro__orc *orc, struct ouro__visited *v)
{
    uint32_t locked = v->stage.locked;
    v->stage.locked = 0;
    for (unsigned i = 0; i < OURO__WEAK_BUCKETS; i++) {
        if (locked >> i & 1)
            ouro__weak_unlock(orc, i);
    }
}

static const struct ouro__search recounting;

static void arrive_recounting(struct ouro__capture *c, struct ouro__edge edge)
{
    struct ouro_header *h = ouro__header(edge.target);
    ouro_word b = ouro__load(&h->shared);
    if (!ouro__may_capture(c, edge.target, b))
        return;
    ouro_half visited = ouro__unmarked(c, ouro__half_load(&h->visited)); /* 0: it lives */
    if (ouro__is_entry_of(c, edge.target, visited))
        c->entries[visited - 1].trial--;
}

static void found_recounted(struct ouro_visitor *self, void *object)
{
    ouro__edge_found((struct ouro__capture *)(void *)self, &recounting, object, NULL);
}

OURO__DEFINE_SEARCH_VISIT(visit_recounted, recounting)

static const struct ouro__search recounting = {arrive_recounting,    ouro__search_nothing,
                                               ouro__search_nothing, ouro__search_nothing,
                                               found_recounted,      visit_recounted};

/* A living object was touched: a reference may have been in it when it was captured, and elsewhere
 * when the living were looked for. What is not yet living has to be explained by itself. */
static void recount(struct ouro__capture *c)
{
    c->moved = false;
    for (uint32_t i = 0; i < c->v->count; i++) {
        struct ouro__entry *entry = &c->entries[i];
        if (!ouro__is_captured(c, entry))
            continue;
        const struct ouro_header *h = ouro__header(entry->object);
        entry->trial = ouro__references(h, ouro__load(&h->shared)) -
                       ((entry->link & OURO__ENTRY_CLAIMED) != 0);
    }
    c->visitor.visit = recounting.visit;
    for (uint32_t i = 0; i < c->v->count; i++) {
        if (!ouro__is_captured(c, &c->entries[i]))
            continue;
        ouro__capture_push(c, i);
        ouro__capture_scan(c, &recounting);
    }
    ouro__capture_finish(c, &recounting);
}

/* By a drop, or as the shared word tells (a spill is not marked). */
static bool was_touched(const struct ouro__capture *c, uint32_t i)
{
    const struct ouro_header *h = ouro__header(c->entries[i].object);
    return ouro__load(&h->shared) != c->seen[i] || was_dropped(c, i);
}

/* Whether any of the dead was touched since it was captured; those live. */
static bool any_touched(struct ouro__capture *c)
{
    bool any = false;
    ouro__fence_acquire(); /* after the last slot was read (docs/cycles.md M1) */
    for (uint32_t i = 0; i < c->v->count; i++) {
        struct ouro__entry *entry = &c->entries[i];
        if (!ouro__is_captured(c, entry) || !was_touched(c, i))
            continue;
        entry->trial = 1;
        any = true;
    }
    return any;
}

/* Entries that were touched since they were captured live, with all that they reach and all that
 * they reached. Ends: each round finds one more that lives. */
static void second_look(struct ouro__capture *c)
{
    while (c->seen && (c->moved || any_touched(c))) {
        if (c->moved)
            recount(c);
        find_living(c);
    }
}

static void clear_weak(struct ouro__capture *c)
{
    for (uint32_t i = 0; i < c->v->count && c->weak; i++) {
        const struct ouro__entry *entry = &c->entries[i];
        if (ouro__is_captured(c, entry) &&
            (ouro__load(&ouro__header(entry->object)->shared) & OURO__WEAK))
            ouro__weak_clear_locked(c->me->orc, entry->object);
    }
}

/* -- the whole --------------------------------------------------------------------------------- */

/* The dead to the front. Behind them, what stays a candidate is one again at once: it may die while
 * hooks run. */
static void sort_out(struct ouro__capture *c)
{
    struct ouro__visited *v = c->v;
    uint32_t dead = 0;
    if (c->pinned)
        ouro__give_indices_back(c);
    for (uint32_t i = 0; i < v->count; i++) {
        struct ouro__entry entry = c->entries[i];
        if (!ouro__is_captured(c, &entry))
            continue;
        if (i != dead) {
            c->entries[i] = c->entries[dead];
            c->entries[dead] = entry;
        } /* the other's is told below */
        if (i != dead || c->pinned)
            ouro__half_store(&ouro__header(entry.object)->visited, dead + 1);
        dead++;
    }
    c->dead = dead;
    for (uint32_t i = dead; i < v->count; i++) {
        struct ouro__entry *entry = &c->entries[i];
        if (entry->object && ouro__entry_stays(entry)) {
            ouro__settle_stayer(entry, i);
            continue;
        }
        if (entry->object && ouro__root_stays(c, entry))
            entry->link &= OURO__ENTRY_CLAIMED;
        if (entry->object && !(entry->link & OURO__ENTRY_LIVE))
            ouro__half_store(&ouro__header(entry->object)->visited, i + 1);
    }
}

/* The usual case of a program that dropped what it had made: it is alone, nothing that was captured
 * lives, and all entries take part. Then they stand where they are to stand. */
static bool all_are_dead(const struct ouro__capture *c)
{
    return !c->lives && c->captured == c->v->count && !c->seen && !c->weak;
}

void ouro__verdict(struct ouro__capture *c)
{
    find_living(c);
    if (all_are_dead(c)) {
        c->dead = c->v->count;
        return;
    }
    lock_buckets(c);
    second_look(c);
    clear_weak(c);
    ouro__unlock_buckets(c->me->orc, c->v);
    sort_out(c);
}
