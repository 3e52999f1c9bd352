/* SPDX-License-Identifier: MIT */
/* escape.h: Internal to isolate. How a graph's root leads to an object, in words. */
#ifndef OURO_ISOLATE_ESCAPE_H
#define OURO_ISOLATE_ESCAPE_H

#include "isolate/isolated.h"

/* Writes to `path` the shortest way from `root` to `object`, by types and fields; of references
 * out of the graph `object` is where they lead. `slot` (may be NULL): a weak or borrowed reference
 * in the object, in which the path ends. Without memory, or where there is no such way, only the
 * type of the root. */
void ouro__escape_path(char *path, size_t size, void *root, const void *object, const char *slot);

#endif
