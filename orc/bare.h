/* SPDX-License-Identifier: MIT */
/* bare.h: objects whose callers know the type, for compilers that inline destructors.
 *
 * A bare object is born without a descriptor. Each drop is answered at once: was that the last
 * reference? Who is told so destroys the contents, then disposes of the object. Where its type can
 * be in cycles a descriptor with the flag OURO_BARE is passed to the drop, and to the visitor by
 * whoever traces a reference to it; it is remembered with the object from then on. Such a type
 * writes two hooks: `trace` reports every reference slot, and `destroy` destroys the contents with
 * all that the fields own. References are taken by ouro_incref (any mode).
 *
 *     struct node *n = ouro_new_bare(sizeof *n, _Alignof(struct node));
 *     ...
 *     if (ouro_decref_is_last_of(n, &node_type)) {
 *         ... destroy *n ...
 *         ouro_dispose(n, _Alignof(struct node));
 *     }
 *
 * What the program promises (docs/adr/0015): drops by different threads of one object are ordered
 * by happens-before, and of an object that a descriptor of a type without OURO_ACYCLIC is ever
 * passed for, all that different threads do to it. So it is for compilers whose own counts are
 * plain. Bare objects refer to bare objects alone, nothing else refers to them, and they take no
 * weak handles. */
#ifndef OURO_ORC_BARE_H
#define OURO_ORC_BARE_H

#include "orc/object.h"

OURO_EXTERN_C_BEGIN

OURO_API void *ouro__new_bare_out(size_t size, size_t align, bool zeroed);
OURO_API bool ouro__decref_last_bare_out(void *object);
OURO_API bool ouro__decref_last_of_out(void *object, struct ouro_type *type);
OURO_API void ouro__dispose_out(void *object);

/* An object that only the calling thread counts: its local word is that thread's, and so is its
 * shared word then (I11), which has no flag, and no reference counted in it. */
OURO_INLINE bool ouro__is_plain(const struct ouro_context *context, ouro_half local,
                                ouro_word shared)
{
    return ((local & context->counts) | (shared >> 32)) == 0;
}
/* Below the caller's frame, or in it. */
OURO_INLINE bool ouro__is_deep(uintptr_t than)
{
    char here;
    return (uintptr_t)&here <= than;
}
/* The visited word, for who is about to destroy: a collection that gave an index back has read the
 * object's slots before (ouro__index_take_back). */
OURO_INLINE ouro_half ouro__visited_acquire(const struct ouro_header *h)
{
    return ouro__half_load_acquire(&h->visited);
}
/* No thread has an index of it. */
OURO_INLINE bool ouro__has_no_index(ouro_half visited)
{
    return visited + 1 <= 1;
}
/* With an index: maybe not in the array of the thread that counts the object plainly. */
#define OURO__AWAY ((ouro_half)1 << 31)
/* Nothing is to be done to the index by the owner's drop that leaves references. */
OURO_INLINE bool ouro__is_settled(ouro_half visited)
{
    return OURO_LIKELY(visited - 1 < OURO__AWAY - 1) || visited == OURO__ACYCLIC;
}

OURO_INLINE void *ouro__new_bare(size_t size, size_t align, bool zeroed)
{
    size_t block = size + sizeof(struct ouro_header);
    bool usual = align - 1 < 16 && (align & (align - 1)) == 0;
    if (usual && block <= OURO__SMALL_MAX_SIZE && size <= block) {
        struct ouro_heap *heap = ouro__context.heap;
        void *object =
            ouro__cell_take(heap, OURO__COUNTED, ouro__class_of(block < 32 ? 32 : block));
        if (OURO_LIKELY(object != NULL)) {
            struct ouro_header *h = ouro__header(object);
            uint64_t home = OURO_THREADS ? heap->mark : OURO__FIRST_TOKEN;
            ouro__store(&h->shared, home);
            memcpy(h, &home, sizeof home); /* local and visited */
            if (zeroed)
                memset(object, 0, size);
            return object;
        }
    }
    return ouro__new_bare_out(size, align, zeroed);
}

/* A bare object of `size` bytes aligned to `align`, a power of two, and to 16; contents zeroed,
 * with one reference that the caller owns. NULL: no memory, or `align` is none. Any thread; runs no
 * collection; may run destroy hooks of ordinary objects that other threads dropped. O(1) + zeroing;
 * inlined where both are constants. */
OURO_INLINE void *ouro_new_bare(size_t size, size_t align)
{
    return ouro__new_bare(size, align, true);
}
/* The same without zeroing. */
OURO_INLINE void *ouro_new_bare_uninit(size_t size, size_t align)
{
    return ouro__new_bare(size, align, false);
}

/* What a trace hook may tell a visitor in the place of a bare target's type: an even address, of a
 * descriptor in the compiler's own form, or NULL. It is turned into a type when a collection first
 * sees an object, by the function that ouro_set_resolver was told. */
#define OURO_TYPE_LATER(descriptor)                                                                \
    ((const struct ouro_type *)((uintptr_t)(descriptor) | (uintptr_t)1))

/* `resolve` is called in collections with an object (borrowed, only to be read) and the address
 * that stands for its type; it returns the type (as ouro_decref_is_last_of takes it), or NULL: it
 * cannot be told now. It must return; it allocates no object and drops none. One for the process;
 * any thread, before the first such reference is traced. */
OURO_API void ouro_set_resolver(struct ouro_type *(*resolve)(const void *object,
                                                             const void *descriptor));

