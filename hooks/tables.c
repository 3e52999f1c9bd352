/* SPDX-License-Identifier: MIT */
/* tables.c: what registration works out of descriptors, in memory of its own.
 *
 * The tables of a type are one row: its bases, as pointers, then the offsets of its references. The
 * rows of all types that are registered together share one block. Each row stands after a word
 * whose second half tells how far the row is from the block's start; the first half of the first
 * word counts the types that have a row. */
#include "hooks/tables.h"
#include "hooks/check.h"

#include <string.h>

#define WORD sizeof(uint64_t) /* before each row */

static size_t bases_of(const struct ouro_type *type)
{
    size_t n = 0;
    for (const struct ouro_type *base = type->base; base != NULL; base = base->base)
        n++;
    return n;
}

static size_t refs_of(const struct ouro_type *type)
{
    return type->state & OURO__TYPE_SLOTS ? ouro__collect_refs(type, NULL) : 0;
}

size_t ouro__tables_bytes(const struct ouro_type *type)
{
    size_t bytes = bases_of(type) * sizeof(void *) + refs_of(type) * sizeof(uint32_t);
    return bytes != 0 ? ((bytes + 7) & ~(size_t)7) + WORD : 0;
}

/* The row, filled; NULL: there is nothing to put into it. */
static void fill(struct ouro_type *type, char *table)
{
    const struct ouro_type **display = (const struct ouro_type **)(void *)table;
    bool one;
    type->depth = (uint32_t)bases_of(type);
    const struct ouro_type *base = type->base;
    for (uint32_t i = type->depth; i > 0; base = base->base)
        display[--i] = base;
    type->display = type->depth != 0 ? display : NULL;
    type->ref_count = (uint32_t)refs_of(type);
    type->refs = NULL;
    if (type->ref_count != 0) {
        uint32_t *refs = (uint32_t *)(void *)(table + type->depth * sizeof(void *));
        (void)ouro__collect_refs(type, refs);
        type->refs = refs;
    }
    type->filter = type->state & OURO__TYPE_FILTERED ? ouro__common_filter(type, &one) : NULL;
    type->tail = ouro__tail_of(type);
}

size_t ouro__tables_make(struct ouro_type *type, char *tables, size_t used)
{
    size_t bytes = ouro__tables_bytes(type);
    char *row = bytes != 0 ? tables + used + WORD : NULL;
    if (row != NULL) {
        uint32_t *types = (uint32_t *)(void *)tables;
        *types = used != 0 ? *types + 1 : 1;
        ((uint32_t *)(void *)row)[-1] = (uint32_t)(row - tables);
    }
    fill(type, row);
    return bytes;
}

void *ouro__type_forget(struct ouro_type *type)
{
    const char *row =
        type->display != NULL ? (const char *)type->display : (const char *)type->refs;
    char *block = NULL;
    if (row != NULL) {
        block = (char *)(uintptr_t)row - ((const uint32_t *)(const void *)row)[-1];
        if (--*(uint32_t *)(void *)block != 0)
            block = NULL;
    }
    memset(type, 0, offsetof(struct ouro_type, flags));
    return block;
}
