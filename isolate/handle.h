/* SPDX-License-Identifier: MIT */
/* handle.h: Internal to isolate. A graph on its way: made by isolate.c, ended by extract.c. */
#ifndef OURO_ISOLATE_HANDLE_H
#define OURO_ISOLATE_HANDLE_H

#include "alloc/atomic.h"
#include "isolate/isolated.h"

/* A list of words in parts of 32 KiB, so that a long one is never moved, and what is given back
 * of it serves the next one. The first part is the owner's while that has room for it; then it
 * grows. */
#define OURO__PART 4096
#define OURO__FEW  16
struct ouro__list {
    ouro_word **parts;
    ouro_word *first; /* `parts` while there is one part */
    ouro_word *few;   /* room for FEW words, the owner's */
    uint32_t room;    /* words */
};
OURO_INLINE void ouro__list_begin(struct ouro__list *list, ouro_word *few)
{
    *list = (struct ouro__list){&list->first, few, few, OURO__FEW};
}
OURO_INLINE ouro_word *ouro__list_at(const struct ouro__list *list, size_t i)
{
    return &list->parts[i / OURO__PART][i % OURO__PART];
}
/* Room for more words than there are; false: no memory, and nothing changed. */
bool ouro__list_grow(struct ouro__list *list);
/* What is not needed for `count` words goes. */
void ouro__list_fit(struct ouro__list *list, uint32_t count);
void ouro__list_end(struct ouro__list *list);

#define OURO__HANDLE_WHOLE  0x6775726fu /* else it was extracted, or is none */
#define OURO__HANDLE_REGION 0x6e676572u /* it stands in a region (region_state.h) */
#define OURO__HANDLE_GONE   0x656e6f67u /* of a region that has ended */
struct ouro_isolated {
    size_t count;
    uint32_t state;
    bool plain;                /* not all of them are merged */
    struct ouro__list objects; /* the root first */
    ouro_word few[OURO__FEW];  /* of them */
};

OURO_INLINE void *ouro__object_of(const struct ouro_isolated *handle, size_t i)
{
    return (void *)*ouro__list_at(&handle->objects, i);
}

void ouro__handle_free(struct ouro_isolated *handle);

/* Headers are fetched so many objects before their turn. */
#define OURO__AHEAD 24

#endif
