/* SPDX-License-Identifier: MIT */
/* object.h: birth, questions and reuse of counted objects.
 *
 * Functions with a mode in their name make objects that are counted so from birth. `size` is the
 * size of the object in bytes; where it is a constant the whole birth is inlined. It must be
 * type->size, or more: bytes that no field tells of may follow unless the type is OURO_EXACT, and
 * no hook looks at them. Any other size is a programmer's error (OURO_FAIL_MISUSE), found by births
 * out of line: the first of a type, and all in the checked library. */
#ifndef OURO_ORC_OBJECT_H
#define OURO_ORC_OBJECT_H

#include "hooks/closure.h"
#include "orc/header.h"

#include <string.h>

OURO_EXTERN_C_BEGIN

OURO_API void *ouro__new_out(struct ouro_type *type, size_t size, unsigned mode);
OURO_API void *ouro__new_in_out(struct ouro_context *context, struct ouro_type *type, size_t size,
                                unsigned mode);
enum {
    OURO__BORN_BIASED = 0,
    OURO__BORN_ATOMIC = 1,
    OURO__BORN_ZEROED = 2,
    OURO__BORN_LOCAL_MODE = 4 /* as biased; the checked library remembers it */
};

/* The inlined birth; NULL: make it out of line. */
OURO_INLINE void *ouro__new_ready(const struct ouro_context *context, struct ouro_type *type,
                                  size_t size, unsigned mode)
{
    size_t block = size + sizeof(struct ouro_header);
    /* Acquire: pairs with registration; who sees the number sees the rest of the descriptor. */
    uint64_t birth = ouro__load_acquire((const ouro_word *)&type->birth);
    if (OURO_LIKELY(birth != 0) && block <= OURO__SMALL_MAX_SIZE && size <= block) {
        struct ouro_heap *heap = context->heap;
        void *object =
            ouro__cell_take(heap, OURO__COUNTED, ouro__class_of(block < 32 ? 32 : block));
        if (OURO_LIKELY(object != NULL)) {
            struct ouro_header *h = ouro__header(object);
            uint32_t home = OURO_THREADS ? heap->mark : OURO__FIRST_TOKEN;
            uint64_t first = type->counts + (OURO_THREADS ? heap->born : OURO__FIRST_TOKEN - 1);
            if (mode & OURO__BORN_ATOMIC) {
                first = (type->counts & ~(uint64_t)UINT32_MAX) | OURO__LOCAL_AWAY;
                ouro__store(&h->shared, birth | OURO__MERGED | OURO__UNIT);
            } else {
                ouro__store(&h->shared, birth | home);
            }
            memcpy(h, &first, sizeof first); /* local and visited */
            if (mode & OURO__BORN_ZEROED)
                memset(object, 0, size);
            return object;
        }
    }
    return NULL;
}

OURO_INLINE void *ouro__new(struct ouro_type *type, size_t size, unsigned mode)
{
    void *object = ouro__new_ready(&ouro__context, type, size, mode);
    return OURO_LIKELY(object != NULL) ? object : ouro__new_out(type, size, mode);
}
OURO_INLINE void *ouro__new_in(struct ouro_context *context, struct ouro_type *type, size_t size,
                               unsigned mode)
{
    void *object = ouro__new_ready(context, type, size, mode);
    return OURO_LIKELY(object != NULL) ? object : ouro__new_in_out(context, type, size, mode);
}

/* A new object, contents zeroed, with one reference that the caller owns; NULL: no memory, or a
 * descriptor that was refused (see ouro_type_register), which says so on the standard error. `type`
 * borrowed until it is unregistered, not NULL. Any thread. May run destroy hooks of other
 * objects and a collection, and ask the memory callback. O(1) + zeroing.
 *
 * _local: to be counted by the local functions, on this thread alone. _biased: this thread owns it.
 * _atomic: nobody owns it. */
OURO_INLINE void *ouro_new_local(struct ouro_type *type, size_t size)
{
    return ouro__new(type, size, OURO__BORN_LOCAL_MODE | OURO__BORN_ZEROED);
}
OURO_INLINE void *ouro_new_biased(struct ouro_type *type, size_t size)
{
    return ouro__new(type, size, OURO__BORN_BIASED | OURO__BORN_ZEROED);
}
OURO_INLINE void *ouro_new_atomic(struct ouro_type *type, size_t size)
{
    return OURO_THREADS ? ouro__new(type, size, OURO__BORN_ATOMIC | OURO__BORN_ZEROED)
                        : ouro_new_local(type, size);
}

/* The same without zeroing: the caller writes every field that a hook may look at before the next
 * call into Ouro. */
OURO_INLINE void *ouro_new_uninit_local(struct ouro_type *type, size_t size)
{
    return ouro__new(type, size, OURO__BORN_LOCAL_MODE);
}
OURO_INLINE void *ouro_new_uninit_biased(struct ouro_type *type, size_t size)
{
    return ouro__new(type, size, OURO__BORN_BIASED);
}
OURO_INLINE void *ouro_new_uninit_atomic(struct ouro_type *type, size_t size)
{
    return OURO_THREADS ? ouro__new(type, size, OURO__BORN_ATOMIC)
                        : ouro_new_uninit_local(type, size);
}

