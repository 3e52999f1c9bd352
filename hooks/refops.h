/* SPDX-License-Identifier: MIT */
/* refops.h: Internal to hooks. How lifted hooks act on references: a table that orc installs.
 *
 * hooks knows no counts. Objects reach it as opaque pointers; `type` is what the field says, or
 * NULL. Until a table is installed references may only be NULL. */
#ifndef OURO_HOOKS_REFOPS_H
#define OURO_HOOKS_REFOPS_H

#include "hooks/type.h"

struct ouro_refops {
    void (*incref)(void *object);
    void (*decref)(void *object);
    void (*weak_incref)(void *weak);
    void (*weak_decref)(void *weak);
    const struct ouro_type *(*type_of)(const void *object); /* NULL: no descriptor known */
    /* A new object of `type`, count 1, contents zeroed; NULL: no memory. */
    void *(*allocate)(struct ouro_type *type, size_t size);
    /* Returns the memory of an object that `allocate` made and nobody saw; runs no hook. */
    void (*discard)(void *object);
};

/* Called once by the layer above, before any value exists. */
void ouro__refops_install(const struct ouro_refops *ops);

#endif
