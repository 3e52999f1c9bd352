/* SPDX-License-Identifier: MIT */
/* lost.c: candidates that could not be remembered, for want of memory, and that no running thread
 * looks for among its own pages: merged ones, of threads that ended, in pages of others.
 *
 * The next collection of a thread that is the process's only one looks at every object of its
 * runtime once, and
 * makes what might be garbage a candidate again. If there is no memory for that, the next one does.
 *
 *  L1  The word is set after a candidate was forgotten, and cleared before the look.
 *  L2  Alone, this thread may take any token that is GONE; what others hold, in the child of a
 *      fork, is left alone. */
#include "alloc/heap.h"
#include "orc/index.h"

void ouro__lost_set(struct ouro__orc *orc)
{
    ouro__store(&orc->lost, 1);
}

bool ouro__lost_exist(const struct ouro__orc *orc)
{
    return ouro__load(&orc->lost) != 0;
}

/* A merged object: the entry owns a reference (C2). There is no other thread to pair with. */
static void claim(struct ouro__thread *me, void *object, ouro_word b)
{
    struct ouro_header *h = ouro__header(object);
    while (!(b & (OURO__QUEUED | OURO__IMMORTAL))) {
        if (!ouro__cas_full(&h->shared, &b, (b | OURO__QUEUED) + OURO__UNIT))
            continue;
        if (!ouro__remember(me, object, true) && ouro__unclaim(object))
            ouro__die(me, object);
        return;
    }
}

static void look_at(struct ouro__thread *me, char *block)
{
    void *object = ouro__object_in(block);
    if (!object)
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load(&h->shared);
    unsigned owner = (unsigned)(b & OURO__OWNER_MASK);
    if ((b & (OURO__IMMORTAL | OURO__QUEUED)) || !ouro__may_be_lost(object, b))
        return; /* acyclic, a candidate, or it waits in a queue */
    if (ouro__is_traced_bare(b)) {
        if (ouro__load(&ouro__tokens[owner].holder) != OURO__FROZEN)
            ouro__remember_lost(me, object);
    } else if (b & OURO__MERGED)
        claim(me, object, b);
    else if (ouro__holds(me, b) || (ouro__load(&ouro__tokens[owner].holder) == OURO__GONE &&
                                    ouro__token_adopt(me, owner)))
        ouro__remember(me, object, false);
}

static void look_at_place(const struct ouro__place *place, void *arg)
{
    for (size_t i = 0; i < place->blocks; i++)
        look_at(arg, place->block + i * place->bytes);
}

void ouro__lost_find(struct ouro__thread *me)
{
    ouro__store(&me->orc->lost, 0);
    me->visited.lost = false;
    if (ouro__supply()->block)
        return; /* there are no pages to look through */
    bool releasing = me->releasing;
    me->releasing = true; /* a death is only chained */
    ouro__arena_each(OURO__COUNTED, look_at_place, me);
    me->releasing = releasing;
}
