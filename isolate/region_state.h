/* SPDX-License-Identifier: MIT */
/* region_state.h: Internal to isolate. A region, and what handles of regions need of it. */
#ifndef OURO_ISOLATE_REGION_STATE_H
#define OURO_ISOLATE_REGION_STATE_H

#include "isolate/handle.h"
#include "isolate/region.h"

struct ouro__heap;

struct ouro_region {
    struct ouro_isolated handle;
    struct ouro__heap *heap;
    void *root;   /* while it is isolated */
    bool working; /* the thread in it proves it, or ends it: no hook is to leave it */
};

OURO_INLINE struct ouro_region *ouro__region_of(struct ouro_isolated *handle)
{
    return OURO_CONTAINER_OF(handle, struct ouro_region, handle);
}

/* isolate.c: proves, inside the region, that it is closed, and how many objects the root
 * reaches. */
ouro_status ouro__isolate_region(void *root, struct ouro__heap *heap, size_t *objects,
                                 struct ouro_escape *why);
/* Names the misuse of a caller who said that it was. */
void ouro__not_isolated(const struct ouro_escape *why);
/* All that is in an isolated region goes, and it. */
void ouro__region_drop(struct ouro_region *region);
/* All that is in it is the calling thread's, and the region is no more; its root. NULL: it is as it
 * was, for want of memory or because something of it is on its way. */
void *ouro__region_dissolve(struct ouro_region *region);

#endif
