/* SPDX-License-Identifier: MIT */
/* nim.h: what the C that Nim generates calls in the place of Nim's own runtime (docs/nim.md).
 *
 * Nim's modules beside this file import these functions: a ref is a bare object (orc/bare.h), a
 * string or sequence a raw block. `desc` is always a TNimTypeV2 of the program, opaque here; its
 * fields are told by ouroNimDescribe, which the program has from arc.nim. Nim's counts are plain,
 * which is the promise that bare objects ask for.
 *
 * For every function: any thread; as the function of orc/bare.h or alloc/pool.h that it calls. */
#ifndef OURO_ORC_NIM_NIM_H
#define OURO_ORC_NIM_NIM_H

#include "alloc/pool.h"
#include "hooks/value.h"
#include "orc/bare.h"
#include "orc/rc_biased.h"

OURO_EXTERN_C_BEGIN

/* What a descriptor of Nim says; its layout is that of the compiler's version. */
struct ouro__nim_info {
    size_t size, align;
    const char *name; /* may be NULL */
    void *destructor; /* void (*)(void *), or NULL */
    void *trace;      /* void (*)(void *, void *env), or NULL */
    /* Exceptions of destructors, in one of three ways. They return with a flag set, which is the
     * calling thread's: raising tells where it is, and keep clears it. Or they jump: run calls one,
     * and nothing leaves that. Or none is raised: all are NULL. An exception is kept; keep and run
     * answer true if it is the first. */
    bool *(*raising)(void);
    bool (*keep)(void);
    bool (*run)(void *value, void *destructor);
    void (*rethrow)(void); /* raises what is kept */
    bool acyclic;
};
typedef void ouro__nim_describe(void *desc, struct ouro__nim_info *info);

/* Both are Nim's: the first fills in *info, the second does not return. */
extern ouro__nim_describe ouroNimDescribe;
extern void ouroNimOutOfMemory(void);

OURO_API void ouro__nim_incref_out(void *object);
OURO_API bool ouro__nim_last(void *object);
OURO_API bool ouro__nim_last_of(void *object, void *desc, ouro__nim_describe *describe);
OURO_API bool ouro__nim_deep(void *object, void *desc, ouro__nim_describe *describe);
OURO_API void ouro__nim_candidate(void *object, void *desc, ouro__nim_describe *describe);

/* -- refs -------------------------------------------------------------------------------------- */

/* A ref of `size` bytes; never NULL. */
OURO_INLINE void *ouro__nim_new(intptr_t size, intptr_t align)
{
    void *object = ouro_new_bare((size_t)size, (size_t)align);
    if (OURO_UNLIKELY(object == NULL))
        ouroNimOutOfMemory();
    return object;
}
OURO_INLINE void *ouro__nim_new_uninit(intptr_t size, intptr_t align)
{
    void *object = ouro_new_bare_uninit((size_t)size, (size_t)align);
    if (OURO_UNLIKELY(object == NULL))
        ouroNimOutOfMemory();
    return object;
}

OURO_INLINE void ouro__nim_incref(void *object)
{
    if (OURO_UNLIKELY(object == NULL))
        return;
    struct ouro_header *h = ouro__header(object);
    ouro_half n = ouro__half_load(&h->local) + OURO__LOCAL_UNIT;
    if (OURO_LIKELY((n & ouro__context.counts) == 0))
        ouro__half_store(&h->local, n);
    else
        ouro__nim_incref_out(object);
}

/* As ouro_decref_is_last, but for what is gone (nim.c). */
OURO_INLINE bool ouro__nim_is_last(void *object)
{
    enum ouro__last last = object == NULL ? OURO__NOT_LAST : ouro__drop_untyped(object);
    return OURO_LIKELY(last <= OURO__IS_LAST) ? last == OURO__IS_LAST : ouro__nim_last(object);
}

/* One reference less; the last one is no matter of this function. */
OURO_INLINE void ouro__nim_decref(void *object)
{
    (void)ouro__nim_is_last(object);
}

/* One call for all that is rare, out of line: generated destructors are many. */
OURO_HEADER_COLD bool ouro__nim_ask(void *object, void *desc, enum ouro__last last)
{
    if (last == OURO__ASK)
        return ouro__nim_last_of(object, desc, ouroNimDescribe);
    if (last == OURO__ASK_DEEP)
        return ouro__nim_deep(object, desc, ouroNimDescribe);
    ouro__nim_candidate(object, desc, ouroNimDescribe);
    return false;
}

