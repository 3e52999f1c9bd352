/* SPDX-License-Identifier: MIT */
/* atomic.h: every atomic operation of the library, on libatomic_ops.
 *
 * Words are 64 bits (`ouro_word`); counts that only their owner writes are 32 bits and are loaded
 * and stored relaxed, so that others may look. Read-modify-writes named `_full` are full barriers
 * for what comes after them, whether or not a compare-and-swap among them succeeded: the models of
 * the protocols know nothing weaker. On x86 the instruction is one; elsewhere a full fence follows,
 * for the store of an acquire and release RMW may be seen after later stores (aarch64, stlxr and
 * casal). `_acq_rel` is that without the fence, for inlined paths that need no more.
 *
 * `ouro__fence_release` orders earlier stores before later ones and `ouro__fence_acquire` earlier
 * loads before later loads, and neither is relied on for more (dmb ishst and dmb ishld on aarch64).
 * A load through a pointer that was loaded relaxed sees what was written before the pointer was
 * published: such address dependencies order loads on every machine that is supported.
 *
 * libatomic_ops has no exchange, so it is a compare-and-swap loop here; it is lock-free, and all
 * uses are off the fast paths.
 *
 * `ouro__load_seq` is the load half of a store-then-load pair (docs/counts.md, memory order b): the
 * store half is always a `_full` read-modify-write. On x86 such a load is a plain load; elsewhere a
 * full fence goes before it, so that the pair holds wherever the two halves stand.
 *
 * Without threads (OURO_THREADS 0) all of this is plain memory. */
#ifndef OURO_ALLOC_ATOMIC_H
#define OURO_ALLOC_ATOMIC_H

#include "alloc/platform.h"

#if OURO_THREADS
#include <atomic_ops.h>
typedef AO_t ouro_word;
typedef unsigned int ouro_half;
#else
typedef size_t ouro_word;
typedef unsigned int ouro_half;
#endif

OURO_STATIC_ASSERT(sizeof(ouro_word) == 8, "the shared word has 64 bits");
OURO_STATIC_ASSERT(sizeof(ouro_half) == 4, "the local word has 32 bits");

#if OURO_THREADS

#if defined(__x86_64__)
#define OURO__FENCE_FULL() ((void)0) /* a locked instruction, or a load, needs none */
#else
#define OURO__FENCE_FULL() AO_nop_full()
#endif

OURO_INLINE ouro_half ouro__half_load(const ouro_half *p)
{
    return AO_int_load(p);
}
OURO_INLINE ouro_half ouro__half_load_acquire(const ouro_half *p)
{
    return AO_int_load_acquire(p);
}
OURO_INLINE void ouro__half_store(ouro_half *p, ouro_half v)
{
    AO_int_store(p, v);
}
OURO_INLINE ouro_half ouro__half_exchange_full(ouro_half *p, ouro_half v)
{
    ouro_half was = AO_int_load(p), found;
    while ((found = AO_int_fetch_compare_and_swap_full(p, was, v)) != was)
        was = found;
    return was;
}
OURO_INLINE bool ouro__half_cas_full(ouro_half *p, ouro_half *expected, ouro_half v)
{
    ouro_half was = *expected;
    *expected = AO_int_fetch_compare_and_swap_full(p, was, v);
    return *expected == was;
}
OURO_INLINE void ouro__half_store_release(ouro_half *p, ouro_half v)
{
    AO_int_store_release(p, v);
}
OURO_INLINE bool ouro__half_cas_acquire(ouro_half *p, ouro_half *expected, ouro_half v)
{
    ouro_half was = *expected;
    *expected = AO_int_fetch_compare_and_swap_acquire(p, was, v);
    return *expected == was;
}
OURO_INLINE ouro_word ouro__load(const ouro_word *p)
{
    return AO_load(p);
}
OURO_INLINE ouro_word ouro__load_acquire(const ouro_word *p)
{
    return AO_load_acquire(p);
}
OURO_INLINE ouro_word ouro__load_seq(const ouro_word *p)
{
    OURO__FENCE_FULL();
    return AO_load_acquire(p);
}
OURO_INLINE void ouro__store(ouro_word *p, ouro_word v)
{
    AO_store(p, v);
}
OURO_INLINE void ouro__store_release(ouro_word *p, ouro_word v)
{
    AO_store_release(p, v);
}
OURO_INLINE ouro_word ouro__fetch_add(ouro_word *p, ouro_word v)
{
    return AO_fetch_and_add(p, v);
}
OURO_INLINE ouro_word ouro__fetch_add_full(ouro_word *p, ouro_word v)
{
    ouro_word was = AO_fetch_and_add_full(p, v);
    OURO__FENCE_FULL();
    return was;
}
OURO_INLINE ouro_word ouro__fetch_add_acq_rel(ouro_word *p, ouro_word v)
{
    return AO_fetch_and_add_full(p, v);
}
/* Compare-and-swap; *expected is what was found when it fails. */
OURO_INLINE bool ouro__cas_full(ouro_word *p, ouro_word *expected, ouro_word v)
{
    ouro_word was = *expected;
    *expected = AO_fetch_compare_and_swap_full(p, was, v);
    OURO__FENCE_FULL();
    return *expected == was;
}
OURO_INLINE bool ouro__cas_release(ouro_word *p, ouro_word *expected, ouro_word v)
{
    ouro_word was = *expected;
    *expected = AO_fetch_compare_and_swap_release(p, was, v);
    return *expected == was;
}
OURO_INLINE bool ouro__cas_acquire(ouro_word *p, ouro_word *expected, ouro_word v)
{
    ouro_word was = *expected;
    *expected = AO_fetch_compare_and_swap_acquire(p, was, v);
    return *expected == was;
}
OURO_INLINE void ouro__fence_acquire(void)
{
    AO_nop_read();
}
OURO_INLINE void ouro__fence_release(void)
{
    AO_nop_write();
}

