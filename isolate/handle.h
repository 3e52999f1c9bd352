/* SPDX-License-Identifier: MIT */
/* handle.h: Internal to isolate. A graph on its way: made by isolate.c, ended by extract.c. */
#ifndef OURO_ISOLATE_HANDLE_H
#define OURO_ISOLATE_HANDLE_H

#include "isolate/isolated.h"

struct ouro_isolated {
    size_t count;
    bool plain;      /* not all of them are merged */
    void *objects[]; /* the root first */
};

/* Headers are fetched so many objects before their turn. */
#define OURO__AHEAD 12

#endif
