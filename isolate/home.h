/* SPDX-License-Identifier: MIT */
/* home.h: Internal to isolate. Memory of the default runtime, whatever runtime the thread is in. */
#ifndef OURO_ISOLATE_HOME_H
#define OURO_ISOLATE_HOME_H

#include "alloc/pool.h"
#include "alloc/runtime.h"

/* Freed by ouro_free; NULL: there is none. */
static inline void *ouro__home_alloc(size_t align, size_t bytes)
{
    struct ouro_runtime *home = ouro_runtime_default();
    bool away = ouro_runtime_current() != home;
    if (away && ouro_runtime_enter(home) != OURO_OK)
        return NULL;
    void *p = ouro_aligned_alloc(align, bytes);
    if (away)
        ouro_runtime_leave(home);
    return p;
}

#endif