#else /* one thread */

OURO_INLINE ouro_half ouro__half_load(const ouro_half *p)
{
    return *p;
}
OURO_INLINE ouro_half ouro__half_load_acquire(const ouro_half *p)
{
    return *p;
}
OURO_INLINE void ouro__half_store(ouro_half *p, ouro_half v)
{
    *p = v;
}
OURO_INLINE ouro_half ouro__half_exchange_full(ouro_half *p, ouro_half v)
{
    ouro_half was = *p;
    *p = v;
    return was;
}
OURO_INLINE bool ouro__half_cas_full(ouro_half *p, ouro_half *expected, ouro_half v)
{
    if (*p != *expected) {
        *expected = *p;
        return false;
    }
    *p = v;
    return true;
}
OURO_INLINE void ouro__half_store_release(ouro_half *p, ouro_half v)
{
    *p = v;
}
OURO_INLINE bool ouro__half_cas_acquire(ouro_half *p, ouro_half *expected, ouro_half v)
{
    return ouro__half_cas_full(p, expected, v);
}
OURO_INLINE ouro_word ouro__load(const ouro_word *p)
{
    return *p;
}
OURO_INLINE ouro_word ouro__load_acquire(const ouro_word *p)
{
    return *p;
}
OURO_INLINE ouro_word ouro__load_seq(const ouro_word *p)
{
    return *p;
}
OURO_INLINE void ouro__store(ouro_word *p, ouro_word v)
{
    *p = v;
}
OURO_INLINE void ouro__store_release(ouro_word *p, ouro_word v)
{
    *p = v;
}
OURO_INLINE ouro_word ouro__fetch_add(ouro_word *p, ouro_word v)
{
    ouro_word was = *p;
    *p = was + v;
    return was;
}
OURO_INLINE ouro_word ouro__fetch_add_full(ouro_word *p, ouro_word v)
{
    return ouro__fetch_add(p, v);
}
OURO_INLINE ouro_word ouro__fetch_add_acq_rel(ouro_word *p, ouro_word v)
{
    return ouro__fetch_add(p, v);
}
OURO_INLINE bool ouro__cas_full(ouro_word *p, ouro_word *expected, ouro_word v)
{
    if (*p != *expected) {
        *expected = *p;
        return false;
    }
    *p = v;
    return true;
}
OURO_INLINE bool ouro__cas_release(ouro_word *p, ouro_word *expected, ouro_word v)
{
    return ouro__cas_full(p, expected, v);
}
OURO_INLINE bool ouro__cas_acquire(ouro_word *p, ouro_word *expected, ouro_word v)
{
    return ouro__cas_full(p, expected, v);
}
OURO_INLINE void ouro__fence_acquire(void)
{
}
OURO_INLINE void ouro__fence_release(void)
{
}

#endif

OURO_INLINE ouro_word ouro__exchange_full(ouro_word *p, ouro_word v)
{
    ouro_word was = ouro__load(p);
    while (!ouro__cas_full(p, &was, v))
        continue;
    return was;
}
OURO_INLINE ouro_word ouro__fetch_or_full(ouro_word *p, ouro_word bits)
{
    ouro_word was = ouro__load(p);
    while (!ouro__cas_full(p, &was, was | bits))
        continue;
    return was;
}

OURO_INLINE ouro_word ouro__fetch_and_full(ouro_word *p, ouro_word bits)
{
    ouro_word was = ouro__load(p);
    while (!ouro__cas_full(p, &was, was & bits))
        continue;
    return was;
}

#endif
