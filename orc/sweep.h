/* SPDX-License-Identifier: MIT */
/* sweep.h: Internal to orc. What sweep.c, sweep_hooks.c and sweep_bare.c share. */
#ifndef OURO_ORC_SWEEP_H
#define OURO_ORC_SWEEP_H

#include "orc/capture.h"

OURO_INLINE const struct ouro_type *ouro__dead_type(const struct ouro__visited *v, uint32_t i)
{
    void *object = v->entries[i].object;
    return ouro__type_of(object, ouro__load(&ouro__header(object)->shared));
}
/* The header of the object `ahead` places on, if there is one. */
OURO_INLINE void ouro__dead_prefetch(const struct ouro__capture *c, uint32_t i, uint32_t ahead)
{
    if (i + ahead < c->dead)
        OURO_PREFETCH(ouro__header(c->v->entries[i + ahead].object));
}
/* The index of one of the dead, or c->dead. */
OURO_INLINE uint32_t ouro__dead_index(const struct ouro__capture *c, const void *object)
{
    /* Not by ouro__may_capture: a drop may just have adopted the target's token. */
    ouro_half visited = ouro__half_load(&ouro__header(object)->visited);
    bool ours = visited != 0 && visited <= c->dead && c->v->entries[visited - 1].object == object;
    return ours ? visited - 1 : c->dead;
}

/* Garbage with hooks, or other things than references: all steps of sweep.c. How many went. */
size_t ouro__sweep_hooks(struct ouro__capture *c);
/* The rest of that, from step 2 on, or the memory alone. */
size_t ouro__sweep_hooks_on(struct ouro__capture *c);
/* Gives back the memory of those of the dead whose entries are not empty. */
size_t ouro__sweep_free(struct ouro__capture *c);

#endif
