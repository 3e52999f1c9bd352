/* SPDX-License-Identifier: MIT */
/* pin.c: the visited word of bare objects, and the end of those whose index another thread has
 * (orc/index.h, B1 to B6; docs/adr/0015, pins; model: bare.pml). */
#include "orc/index.h"
#include "orc/checked.h"

void ouro__index_free_gone(void *object)
{
    struct ouro_header *h = ouro__header(object);
    /* Pairs with the exchange in ouro__dispose_out; an RMW, as TSan does not follow fences. */
    (void)ouro__half_exchange_full(&h->visited, OURO__GONE_INDEX);
    ouro__free_object(object, ouro__type_of(object, ouro__load(&h->shared)));
}

bool ouro__index_move(void *object, ouro_half place)
{
    struct ouro_header *h = ouro__header(object);
    ouro_half v = ouro__half_load(&h->visited);
    while (v != OURO__GONE_INDEX) {
        if (ouro__half_cas_full(&h->visited, &v, (v & OURO__FLAGS) | place))
            return true;
    }
    ouro__index_free_gone(object);
    return false;
}

enum ouro__taken ouro__index_take_back(void *object, ouro_half place)
{
    struct ouro_header *h = ouro__header(object);
    ouro_half v = ouro__half_load(&h->visited);
    while ((v & ~OURO__AWAY) == place) {
        if (ouro__half_cas_full(&h->visited, &v, 0))
            return OURO__TAKEN_BACK;
    }
    if (v != OURO__GONE_INDEX)
        return OURO__TAKEN_MARKED;
    ouro__index_free_gone(object);
    return OURO__TAKEN_GONE;
}

bool ouro__index_find(struct ouro_header *h, ouro_half place)
{
    ouro_half v = ouro__half_load(&h->visited);
    while (ouro__place_in(v) == OURO__LOST) {
        if (ouro__half_cas_full(&h->visited, &v, place ? (v & OURO__FLAGS) | place : 0))
            return true;
    }
    return false;
}

bool ouro__index_hold(const struct ouro__thread *me, struct ouro_header *h, ouro_half away)
{
    if (OURO_LIKELY(!ouro__load(&ouro__many_threads)))
        return false;
    ouro_half v = ouro__half_load(&h->visited), next;
    do {
        if (v == OURO__ACYCLIC || v == OURO__GONE_INDEX || (me && ouro__has_entry(me, h + 1, v)))
            return false;
        next = v == 0 ? OURO__HOLD : v | OURO__HOLD | OURO__MARK | away;
    } while (!ouro__half_cas_full(&h->visited, &v, next));
    ouro__fence_release(); /* counts are written after it; pairs with any_touched (verdict.c) */
    return true;
}

void ouro__index_let_go(struct ouro_header *h)
{
    ouro_half v = ouro__half_load(&h->visited);
    while (v <= (OURO__FLAGS | OURO__LEFT) && (v & OURO__HOLD) &&
           !ouro__half_cas_full(&h->visited, &v, v & ~OURO__HOLD))
        continue;
}

void ouro__index_own(struct ouro_header *h)
{
    ouro_half v = ouro__half_load(&h->visited);
    while (ouro__place_in(v) != 0 && (v & OURO__AWAY) &&
           !ouro__half_cas_full(&h->visited, &v, v & ~OURO__AWAY))
        continue;
}

void ouro__dispose_out(void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    struct ouro__thread *me = ouro__me();
    if (OURO_UNLIKELY(b & OURO__IMMORTAL)) {
        ouro__over_release(object, b);
        return;
    }
    if (me && !ouro__has_no_index(ouro__visited_acquire(h)))
        ouro__forget(me, h);
    if (OURO_UNLIKELY(!ouro__has_no_index(ouro__visited_acquire(h)))) {
        ouro__mark_freed(h); /* before GONE (B2) */
        ouro_half was = ouro__half_exchange_full(&h->visited, OURO__GONE_INDEX);
        if (ouro__place_in(was) != 0 && ouro__place_in(was) != OURO__LOST)
            return;
    }
    ouro__free_object(object, ouro__type_of(object, b));
}
