/* SPDX-License-Identifier: MIT */
/* turn.h: Internal to alloc. Where a thread is, and how it turns from one runtime to another
 * (runtime.c). */
#ifndef OURO_ALLOC_TURN_H
#define OURO_ALLOC_TURN_H

#include "alloc/arena.h"
#include "alloc/runtime.h"

/* The calling thread's heap in a runtime, or NULL; in the one that it is in. */
struct ouro__heap *ouro__heap_in(struct ouro_runtime *runtime);
struct ouro__heap *ouro__heap_here(void);
/* From now on it is in `runtime`, where it has that heap (may be NULL). Nothing else is told. */
void ouro__point_to(struct ouro_runtime *runtime, struct ouro__heap *heap);
/* The same, and both runtimes' parts of the layer above are told (N6). */
void ouro__turn_to(struct ouro_runtime *runtime, struct ouro__heap *heap);

/* Remembers where the thread is, to turn back to, and what it enters, if that is a heap apart;
 * false: no memory. */
bool ouro__entry_push(struct ouro__heap *apart);
void ouro__entry_drop(void);
/* The heap apart that it entered last, if it entered nothing after it; or NULL. */
struct ouro__heap *ouro__entered_last(void);
/* Turns back to where the thread was, and counts it out of `runtime` (N7). */
void ouro__turn_back(struct ouro_runtime *runtime);
/* Counts the calling thread into a runtime and out of it; false: it is closed to it. */
bool ouro__count_in(struct ouro_runtime *runtime);
void ouro__count_out(struct ouro_runtime *runtime);
/* apart.c: the thread is out of what it entered last. */
void ouro__apart_left(struct ouro__heap *heap);
/* Whether the calling thread is in it, or will turn back to it. */
bool ouro__is_inside(const struct ouro_runtime *runtime);

/* What the thread has in the current runtime is given up; `ended` as in struct ouro__upper. */
void ouro__end_here(bool ended);

#endif