/* As ouro_decref_is_last_of, whose type is looked up where it matters. */
OURO_INLINE bool ouro__nim_is_last_of(void *object, void *desc)
{
    enum ouro__last last = object == NULL ? OURO__NOT_LAST : ouro__drop_bare(object);
    return OURO_LIKELY(last <= OURO__IS_LAST) ? last == OURO__IS_LAST
                                              : ouro__nim_ask(object, desc, last);
}

OURO_INLINE void ouro__nim_dispose(void *object, intptr_t align)
{
    ouro_dispose(object, (size_t)align);
}

/* Reports the slot of a ref to a collection; desc NULL: the object begins with its descriptor. */
OURO_INLINE void ouro__nim_trace(void *slot, void *desc, void *env)
{
    struct ouro_visitor *visitor = (struct ouro_visitor *)env;
    if (*(void **)slot != NULL)
        visitor->visit(visitor, (void **)slot, OURO_TYPE_LATER(desc));
}

/* -- collections ------------------------------------------------------------------------------- */

OURO_API void ouro__nim_collect(void);
/* How many objects the thread's collections freed since it was last asked. */
OURO_API intptr_t ouro__nim_freed(void);
/* How many collections there were since then. */
OURO_API intptr_t ouro__nim_collections(void);
/* Not nested, as Nim has it. */
OURO_API void ouro__nim_pause(bool paused);
/* How many candidate roots the thread has. */
OURO_API intptr_t ouro__nim_roots(void);
/* One that leaves the first `limit` candidate roots for later. */
OURO_API void ouro__nim_collect_above(intptr_t limit);

/* -- raw memory -------------------------------------------------------------------------------- */

/* As ouro_free, but for what was freed before (nim.c). */
OURO_API void ouro__nim_dealloc(void *p);
/* None is NULL, but of size 0 where `p` is not; what is new in the last one is zeroed. */
OURO_INLINE void *ouro__nim_realloc(void *p, intptr_t size)
{
    if (OURO_UNLIKELY(size == 0 && p != NULL)) {
        ouro__nim_dealloc(p);
        return NULL;
    }
    void *fresh = ouro_realloc(p, (size_t)size);
    if (OURO_UNLIKELY(fresh == NULL))
        ouroNimOutOfMemory();
    return fresh;
}
OURO_INLINE void *ouro__nim_realloc0(void *p, intptr_t old, intptr_t size)
{
    char *fresh;
    if (p != NULL && size > old && (size_t)size <= OURO__SMALL_MAX_SIZE) {
        struct ouro_heap *heap = ouro__context.heap;
        unsigned cls = ouro__class_of((size_t)size);
        if (ouro__class_of((size_t)old) == cls && !heap->watched) {
            memset((char *)p + old, 0, (size_t)(size - old)); /* the block has the room */
            return p;
        }
        fresh = (char *)ouro__cell_take(heap, OURO__RAW, cls);
        if (OURO_LIKELY(fresh != NULL)) {
            memcpy(fresh, p, (size_t)old);
            memset(fresh + old, 0, (size_t)(size - old));
            ouro__nim_dealloc(p);
            return fresh;
        }
    }
    fresh = (char *)ouro__nim_realloc(p, size);
    if (fresh != NULL && size > old)
        memset(fresh + old, 0, (size_t)(size - old));
    return fresh;
}
OURO_INLINE void *ouro__nim_alloc(intptr_t size)
{
    void *p = ouro_malloc((size_t)size);
    if (OURO_UNLIKELY(p == NULL))
        ouroNimOutOfMemory();
    return p;
}
OURO_INLINE void *ouro__nim_alloc0(intptr_t size)
{
    if ((size_t)size <= OURO__SMALL_MAX_SIZE) { /* as ouro_malloc does */
        void *cell = ouro__cell_take(ouro__context.heap, OURO__RAW, ouro__class_of((size_t)size));
        if (OURO_LIKELY(cell != NULL))
            return memset(cell, 0, (size_t)size);
    }
    void *p = ouro_calloc(1, (size_t)size);
    if (OURO_UNLIKELY(p == NULL))
        ouroNimOutOfMemory();
    return p;
}

/* Bytes of live blocks; of what the system gave beside these; their peak. */
OURO_API intptr_t ouro__nim_occupied(void);
OURO_API intptr_t ouro__nim_free(void);
OURO_API intptr_t ouro__nim_peak(void);

OURO_EXTERN_C_END

#endif
