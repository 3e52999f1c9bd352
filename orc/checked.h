/* SPDX-License-Identifier: MIT */
/* checked.h: Internal to orc. The checked library's additions; without OURO_CHECKED they fold away.
 */
#ifndef OURO_ORC_CHECKED_H
#define OURO_ORC_CHECKED_H

#include "orc/object.h"

struct ouro__thread;

/* Completes the word before the header (object.c): which thread made it, whether in local mode. */
void ouro__checked_born(void *object, const struct ouro__thread *me, unsigned mode);
/* Somebody counts on the object: is that allowed? */
void ouro__checked_touch(const void *object, const struct ouro__thread *me);
/* Poisons a freed object and keeps it from reuse for a while. */
void ouro__checked_free(void *object, const struct ouro_type *type);

#endif
