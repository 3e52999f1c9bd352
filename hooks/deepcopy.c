/* SPDX-License-Identifier: MIT */
/* deepcopy.c: copies of whole graphs.
 *
 * Breadth first, without recursion: an object that is reached for the first time gets an empty copy
 * and an entry in the memo; the entries, in that order, are also the list of what is still to be
 * filled. Reached again, it gives another reference to the same copy. So sharing and cycles are
 * kept, and the stack stays as it is however long a list is.
 *
 * The memo owns a reference to every copy until the end. So it does no harm when hooks drop what
 * they were given, or when a value that was made is destroyed again; and after a failure all
 * copies that were filled are destroyed, whatever cycles they form: then each is back at the memo's
 * reference, and discarded.
 *
 * Weak and borrowed references are copied as they are while the graph is being filled, and pointed
 * at copies at the end, because what they stand for may be reached later, or never. */
#include "hooks/copying.h"
#include "hooks/walk.h"

#include <string.h>

static ouro_status fail(struct ouro_memo *memo, ouro_status status)
{
    if (memo->failed == OURO_OK)
        memo->failed = status;
    return status;
}

/* An empty copy of an object that is not in the memo yet, put into it. */
static ouro_status add_copy(const void *object, struct ouro_type *type, struct ouro_memo *memo,
                            void **copy)
{
    ouro_status status = ouro__type_check(type);
    if (status == OURO_OK)
        status = ouro__memo_reserve(memo);
    if (status != OURO_OK)
        return status;
    *copy = ouro__refops->allocate(type, ouro__value_size(object, type));
    if (*copy == NULL)
        return OURO_NO_MEMORY;
    ouro__memo_add(memo, (struct ouro__memo_entry){object, *copy, type});
    return OURO_OK;
}

ouro_status ouro__deepcopy_ref_as(void **copy, const void *reference,
                                  const struct ouro_type *target, struct ouro_memo *memo)
{
    if (reference == NULL) {
        *copy = NULL;
        return OURO_OK;
    }
    void *object = (void *)(uintptr_t)reference, *made = object;
    const struct ouro_type *type = ouro__refops->type_of(object);
    type = type != NULL ? type : target;
    if (type == NULL)
        return fail(memo, OURO_BAD_TYPE);
    if (!ouro__is_shared(type)) {
        made = ouro__memo_find(memo, object);
        if (made == NULL) {
            ouro_status status = add_copy(object, (struct ouro_type *)(uintptr_t)type, memo, &made);
            if (status != OURO_OK)
                return fail(memo, status);
        }
    }
    ouro__refops->incref(made);
    *copy = made;
    return OURO_OK;
}

ouro_status ouro_deepcopy_ref(void **copy, const void *reference, struct ouro_memo *memo)
{
    if (copy == NULL || memo == NULL)
        return OURO_BAD_ARGUMENT;
    return ouro__deepcopy_ref_as(copy, reference, NULL, memo);
}

ouro_status ouro_lifted_deepcopy(void *fresh, const void *from, const struct ouro_type *type,
                                 struct ouro_memo *memo)
{
    ouro_status status = ouro__copy_fields(fresh, from, type, memo);
    return status == OURO_OK ? OURO_OK : fail(memo, status);
}

ouro_status ouro__deepcopy_in(void *fresh, const void *from, const struct ouro_type *type,
                              struct ouro_memo *memo)
{
    ouro_status status;
    if (ouro__is_shared(type) || (type->hooks.deepcopy == NULL && ouro__dups(type)))
        status = ouro_dup(fresh, from, type);
    else if (type->hooks.deepcopy != NULL)
        status = type->hooks.deepcopy(fresh, from, type, memo);
    else
        status = ouro_lifted_deepcopy(fresh, from, type, memo);
    return status == OURO_OK ? OURO_OK : fail(memo, status);
}

/* A refused fill and a destroy leave any bytes, but the object is there until it is discarded, and
 * a hook that runs meanwhile may have it traced (H4 of lift.c). */
static void make_empty(const struct ouro__memo_entry *entry)
{
    memset(entry->copy, 0, entry->type->size); /* the counter of a tail is before it */
}

/* Fills the copies until none is empty; *filled tells how many are. */
static void fill(struct ouro_memo *memo, size_t *filled)
{
    while (memo->failed == OURO_OK && *filled < memo->count) {
        struct ouro__memo_entry entry = memo->entries[*filled];
        ouro_status status = ouro__deepcopy_in(entry.copy, entry.object, entry.type, memo);
        if (status == OURO_OK)
            ++*filled;
        else
            make_empty(&entry);
    }
}

static void take_back(struct ouro_memo *memo, size_t filled)
{
    for (size_t i = 0; i < filled; i++) {
        ouro_destroy_value(memo->entries[i].copy, memo->entries[i].type);
        make_empty(&memo->entries[i]);
    }
    for (size_t i = 0; i < memo->count; i++)
        ouro__refops->discard(memo->entries[i].copy);
}

static void settle(struct ouro_memo *memo)
{
    void (*drop)(void *) = ouro__refops->settle;
    if (drop == NULL)
        drop = ouro__refops->decref;
    for (size_t i = 0; i < memo->count; i++)
        drop(memo->entries[i].copy);
}

ouro_status ouro_deepcopy_value(void *fresh, const void *from, const struct ouro_type *type)
{
    if (fresh == NULL || from == NULL || type == NULL)
        return OURO_BAD_ARGUMENT;
    struct ouro_memo memo = {.failed = OURO_OK};
    size_t filled = 0;
    bool made = ouro__deepcopy_in(fresh, from, type, &memo) == OURO_OK;
    fill(&memo, &filled);
    if (memo.failed == OURO_OK && memo.count != 0)
        memo.failed = ouro__relink(&memo, fresh, type);
    if (memo.failed == OURO_OK) {
        settle(&memo);
    } else {
        if (made)
            ouro_destroy_value(fresh, type);
        take_back(&memo, filled);
    }
    ouro__memo_end(&memo);
    return memo.failed;
}
