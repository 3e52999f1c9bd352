/* SPDX-License-Identifier: MIT */
/* memo.c: which objects a deep copy has met, and their copies. */
#include "hooks/copying.h"

#include <string.h>

/* Entry numbers are 32 bits. */
#define ENTRIES_MAX ((size_t)UINT32_MAX - 1)

static size_t home_of(const struct ouro_memo *memo, const void *object)
{
    /* Fibonacci hashing; the low bits of addresses say nothing. */
    uint64_t h = ((uint64_t)(uintptr_t)object >> 4) * 0x9E3779B97F4A7C15u;
    return (size_t)(h >> 20) & memo->mask;
}

static void place(struct ouro_memo *memo, uint32_t entry)
{
    size_t i = home_of(memo, memo->entries[entry].object);
    while (memo->index[i] != 0)
        i = (i + 1) & memo->mask;
    memo->index[i] = entry + 1;
}

ouro_status ouro__memo_reserve(struct ouro_memo *memo)
{
    if (memo->count < memo->room)
        return OURO_OK;
    size_t room = memo->room == 0 ? 16 : 2 * memo->room;
    if (room > ENTRIES_MAX)
        return OURO_NO_MEMORY;
    struct ouro__memo_entry *entries = ouro_realloc(memo->entries, room * sizeof *entries);
    if (entries == NULL)
        return OURO_NO_MEMORY;
    memo->entries = entries;
    uint32_t *index = ouro_calloc(2 * room, sizeof *index);
    if (index == NULL)
        return OURO_NO_MEMORY;
    ouro_free(memo->index);
    memo->index = index;
    memo->mask = 2 * room - 1;
    memo->room = room;
    for (size_t i = 0; i < memo->count; i++)
        place(memo, (uint32_t)i);
    return OURO_OK;
}

void ouro__memo_add(struct ouro_memo *memo, struct ouro__memo_entry entry)
{
    memo->entries[memo->count] = entry;
    place(memo, (uint32_t)memo->count++);
}

void *ouro__memo_find(const struct ouro_memo *memo, const void *object)
{
    if (memo->count == 0)
        return NULL;
    for (size_t i = home_of(memo, object); memo->index[i] != 0; i = (i + 1) & memo->mask)
        if (memo->entries[memo->index[i] - 1].object == object)
            return memo->entries[memo->index[i] - 1].copy;
    return NULL;
}

void ouro__memo_end(struct ouro_memo *memo)
{
    ouro_free(memo->entries);
    ouro_free(memo->index);
}
