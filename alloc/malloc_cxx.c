/* SPDX-License-Identifier: MIT */
/* malloc_cxx.c: every operator new and delete, by the names that the C++ ABI gives them, so that
 * the library needs no C++ runtime. What has to be done with one when there is no memory (ask the
 * new handler, throw) is done by the one that the process has, found when it is wanted: it may have
 * been loaded later, and for a part of the process alone.
 *
 * An exception passes through the frames of this file: it is compiled with -fexceptions. */
#include "alloc/front.h"
#include "alloc/arena.h"
#include "alloc/os.h"
#include "alloc/pool.h"
#include "alloc/raw.h"

typedef void handler(void);

/* -- no memory --------------------------------------------------------------------------------- */

/* Asked by file: what comes next in the process's order may be another malloc's. */
static void *in_runtime(const char *name)
{
    static const char *const runtimes[] = {"libstdc++.so.6", "libc++.so.1", "libc++abi.so.1"};
    void *found = NULL;
    for (size_t i = 0; !found && i < sizeof runtimes / sizeof *runtimes; i++)
        found = ouro__os_symbol(runtimes[i], name);
    return found ? found : ouro__os_symbol(NULL, name);
}

static handler *new_handler(void)
{
    handler *(*get)(void) = (handler * (*)(void)) in_runtime("_ZSt15get_new_handlerv");
    return get ? get() : NULL;
}

static void *take(size_t size, size_t align)
{
    return align > 16 ? ouro_aligned_alloc(align, size) : malloc(size);
}

/* Asks the handler until there is memory, or it throws, or there is none: then this throws. */
static OURO_NOINLINE void *take_or_throw(size_t size, size_t align)
{
    for (;;) {
        void *p = take(size, align);
        if (p)
            return p;
        handler *ask = new_handler();
        if (!ask)
            break;
        ask();
    }
    handler *throw = (handler *)in_runtime("_ZSt17__throw_bad_allocv");
    if (throw)
        throw();
    static const char text[] = "ouro: operator new has no memory, and no C++ runtime to say so\n";
    ouro__os_say(text, sizeof text - 1);
    ouro__os_abort();
}

/* A handler may throw, which must not come out: the runtime's own operator of that name calls the
 * one that throws, ours, and catches what comes. */
static OURO_NOINLINE void *take_or_null(size_t size, size_t align, const char *name,
                                        const void *nothrow)
{
    if (!new_handler())
        return NULL;
    void *own = in_runtime(name);
    if (!own)
        return NULL;
    if (align == 0)
        return ((void *(*)(size_t, const void *))own)(size, nothrow);
    return ((void *(*)(size_t, size_t, const void *))own)(size, align, nothrow);
}

/* -- new --------------------------------------------------------------------------------------- */

OURO_API void *_Znwm(size_t size);
OURO_API void *_Znam(size_t size);
OURO_API void *_ZnwmRKSt9nothrow_t(size_t size, const void *nothrow);
OURO_API void *_ZnamRKSt9nothrow_t(size_t size, const void *nothrow);
OURO_API void *_ZnwmSt11align_val_t(size_t size, size_t align);
OURO_API void *_ZnamSt11align_val_t(size_t size, size_t align);
OURO_API void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t align, const void *nothrow);
OURO_API void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t align, const void *nothrow);

void *_Znwm(size_t size)
{
    void *p = ouro__raw_take(ouro__context.heap, size);
    return OURO_LIKELY(p != NULL) ? p : take_or_throw(size, 0);
}

void *_Znam(size_t size)
{
    void *p = ouro__raw_take(ouro__context.heap, size);
    return OURO_LIKELY(p != NULL) ? p : take_or_throw(size, 0);
}

void *_ZnwmRKSt9nothrow_t(size_t size, const void *nothrow)
{
    void *p = malloc(size);
    return OURO_LIKELY(p != NULL) ? p : take_or_null(size, 0, __func__, nothrow);
}

void *_ZnamRKSt9nothrow_t(size_t size, const void *nothrow)
{
    void *p = malloc(size);
    return OURO_LIKELY(p != NULL) ? p : take_or_null(size, 0, __func__, nothrow);
}

void *_ZnwmSt11align_val_t(size_t size, size_t align)
{
    return take_or_throw(size, align);
}

void *_ZnamSt11align_val_t(size_t size, size_t align)
{
    return take_or_throw(size, align);
}

void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t align, const void *nothrow)
{
    void *p = take(size, align);
    return OURO_LIKELY(p != NULL) ? p : take_or_null(size, align, __func__, nothrow);
}

void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t align, const void *nothrow)
{
    void *p = take(size, align);
    return OURO_LIKELY(p != NULL) ? p : take_or_null(size, align, __func__, nothrow);
}

/* -- delete ------------------------------------------------------------------------------------ */

/* Size, alignment and nothrow tell nothing that the block does not. */
#define DELETE(name, ...)                                                                          \
    OURO_API void name(void *p, ##__VA_ARGS__);                                                    \
    void name(void *p, ##__VA_ARGS__)                                                              \
    {                                                                                              \
        if (OURO_UNLIKELY(!ouro__raw_give(ouro__context.heap, p)))                                 \
            ouro__give_slowly(p);                                                                  \
    }
#define UNUSED __attribute__((unused))
DELETE(_ZdlPv)
DELETE(_ZdaPv)
DELETE(_ZdlPvm, size_t size UNUSED)
DELETE(_ZdaPvm, size_t size UNUSED)
DELETE(_ZdlPvRKSt9nothrow_t, const void *nothrow UNUSED)
DELETE(_ZdaPvRKSt9nothrow_t, const void *nothrow UNUSED)
DELETE(_ZdlPvSt11align_val_t, size_t align UNUSED)
DELETE(_ZdaPvSt11align_val_t, size_t align UNUSED)
DELETE(_ZdlPvmSt11align_val_t, size_t size UNUSED, size_t align UNUSED)
DELETE(_ZdaPvmSt11align_val_t, size_t size UNUSED, size_t align UNUSED)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, size_t align UNUSED, const void *nothrow UNUSED)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, size_t align UNUSED, const void *nothrow UNUSED)