/* What the inlined part of a drop can tell: whether it was the last one, or whom to ask. */
enum ouro__last { OURO__NOT_LAST, OURO__IS_LAST, OURO__ASK, OURO__ASK_DEEP, OURO__ASK_CANDIDATE };
OURO_INLINE enum ouro__last ouro__drop_untyped(void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_half local = ouro__half_load(&h->local);
    /* Acquire: what others did to it before they dropped it comes before its destruction. */
    if (OURO_LIKELY(ouro__is_plain(&ouro__context, local, ouro__load_acquire(&h->shared)))) {
        if (local >= OURO__LOCAL_UNIT) {
            ouro__half_store(&h->local, local - OURO__LOCAL_UNIT);
            return OURO__NOT_LAST;
        }
        if (OURO_LIKELY(ouro__has_no_index(ouro__half_load(&h->visited))))
            return OURO__IS_LAST;
    }
    return OURO__ASK;
}

/* Drops the caller's reference (owned; NULL: no) to a bare object of a type that can be in no
 * cycle. Whether that was the last one: then the object is as it was, the caller destroys its
 * contents and disposes of it. An object that is gone is a programmer's error
 * (OURO_FAIL_OVER_RELEASE). Any thread; runs no hook; O(1), inlined for the owner. Departs from
 * Choi et al. 2018 in that the other threads' last drop is answered too. */
OURO_INLINE bool ouro_decref_is_last(void *object)
{
    enum ouro__last last = object == NULL ? OURO__NOT_LAST : ouro__drop_untyped(object);
    return OURO_LIKELY(last <= OURO__IS_LAST) ? last == OURO__IS_LAST
                                              : ouro__decref_last_bare_out(object);
}

/* The out-of-line parts of the next. */
OURO_API bool ouro__decref_deep(void *object, struct ouro_type *type);
/* A drop, not the last, of an object that only this thread counts, and that is no candidate of its
 * own: it is one from now on, if no other thread has the index. */
OURO_API void ouro__candidate_bare(void *object, struct ouro_type *type);
extern OURO_API OURO_TLS uintptr_t ouro__deep; /* frames below this address ask */

OURO_INLINE enum ouro__last ouro__drop_bare(void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_half local = ouro__half_load(&h->local), visited = ouro__visited_acquire(h);
    if (OURO_UNLIKELY(
            !ouro__is_plain(&ouro__context, local, ouro__load_acquire(&h->shared)))) /* as above */
        return OURO__ASK;
    if (local >= OURO__LOCAL_UNIT) {
        if (OURO_UNLIKELY(!ouro__is_settled(visited)))
            return OURO__ASK_CANDIDATE;
        ouro__half_store(&h->local, local - OURO__LOCAL_UNIT);
        return OURO__NOT_LAST;
    }
    if (OURO_UNLIKELY(!ouro__has_no_index(visited)))
        return OURO__ASK;
    return OURO_UNLIKELY(ouro__is_deep(ouro__deep)) ? OURO__ASK_DEEP : OURO__IS_LAST;
}

/* The same where the type may be in cycles: of `type` (borrowed, flag OURO_BARE, as long-lived as
 * the program; if its `align` is above 16, or the object's was at birth, they are the same). Not
 * the last: the object belongs to the calling thread now, is counted plainly by it, and is a
 * candidate root of its collections; a collection may run, and destroy hooks in it. One thing more
 * is answered with no: where much of the thread's stack is in use, the object is destroyed and
 * disposed of before this returns (from inside a hook that the runtime runs: before the outermost
 * one does), so that drops that nest in destroy hooks do not use up the stack. It becomes no
 * candidate if the type is acyclic, is refused or has a number above 65,534, or if the thread owns
 * no objects for want of a token. Errors as for ouro_decref_is_last. Any thread; may allocate; O(1)
 * but for collections, inlined for the owner; once a second thread was attached, a drop that makes
 * a candidate pays one atomic read-modify-write, one of another thread's object two. Lins 1992 for
 * the candidates. */
OURO_INLINE bool ouro_decref_is_last_of(void *object, struct ouro_type *type)
{
    enum ouro__last last = object == NULL ? OURO__NOT_LAST : ouro__drop_bare(object);
    if (OURO_LIKELY(last <= OURO__IS_LAST))
        return last == OURO__IS_LAST;
    if (last == OURO__ASK)
        return ouro__decref_last_of_out(object, type);
    if (last == OURO__ASK_DEEP)
        return ouro__decref_deep(object, type);
    ouro__candidate_bare(object, type);
    return false;
}

/* Gives back the memory of a bare object (owned, not NULL) that was answered to be the caller's to
 * destroy, and is destroyed. `align` as at its birth. Twice is a programmer's error
 * (OURO_FAIL_OVER_RELEASE). Any thread; runs no hook; O(1), inlined for the owner. */
OURO_INLINE void ouro_dispose(void *object, size_t align)
{
    struct ouro_header *h = ouro__header(object);
    ouro_half local = ouro__half_load(&h->local), visited = ouro__visited_acquire(h);
    ouro_word shared = ouro__load(&h->shared);
    if (OURO_UNLIKELY(align > 16 || !ouro__is_plain(&ouro__context, local, shared) ||
                      !ouro__has_no_index(visited))) { /* large ones are never plain */
        ouro__dispose_out(object);
        return;
    }
    ouro__half_store(&h->local, OURO__LOCAL_AWAY);
    ouro__store(&h->shared, (shared & OURO__TYPE_MASK) | OURO__IMMORTAL | OURO__MERGED |
                                OURO__NO_TOKEN | -OURO__UNIT);
    ouro__cell_give(object, OURO__COUNTED);
}

OURO_EXTERN_C_END

#endif
