/* SPDX-License-Identifier: MIT */
/* refops.h: Internal to hooks and orc. How lifted hooks act on references: a table that orc
 * installs.
 *
 * hooks knows no counts. Objects and weak handles reach the table as opaque pointers, never NULL.
 * Until a table is installed references may only be NULL. */
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
    /* Returns the memory of an object that `allocate` made; runs no hook, looks at no contents.
     * Its count is 1 again and no weak handle is left, but it may have become a candidate. */
    void (*discard)(void *object);
    /* A decref that does not make the object a candidate for the cycle collector: for a reference
     * beside others that were counted since. Destroys if it was the last all the same. May be
     * NULL: then decref. */
    void (*settle)(void *object);
    /* For weak handles between objects that are copied together; both or none are NULL. A strong
     * reference to what a handle stands for, or NULL; a handle for an object, NULL: no memory. */
    void *(*weak_upgrade)(void *weak);
    void *(*weak_new)(void *object);
};

/* Called once by the layer above, before any value exists. `ops` is borrowed for good. */
void ouro__refops_install(const struct ouro_refops *ops);

extern const struct ouro_refops *ouro__refops;

#endif
