/* SPDX-License-Identifier: MIT */
/* tables.c: what registration works out of descriptors, in memory of its own.
 *
 * The tables of a type are one row: its bases, as pointers, then the offsets of its references. The
 * rows of all types that are registered together share one block, which the first begins, so that
 * memcheck sees that something leads there. Behind each row stand two halves of a word:
 *     first row      0                            how many types have a row
 *     all others     the way back to those two    the way back to the block's start */
#include "hooks/tables.h"
#include "hooks/check.h"

#include <string.h>

struct row_end {
    uint32_t first, rest;
};

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

/* The bytes of a row, a multiple of eight. */
static size_t row_bytes(size_t bases, size_t refs)
{
    return (bases * sizeof(void *) + refs * sizeof(uint32_t) + 7) & ~(size_t)7;
}

size_t ouro__tables_bytes(const struct ouro_type *type)
{
    size_t bytes = row_bytes(bases_of(type), refs_of(type));
    return bytes != 0 ? bytes + sizeof(struct row_end) : 0;
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

/* Behind the row of a type, whose depth and number of references are written. */
static struct row_end *row_end_of(const struct ouro_type *type, char *row)
{
    return (struct row_end *)(void *)(row + row_bytes(type->depth, type->ref_count));
}

size_t ouro__tables_make(struct ouro_type *type, char *tables, size_t used, void **first)
{
    size_t bytes = ouro__tables_bytes(type);
    char *row = bytes != 0 ? tables + used : NULL;
    fill(type, row);
    if (row == NULL)
        return 0;
    struct row_end *end = row_end_of(type, row);
    if (used == 0) {
        *end = (struct row_end){0, 1};
        *first = end;
    } else {
        ((struct row_end *)*first)->rest++;
        *end = (struct row_end){(uint32_t)((char *)end - (char *)*first),
                                (uint32_t)((char *)end - tables)};
    }
    return bytes;
}

void *ouro__type_forget(struct ouro_type *type)
{
    const char *row =
        type->display != NULL ? (const char *)type->display : (const char *)type->refs;
    char *block = NULL;
    if (row != NULL) {
        struct row_end *end = row_end_of(type, (char *)(uintptr_t)row);
        struct row_end *first = (struct row_end *)(void *)((char *)end - end->first);
        if (--first->rest == 0)
            block = end == first ? (char *)(uintptr_t)row : (char *)end - end->rest;
    }
    memset(type, 0, offsetof(struct ouro_type, flags));
    return block;
}
