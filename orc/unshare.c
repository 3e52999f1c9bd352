/* SPDX-License-Identifier: MIT */
/* unshare.c: a reference of one's own (Rust's make_mut, for counted objects). */
#include "orc/unshare.h"
#include "hooks/refops.h"
#include "hooks/value.h"
#include "orc/object.h"
#include "orc/slot.h"

/* *own: a copy (owned) of an object that is shared, or NULL: it is not. */
static ouro_status copy_if_shared(void *object, void **own)
{
    *own = NULL;
    if (ouro_is_unique(object))
        return OURO_OK;
    /* Descriptors are variables of the program (type.h). */
    struct ouro_type *type = (struct ouro_type *)(uintptr_t)ouro_type_of(object);
    if (type == NULL)
        return OURO_BAD_TYPE;
    void *copy = ouro_new_biased(type, ouro_object_size(object));
    if (copy == NULL)
        return OURO_NO_MEMORY;
    ouro_status status = ouro_dup(copy, object, type);
    if (status == OURO_OK)
        *own = copy;
    else
        ouro__refops->discard(copy);
    return status;
}

ouro_status ouro_unshare(void **reference)
{
    void *own;
    if (reference == NULL || *reference == NULL)
        return OURO_BAD_ARGUMENT;
    void *object = *reference;
    ouro_status status = copy_if_shared(object, &own);
    if (own != NULL) {
        *reference = own;
        ouro_decref(object);
    }
    return status;
}

ouro_status ouro_unshare_slot(void *container, void **slot)
{
    void *own;
    if (container == NULL || slot == NULL || *slot == NULL)
        return OURO_BAD_ARGUMENT;
    ouro_status status = copy_if_shared(*slot, &own);
    if (own != NULL)
        ouro_slot_store(container, slot, own);
    return status;
}
