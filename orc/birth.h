/* SPDX-License-Identifier: MIT */
/* birth.h: Internal to orc. What births out of line and the reuse of cells have in common. */
#ifndef OURO_ORC_BIRTH_H
#define OURO_ORC_BIRTH_H

#include "orc/state.h"

/* To what objects of the type are aligned. */
size_t ouro__object_align(const struct ouro_type *type);
/* Before the first object whose block starts elsewhere: whoever frees it asks. */
void ouro__tell_aligned(struct ouro_type *type);
/* The header of a new object with one reference: OURO__BORN_..., on a thread with that home. */
void ouro__write_header(void *object, const struct ouro_type *type, unsigned mode, unsigned home);

#endif
