/* SPDX-License-Identifier: MIT */
/* region_proof.c: a region is closed: what its root reaches, and may be reached by nobody else
 * (isolate.c), lies in its pages, or in a block of its own; and nothing else lives in its pages. So
 * they can go as a whole. In pages that are not odd what lives is counted, not looked at (A2 of
 * alloc/layout.h; the region's lists are settled, and what others freed has come in). */
#include "isolate/walk.h"
#include "orc/apart.h"

static void count_one(void *object, void *arg)
{
    (void)object;
    ++*(size_t *)arg;
}

/* What lives in the pages, but for what is anybody's. */
static size_t count_living(struct ouro__heap *heap)
{
    size_t living = 0;
    ouro__remote_drain(heap, heap);
    ouro__heap_settle_lists(heap);
    for (const struct ouro__page *page = heap->all; page; page = page->all_next) {
        if (page->tag == OURO__COUNTED && !ouro__half_load(&page->odd))
            living += page->pub.countdown + page->pub.rest;
    }
    ouro__apart_each(heap, false, count_one, &living);
    return living;
}

/* Of what was reached: how much lies in the pages. What carries the region's token need not: others
 * may have had it before. */
static size_t count_reached(struct ouro__proof *p)
{
    size_t here = 0;
    for (uint32_t i = 0; i < p->f.count && !p->failed; i++) {
        const void *object = ouro__proof_object(p, i);
        if (OURO_LIKELY(ouro__lies_in(p->apart, object)))
            here++;
        else if (!p->me->scattered) /* else it may be large, or was extracted in the region */
            ouro__proof_escapes(p, OURO_ESCAPE_OUT, object, 0);
    }
    return here;
}

/* Acyclic objects are found by address: all of them that were reached. False: no memory. */
static bool note_acyclic(struct ouro__proof *p)
{
    for (uint32_t i = 0; i < p->f.count; i++) {
        const void *object = ouro__proof_object(p, i);
        if (ouro__can_cycle(ouro__header(object)) || ouro__memo_find(&p->shared, object))
            continue;
        if (ouro__memo_reserve(&p->shared) != OURO_OK)
            return false;
        void *as = (void *)((uintptr_t)i + 1);
        ouro__memo_add(&p->shared, (struct ouro__memo_entry){object, as, NULL});
    }
    return true;
}

static void name_unreached(void *object, void *arg)
{
    struct ouro__proof *p = arg;
    if (p->failed || ouro__proof_index(p, object) != UINT32_MAX)
        return;
    const struct ouro_header *h = ouro__header(object);
    p->unreached = true;
    ouro__proof_escapes(p, OURO_ESCAPE_IN, object,
                        (size_t)ouro__references(h, ouro__load(&h->shared)));
}

void ouro__proof_region(struct ouro__proof *p)
{
    if (ouro__supply()->block)
        return; /* there are no pages */
    size_t living = count_living(p->apart);
    if (count_reached(p) == living || p->failed)
        return;
    if (!note_acyclic(p)) {
        ouro__proof_stop(p, OURO_NO_MEMORY);
        return;
    }
    ouro__apart_each(p->apart, true, name_unreached, p);
    ouro__proof_stop(p, OURO_BUSY); /* unless one was named: a cell to be reused, say */
}
