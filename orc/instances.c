/* SPDX-License-Identifier: MIT */
/* instances.c: objects of types that are about to be unregistered (hooks/unregister.c).
 *
 * All headers of all runtimes are looked at, beside threads that run: the words are loaded
 * atomically, and what is there changes for other types alone. The number of such a type is taken
 * out of the header of a freed object by compare-and-swap: a birth may be writing another word
 * there. */
#include "alloc/heap.h"
#include "orc/checked.h"
#include "orc/state.h"

#define TYPE_BITS ((ouro_word)0xFFFF << OURO__TYPE_SHIFT)

struct look {
    const struct ouro_type *type;
    size_t count;
};

OURO_READS_RACY static void look_at(struct look *look, char *block, size_t bytes)
{
    struct ouro_header *h = ouro__header_within(block, bytes);
    ouro_word b = h ? ouro__load(&h->shared) : 0;
    if ((b & TYPE_BITS) == 0)
        return;
    const struct ouro_type *type = ouro__type_of(h + 1, b);
    if (!type || !(ouro__half_load(&type->state) & OURO__TYPE_LEAVING))
        return;
    if (ouro__is_freed(b)) {
        (void)ouro__cas_full(&h->shared, &b, b & ~TYPE_BITS);
        return;
    }
    if (!look->type)
        look->type = type;
    look->count += look->type == type;
}

static void look_at_place(const struct ouro__place *place, void *arg)
{
    for (size_t i = 0; i < place->blocks; i++)
        look_at(arg, place->block + i * place->bytes, place->bytes);
}

static void look_through(struct ouro_runtime *runtime, void *arg)
{
    ouro__runtime_each(runtime, OURO__COUNTED, look_at_place, arg);
}

const struct ouro_type *ouro__leaving_alive(size_t *count)
{
    struct look look = {NULL, 0};
    if (OURO_CHECKED)
        ouro__checked_flush(); /* what is kept of them goes now, while the descriptors are there */
    ouro__runtimes_lock();
    ouro__runtimes_each(look_through, &look);
    ouro__runtimes_unlock();
    *count = look.count;
    return look.type;
}