/* The same of a type with a tail (OURO_TAIL) of `count` elements; its counter is written, all else
 * is as the birth of that mode leaves it. A counter that cannot tell `count`, and a type without a
 * tail, are a programmer's error (OURO_FAIL_MISUSE). NULL too: the bytes overflow. */
OURO_API void *ouro__new_tail(struct ouro_type *type, size_t count, unsigned mode);
OURO_INLINE void *ouro_new_tail_local(struct ouro_type *type, size_t count)
{
    return ouro__new_tail(type, count, OURO__BORN_LOCAL_MODE | OURO__BORN_ZEROED);
}
OURO_INLINE void *ouro_new_tail_biased(struct ouro_type *type, size_t count)
{
    return ouro__new_tail(type, count, OURO__BORN_BIASED | OURO__BORN_ZEROED);
}
OURO_INLINE void *ouro_new_tail_atomic(struct ouro_type *type, size_t count)
{
    return OURO_THREADS ? ouro__new_tail(type, count, OURO__BORN_ATOMIC | OURO__BORN_ZEROED)
                        : ouro_new_tail_local(type, count);
}
OURO_INLINE void *ouro_new_tail_uninit_local(struct ouro_type *type, size_t count)
{
    return ouro__new_tail(type, count, OURO__BORN_LOCAL_MODE);
}
OURO_INLINE void *ouro_new_tail_uninit_biased(struct ouro_type *type, size_t count)
{
    return ouro__new_tail(type, count, OURO__BORN_BIASED);
}
OURO_INLINE void *ouro_new_tail_uninit_atomic(struct ouro_type *type, size_t count)
{
    return OURO_THREADS ? ouro__new_tail(type, count, OURO__BORN_ATOMIC)
                        : ouro_new_tail_uninit_local(type, count);
}

/* Whether `object` (borrowed; may be NULL: no) is of `type` (borrowed, not NULL) or of a subtype of
 * it. Any thread; O(1), with no walk up the chain of bases (Cohen 1991). */
OURO_API bool ouro_is_a(const void *object, const struct ouro_type *type);

/* The bytes of an object (borrowed, not NULL) as its fields tell them: type->size, or up to the end
 * of its tail; 0: it has no descriptor. Any thread that may read it; O(1). */
OURO_API size_t ouro_object_size(const void *object);

/* The address `at` inside `object` (owned, or NULL) as a value that keeps the object alive. O(1).
 */
OURO_INLINE ouro_interior ouro_interior_of(void *object, void *at)
{
    ouro_interior interior = {at, object};
    return interior;
}

/* The descriptor (borrowed) of an object (borrowed; the caller has a reference); NULL: it was born
 * without one, or `object` is NULL. Any thread; O(1). */
OURO_API const struct ouro_type *ouro_type_of(const void *object);

/* Whether the caller's reference (borrowed, not NULL) is the only one. Exact for the thread that
 * owns the object and for merged objects; any other thread is told no. Never for an immortal
 * object, or with a weak reference about. Any thread; O(1). */
OURO_API bool ouro_is_unique(const void *object);

/* How many references there are to an object (borrowed, not NULL), as far as this thread can tell;
 * exact for the owner of an object that no other thread counts at the moment, without meaning for
 * an immortal one. For tests and diagnostics. Any thread; O(1). */
OURO_API int64_t ouro_count(const void *object);

/* Makes an object (borrowed, not NULL) immortal: counts on it do nothing from now on, it is never
 * destroyed, nor is what it refers to. Cannot be undone; a second time does nothing. Any thread
 * that has a reference; runs nothing; O(1). */
OURO_API void ouro_make_immortal(void *object);

/* The header of a static const object that is immortal from the start:
 *     static const struct { struct ouro_header h; struct point p; } origin =
 *         { OURO_IMMORTAL_HEADER, { 0, 0 } };   ... &origin.p is the object. */
#define OURO_IMMORTAL_HEADER                                                                       \
    {                                                                                              \
        OURO__LOCAL_AWAY, OURO__ACYCLIC,                                                           \
            OURO__IMMORTAL | OURO__MERGED | ((ouro_word)OURO__COUNT_LIMIT << OURO__COUNT_SHIFT)    \
    }

/* A cell whose object is gone, to allocate into (Ullrich and de Moura 2019; Reinking, Xie, de
 * Moura, Leijen 2021). Owned; may be empty: `cell` is then NULL. */
typedef struct ouro_reuse {
    void *cell;
} ouro_reuse;

/* The shared word of such a cell, beside the type's bits: dying, with no reference. */
#define OURO__EMPTIED (OURO__IMMORTAL | OURO__MERGED | OURO__NO_TOKEN)

