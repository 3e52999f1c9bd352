/* SPDX-License-Identifier: MIT */
/* beside.c: what a collection does to the indices of bare objects where other threads may have
 * some, and may drop what it looks at (orc/index.h, B4 to B6; model: bare.pml, CAPTURE). */
#include "orc/capture.h"

/* Whose owner a fork left behind: it may be half dropped. */
static bool is_frozen(const struct ouro__capture *c, const void *object)
{
    ouro_word owner = ouro__load(&ouro__header(object)->shared) & OURO__OWNER_MASK;
    return owner != c->me->home && ouro__load(&ouro__tokens[owner].holder) == OURO__FROZEN;
}

void ouro__take_marks_off(struct ouro__capture *c)
{
    for (uint32_t i = 0; i < c->candidates; i++) {
        struct ouro__entry *entry = &c->entries[i];
        if (i + 8 < c->candidates)
            OURO_PREFETCH(ouro__header(c->entries[i + 8].object));
        if (!entry->object || (entry->link & OURO__ENTRY_CLAIMED))
            continue;
        ouro_half *visited = &ouro__header(entry->object)->visited;
        ouro_half v = ouro__half_load(visited);
        while (!(v & OURO__HOLD) && (v & OURO__MARK) &&
               !ouro__half_cas_full(visited, &v, v & ~OURO__MARK))
            continue;
        bool held = v <= (OURO__FLAGS | OURO__LEFT) && (v & OURO__HOLD);
        if (held || is_frozen(c, entry->object))
            entry->link |= OURO__ENTRY_STAYS;
    }
}

void ouro__pass_over_beside(const struct ouro__capture *c, struct ouro__entry *entry)
{
    ouro_half place = (ouro_half)(entry - c->entries) + 1;
    if (ouro__index_take_back(entry->object, place) == OURO__TAKEN_MARKED) {
        entry->link |= OURO__ENTRY_LIVE | OURO__ENTRY_STAYS; /* a drop is at its end */
        return;
    }
    entry->object = NULL;
    c->v->live_places--;
}

/* What was no candidate gives its index back; but what another thread dropped meanwhile has to be
 * one, and there may be no memory for it. */
void ouro__abandon_beside(struct ouro__capture *c)
{
    for (uint32_t i = c->candidates; i < c->v->count; i++) {
        void *object = c->entries[i].object;
        if (ouro__index_take_back(object, i + 1) == OURO__TAKEN_MARKED &&
            ouro__index_move(object, OURO__LOST)) {
            c->v->lost = true;
            ouro__lost_set(c->me->orc);
        }
    }
    c->v->count = c->candidates;
    for (uint32_t i = 0; i < c->candidates; i++) {
        struct ouro__entry *entry = &c->entries[i];
        uint32_t link = ouro__entry_stays(entry) ? 0 : entry->link & OURO__ENTRY_CLAIMED;
        if (entry->object)
            *entry = (struct ouro__entry){entry->object, 0, link};
    }
}

void ouro__give_indices_back(const struct ouro__capture *c)
{
    for (uint32_t i = 0; i < c->v->count; i++) {
        struct ouro__entry *entry = &c->entries[i];
        if (!entry->object || !(entry->link & OURO__ENTRY_LIVE))
            continue;
        if (!(entry->link & OURO__ENTRY_BARE))
            ouro__half_store(&ouro__header(entry->object)->visited, 0);
        else if (ouro__root_stays(c, entry) ||
                 ouro__index_take_back(entry->object, i + 1) == OURO__TAKEN_MARKED)
            entry->link |= OURO__ENTRY_STAYS;
        else
            entry->object = NULL;
    }
}

void ouro__settle_stayer(struct ouro__entry *entry, uint32_t i)
{
    entry->link = 0;
    if (!ouro__index_move(entry->object, i + 1))
        entry->object = NULL;
}
