/* SPDX-License-Identifier: MIT */
/* refops.h: Internal to hooks and orc. How lifted hooks act on references, and sequences and
 * strings on payloads: a table that orc fills in.
 *
 * hooks knows no counts. Objects and weak handles reach the table as opaque pointers, never NULL.
 */
#ifndef OURO_HOOKS_REFOPS_H
#define OURO_HOOKS_REFOPS_H

#include "hooks/payload.h"
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

    /* The payloads of sequences and strings: counted blocks that begin with a struct ouro_payload
     * (payload.h), never NULL. None of these runs a hook or a collection. */

    /* A payload, count 1, contents undefined, of `bytes` at least in all, *room in truth; NULL: no
     * memory. `string`: what it is called in reports. */
    struct ouro_payload *(*payload_new)(size_t bytes, bool string, size_t *room);
    /* The same for what `old` grows to, of which the caller has the only reference: `old` itself,
     * where it stands and with what it holds, if there is room behind it. May be NULL: as
     * payload_new. */
    struct ouro_payload *(*payload_grow)(struct ouro_payload *old, size_t bytes, bool string,
                                         size_t *room);
    /* The caller has the only reference, whichever thread made it: gives it back at once. */
    void (*payload_free)(struct ouro_payload *payload);
    void (*payload_share)(struct ouro_payload *payload);
    void (*payload_drop)(struct ouro_payload *payload);
    /* Whether the caller's reference is known to be the only one. */
    bool (*payload_is_unique)(const struct ouro_payload *payload);
    size_t (*payload_room)(const struct ouro_payload *payload);

    /* Some type with the state LEAVING of which objects are there, and how many; NULL: none. The
     * numbers of such types go out of whatever else remembers them. May be NULL: then there are
     * none. */
    const struct ouro_type *(*alive)(size_t *count);
};

/* Written by the layer above: static data, so that it is there before any value is. */
extern const struct ouro_refops ouro__orc_refops;

/* For tests: another table, borrowed for good, before any value exists. */
void ouro__refops_install(const struct ouro_refops *ops);

extern const struct ouro_refops *ouro__refops;

#endif
