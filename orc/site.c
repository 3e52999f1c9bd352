/* SPDX-License-Identifier: MIT */
/* site.c: where bare objects were born: one table by address, open addressing. Nothing is taken
 * out: an address is asked for only while an object lives there, and its birth wrote the entry. */
#include "orc/site.h"
#include "alloc/heap.h"
#include "alloc/options.h"
#include "orc/state.h"

struct entry {
    const void *object, *site; /* object NULL: free */
};

static struct {
    ouro__mutex lock;
    struct entry *entries;
    size_t used, room; /* room: a power of two, or 0 */
} table = {.lock = OURO__MUTEX_INIT};

const char ouro__nameless[] = "(type without a name)";

bool ouro__sites_wanted(void)
{
    return ouro_option_get(OURO_OPTION_leaks) == 2;
}

static struct entry *place_of(const void *object)
{
    size_t at = ((uintptr_t)object >> 4) * 0x9E3779B97F4A7C15u >> 20;
    while (table.entries[at & (table.room - 1)].object != NULL &&
           table.entries[at & (table.room - 1)].object != object)
        at++;
    return &table.entries[at & (table.room - 1)];
}

static bool grow(void)
{
    size_t before = table.room, room = before ? before * 2 : 1024;
    struct entry *entries = table.entries;
    struct entry *fresh = ouro__meta_take(room * sizeof *fresh); /* of no runtime; zeroed */
    if (!fresh)
        return false;
    table.entries = fresh;
    table.room = room;
    for (size_t i = 0; i < before; i++) {
        if (entries[i].object)
            *place_of(entries[i].object) = entries[i];
    }
    return true; /* half as much as there is now is left behind */
}

void ouro__site_note(const void *object, const void *site)
{
    ouro__orc_lock(&table.lock);
    if (table.used * 2 < table.room || grow()) {
        struct entry *entry = place_of(object);
        table.used += entry->object == NULL;
        *entry = (struct entry){object, site};
    }
    ouro__orc_unlock(&table.lock);
}

const void *ouro__site_of(const void *object)
{
    ouro__orc_lock(&table.lock);
    const void *site = table.room ? place_of(object)->site : NULL;
    ouro__orc_unlock(&table.lock);
    return site;
}

void ouro__sites_before_fork(void)
{
    ouro__lock(&table.lock);
}

void ouro__sites_after_fork(bool child)
{
    ouro__mutex_after_fork(&table.lock, child);
}
