/* SPDX-License-Identifier: MIT */
/* once.h: Internal to alloc. Things that are done once, by whoever comes first.
 *
 * The word is 0, OURO__ONCE_DONE, or names the process in which a thread is at it. A fork's child
 * finds its parent's name there and does the thing itself: the thread that began is not with it.
 * DONE is stored by release and loaded by acquire: who finds it sees all that was done. */
#ifndef OURO_ALLOC_ONCE_H
#define OURO_ALLOC_ONCE_H

#include "alloc/atomic.h"
#include "alloc/os.h"

#define OURO__ONCE_DONE ((ouro_word)1)

/* true: the caller does it now and then calls ouro__once_done. false: it is done. */
static inline bool ouro__once_enter(ouro_word *once)
{
    for (;;) {
        ouro_word was = ouro__load_acquire(once);
        if (OURO_LIKELY(was == OURO__ONCE_DONE))
            return false;
        ouro_word mine = (ouro_word)ouro__os_process() + 2;
        if (was == mine)
            ouro__os_yield();
        else if (ouro__cas_full(once, &was, mine))
            return true;
    }
}
static inline void ouro__once_done(ouro_word *once)
{
    ouro__store_release(once, OURO__ONCE_DONE);
}

#endif
