/* SPDX-License-Identifier: MIT */
/* apart.h: Internal to orc and isolate. Objects of heaps of no thread (apart.c). */
#ifndef OURO_ORC_APART_H
#define OURO_ORC_APART_H

#include "orc/state.h"

/* A birth in the heap apart that the calling thread is in: OURO__BORN_..., `type` may be NULL. */
void ouro__apart_born(struct ouro__thread *me, const void *object, const struct ouro_type *type,
                      unsigned mode);
/* The same of one for which a cell is ready, and nothing is to be noted; NULL: it is not so. */
void *ouro__apart_new_ready(const struct ouro__thread *me, struct ouro_type *type, size_t size,
                            unsigned mode);
/* Inside it, when nobody else refers to what is in it: all of that goes, with its pages. False:
 * nothing went, it is to end by its counts. Runs destroy hooks, which must not leave by a jump. */
bool ouro__apart_drop(struct ouro__thread *me, struct ouro__heap *heap);
/* Inside it: each object that lives in its pages and is not anybody's; but for `all`, in odd
 * ones. */
void ouro__apart_each(struct ouro__heap *heap, bool all, void (*visit)(void *object, void *arg),
                      void *arg);
#endif
