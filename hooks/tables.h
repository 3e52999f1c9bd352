/* SPDX-License-Identifier: MIT */
/* tables.h: Internal to hooks. The tables of registered types, in blocks that they share. */
#ifndef OURO_HOOKS_TABLES_H
#define OURO_HOOKS_TABLES_H

#include "hooks/registry.h"

/* How many bytes of a block the tables of a type take, whose state is known. */
size_t ouro__tables_bytes(const struct ouro_type *type);
/* Writes them into the block `tables`, of which `used` bytes are taken by other types, and tells
 * the type where; returns how many bytes it took. *first is for the function alone, from one type
 * of a block to the next. With the lock. */
size_t ouro__tables_make(struct ouro_type *type, char *tables, size_t used, void **first);

#endif
