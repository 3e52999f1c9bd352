/* SPDX-License-Identifier: MIT */
/* extract.c: an isolated graph becomes the calling thread's.
 *
 * Nobody else has a reference to any of it (D1 to D4 of isolate.c), and the two threads are ordered
 * by whatever passed the handle on. So plain stores write each header anew, once (D6): the owner,
 * all references as local ones, no index, no T. */
#include "alloc/fail.h"
#include "alloc/pool.h"
#include "alloc/runtime.h"
#include "isolate/region_state.h"
#include "orc/capture.h"
#include "orc/checked.h"
#include "orc/rc.h"

/* All its references, which are the thread's, become local ones, as far as the word has room. One
 * that is to stay merged: of a prompt type, spent (words.h), or of a graph where all are. Of a
 * thread that has no token births are merged; so is what it is given. */
static void restamp(struct ouro_header *h, const struct ouro__thread *me, bool plain)
{
    ouro_word b = ouro__load(&h->shared), kept = b & (OURO__TYPE_MASK | OURO__WEAK);
    if (OURO_UNLIKELY(b & OURO__MERGED) &&
        (!plain || (ouro__type_of(h + 1, b)->flags & OURO_PROMPT) || ouro__is_spent(h)))
        return;
    int64_t n = ouro__references(h, b), local = n < OURO__LOCAL_MOST ? n : OURO__LOCAL_MOST;
    ouro_word rest = (ouro_word)(n - local) << OURO__COUNT_SHIFT;
    if (OURO_LIKELY(me->home != OURO__NO_TOKEN)) {
        ouro__half_store(&h->local, ouro__owned_local(me->home, local));
        ouro__store(&h->shared, kept | me->home | rest);
    } else {
        ouro__half_store(&h->local, OURO__LOCAL_AWAY);
        ouro__store(&h->shared, kept | OURO__MERGE | (ouro_word)n << OURO__COUNT_SHIFT);
    }
}

static void take_over(const struct ouro_isolated *handle, struct ouro__thread *me)
{
    me->scattered |= me->apart; /* it lies in others' pages */
    for (size_t i = 0; i < handle->count; i++) {
        if (i + OURO__AHEAD < handle->count)
            __builtin_prefetch(ouro__header(ouro__object_of(handle, i + OURO__AHEAD)), 1);
        struct ouro_header *h = ouro__header(ouro__object_of(handle, i));
        if (ouro__half_load(&h->visited) != OURO__ACYCLIC)
            ouro__half_store(&h->visited, 0);
        if (OURO_CHECKED)
            ouro__checked_given(h + 1, me);
        restamp(h, me, handle->plain);
    }
}

void *ouro_extract(struct ouro_isolated *handle)
{
    if (!handle)
        return NULL;
    if (handle->state == OURO__HANDLE_REGION)
        return ouro__region_dissolve(ouro__region_of(handle));
    if (OURO_UNLIKELY(handle->state != OURO__HANDLE_WHOLE))
        ouro_fail(OURO_FAIL_MISUSE, NULL, NULL, "a handle was extracted, but it is none any more");
    ouro__tool_acquire(handle);
    void *root = ouro__object_of(handle, 0);
    struct ouro__thread *me = ouro__me();
    struct ouro_runtime *there = NULL;
    if (!me)
        return NULL;
    if (!ouro__is_of(me->orc, root)) { /* its tokens are those of its own runtime */
        there = ouro__visit(root);
        if (!there)
            return NULL;
        me = ouro__self;
    }
    take_over(handle, me);
    if (there)
        ouro_runtime_leave(there);
    ouro__handle_free(handle);
    return root;
}

void ouro_isolated_drop(struct ouro_isolated *handle)
{
    if (handle && handle->state == OURO__HANDLE_REGION) {
        ouro__region_drop(ouro__region_of(handle));
        return;
    }
    void *root = ouro_extract(handle);
    if (root)
        ouro_decref(root);
}

size_t ouro_isolated_objects(const struct ouro_isolated *handle)
{
    return handle->count;
}
