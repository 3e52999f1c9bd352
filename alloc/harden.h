/* SPDX-License-Identifier: MIT */
/* harden.h: Internal to alloc. Levels of hardening of libouro-malloc.so (option `harden`), and how
 * heaps stand aside for what looks at each block.
 *
 * What is off costs the short paths nothing: where every block is to be seen, heaps are watched and
 * pages have no reach, so that inlined paths go out of line by the tests that they have anyhow. Of
 * pages of several slices ouro__raw_starts asks. In the other libraries all of this is constant,
 * and gone. */
#ifndef OURO_ALLOC_HARDEN_H
#define OURO_ALLOC_HARDEN_H

#include "alloc/fail.h"
#include "alloc/heap.h"

/* The level, and whether heaps stand aside: set before the first heap is made. */
extern unsigned ouro__harden;
extern bool ouro__aside;

#define OURO__PASSES_OVER OURO_IN_FRONT(OURO_UNLIKELY(ouro__harden == 0))
#define OURO__HARD        OURO_IN_FRONT(OURO_UNLIKELY(ouro__harden >= 2))
#define OURO__ASIDE       OURO_IN_FRONT(OURO_UNLIKELY(ouro__aside))

/* Something is wrong with a block of the program's: ouro_fail. At level 0 it is told, the first of
 * each kind, and this returns: the block is to be left alone. */
OURO_COLD void ouro__misused(ouro_failure_kind kind, const void *block, const char *detail);

/* -- harden.c ---------------------------------------------------------------------------------- */

/* Reads the level. Allocates nothing. */
void ouro__harden_begin(void);
/* At levels 2 and 3: a raw block of `size` bytes; NULL: refused. */
void *ouro__hard_take(struct ouro__heap *heap, size_t size, size_t align);
/* Gives back what is at `p`, a start, after it was looked at. */
void ouro__hard_free(const struct ouro__place *place, void *p);
/* What was asked for at `p`, a start. */
size_t ouro__hard_size(const struct ouro__place *place, const void *p);
/* Whether the block at `p`, of which the size is known to be told, serves for `size` bytes as well
 * where it is. Then it has that size. */
bool ouro__hard_resize(void *p, size_t size);

/* A free cell: the next one in its list. It fails if what stands there leads nowhere. */
void *ouro__hard_next(const void *cell);
void ouro__hard_lead(void *cell, const void *next);
void ouro__hard_push(struct ouro__page *page, void *cell);
/* Makes `n` free cells out of what is cut off a page, linked in their order. */
void ouro__hard_cut(const struct ouro__page *page, char *first, uint32_t n);

OURO_INLINE void *ouro__next_free(const void *cell)
{
    return OURO__HARD ? ouro__hard_next(cell) : *(void *const *)cell;
}
OURO_INLINE void ouro__lead_to(void *cell, void *next)
{
    if (OURO__HARD)
        ouro__hard_lead(cell, next);
    else
        *(void **)cell = next;
}

/* -- quarantine.c ------------------------------------------------------------------------------ */

/* Keeps back a block of so many bytes that the calling thread has freed, whose heap that is; false:
 * it does not. What makes way for it goes to ouro__hard_release. */
bool ouro__quarantine_put(struct ouro__heap *heap, void *block, size_t bytes);
/* All that is kept back goes. The caller serves the heap. */
void ouro__quarantine_empty(struct ouro__heap *heap);
/* Calls `visit` with all that is kept back. */
void ouro__quarantine_each(const struct ouro__heap *heap,
                           void (*visit)(const struct ouro__place *place, void *arg), void *arg);

/* -- shared by harden.c and harden_own.c ------------------------------------------------------- */

#define OURO__CANARY_MOST ((size_t)32)

/* A number that only this process has for an address. */
ouro_word ouro__hard_key(const void *p);
/* Writes what stands behind `size` bytes at `p`, up to `end`; looks whether it still does. */
void ouro__canary_set(void *p, size_t size, const void *end);
bool ouro__canary_stands(const void *p, size_t size, const void *end);
OURO_COLD void ouro__overflowed(const void *p, size_t size);

/* Raw blocks that have pages of their own: the same as above. */
bool ouro__owns_pages(size_t size, size_t align);
void *ouro__own_take(struct ouro__heap *heap, size_t size, size_t align);
/* Returns what was asked for. */
size_t ouro__own_free(const struct ouro__place *place, void *p);
size_t ouro__own_size(const struct ouro__place *place, const void *p);
bool ouro__own_resize(const struct ouro__place *place, void *p, size_t size);
/* What was freed is in quarantine now. */
void ouro__own_shut(const struct ouro__place *place);
/* It leaves it, or was never there. */
void ouro__own_release(const struct ouro__place *place);
void ouro__hard_release(void *block);

/* A cell of a class (pool.c): NULL: refused. */
void *ouro__class_take(struct ouro__heap *heap, unsigned tag, unsigned cls);

#endif