OURO_API ouro_reuse ouro__take_reuse_out(void *object);
OURO_API void *ouro__new_reuse_out(ouro_reuse token, struct ouro_type *type, size_t size);
OURO_API ouro_reuse ouro__take_reuse_in_out(struct ouro_context *context, void *object);
OURO_API void *ouro__new_reuse_in_out(struct ouro_context *context, ouro_reuse token,
                                      struct ouro_type *type, size_t size);

/* The one body of both forms. `in`: the caller gave the context, and is told so out of line. */
OURO_INLINE ouro_reuse ouro__take_reuse(struct ouro_context *context, void *object,
                                        const struct ouro_type *type, bool in)
{
    ouro_reuse token = {object};
    struct ouro_header *h = ouro__header(object);
    const struct ouro_heap *heap = context->heap;
    uint64_t born = OURO_THREADS ? heap->born : OURO__FIRST_TOKEN - 1, first;
    /* Acquire, both: pairs with registration, and what others did to the object before they dropped
     * it comes before its reuse. */
    uint64_t birth = ouro__load_acquire((const ouro_word *)&type->birth);
    ouro_word shared = ouro__load_acquire(&h->shared);
    memcpy(&first, h, sizeof first); /* local and visited, as a birth writes them */
    if (OURO_LIKELY(shared == (birth | (born + 1)) && first == type->counts + born) &&
        OURO_LIKELY(!heap->watched)) { /* as one is whose thread has left its token */
        ouro__half_store(&h->local, OURO__LOCAL_AWAY);
        ouro__store(&h->shared, birth | OURO__EMPTIED);
        return token;
    }
    return in ? ouro__take_reuse_in_out(context, object) : ouro__take_reuse_out(object);
}
OURO_INLINE void *ouro__new_reuse(struct ouro_context *context, ouro_reuse token,
                                  struct ouro_type *type, size_t size, bool in)
{
    if (OURO_LIKELY(token.cell != NULL)) {
        struct ouro_header *h = ouro__header(token.cell);
        const struct ouro_heap *heap = context->heap;
        /* Acquire: as in ouro__new. A cell never comes from an object without a type, so it is not
         * mistaken for one of a type that has no birth word. */
        uint64_t birth = ouro__load_acquire((const ouro_word *)&type->birth);
        bool here = !OURO_THREADS || heap->mark != OURO__NO_TOKEN; /* not in a region */
        if (OURO_LIKELY(ouro__load(&h->shared) == (birth | OURO__EMPTIED) && size <= type->size &&
                        !heap->watched && here)) {
            uint64_t born = OURO_THREADS ? heap->born : OURO__FIRST_TOKEN - 1;
            uint64_t first = type->counts + born;
            ouro__store(&h->shared, birth | (born + 1));
            memcpy(h, &first, sizeof first);
            return token.cell;
        }
    }
    return in ? ouro__new_reuse_in_out(context, token, type, size)
              : ouro__new_reuse_out(token, type, size);
}

/* If the caller's reference (owned, not NULL) is the only one and the cell can be used again,
 * yields the cell: the object is no more, what its fields own is the caller's, who may read them
 * until the token goes; no hook of it runs. Else the token is empty and nothing has changed: the
 * reference is still the caller's. `type`: the object's, borrowed, not NULL; another one costs
 * time alone. So a functional update is struct node old = *n; ouro_reuse token =
 * ouro_take_reuse(n, &node_type); if (token.cell == NULL) { incref what is taken from old;
 * ouro_decref(n); } ... n = ouro_new_reuse(token, &node_type, sizeof *n); The token is for the
 * runtime that the thread is in now, and is to be used or given back there: nothing looks, and
 * an object that is born in another's cell goes with that runtime's memory. The checked library
 * never yields a cell, nor does a region. Any thread; runs no hook; allocates nothing; O(1). */
OURO_INLINE ouro_reuse ouro_take_reuse(void *object, const struct ouro_type *type)
{
    return ouro__take_reuse(&ouro__context, object, type, false);
}

/* Drops the caller's reference (owned, not NULL). If it was the only one, destroys the contents and
 * yields the cell; else just a decref, and the token is empty. Any thread; runs destroy hooks; cost
 * as a decref. */
OURO_API ouro_reuse ouro_drop_reuse(void *object);

/* A new object as ouro_new_uninit_biased makes it, in the token's cell (owned) if it fits, else in
 * a fresh one. NULL: no memory, or a refused type; the token's cell is given back. `type` borrowed,
 * not NULL; `size` in bytes, as for all births. Any thread; O(1) where it fits, and inlined for a
 * cell of the same type. */
OURO_INLINE void *ouro_new_reuse(ouro_reuse token, struct ouro_type *type, size_t size)
{
    return ouro__new_reuse(&ouro__context, token, type, size, false);
}

/* Gives back the cell of a token (owned; may be empty) that is not wanted. Any thread; O(1). */
OURO_API void ouro_reuse_free(ouro_reuse token);

OURO_EXTERN_C_END

#endif
