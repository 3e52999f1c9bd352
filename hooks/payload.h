/* SPDX-License-Identifier: MIT */
/* payload.h: what sequences and strings are made of, and borrowed views of them.
 *
 * A sequence or string is two words: a length, and a payload that is NULL while nothing was
 * reserved. All zero is the empty value and also the wasMoved state. The payload is a counted block
 * of its own; strings, and sequences whose elements are nothing but bytes, may share one.
 *
 *  P1  capacity > 0: one value refers to the payload, and whoever has that value may write it and
 *      give it back, on any thread. So `len < capacity` is all that an append looks at.
 *  P2  capacity 0: ask out of line. It is shared, or was; or a literal; or a view of it is live.
 *  P3  The capacity becomes 0 when the value is copied, and above 0 again only for who has the only
 *      reference. Whoever may read a value may copy it, so several threads may store that 0, and
 *      one of them late: when another has its copy already, and asks this word before it appends.
 *      All loads and that store are relaxed atomics, for nothing is ordered by them:
 *      - The other stored or saw 0 first, so it sees nothing else from then on: its append asks out
 *        of line, and finds the reference of the value that is being copied beside its own.
 *      - Who changes or ends a value has it alone, after all that read it, by what the program does
 *        to see to that: it finds the 0 of each copy that was made. So P1 holds.
 *      - Who makes it above 0 found its reference to be the only one: the value that the late one
 *        copied from is gone, so what that one stored is before it. */
#ifndef OURO_HOOKS_PAYLOAD_H
#define OURO_HOOKS_PAYLOAD_H

#include "alloc/layout.h"
#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

struct ouro_payload {
    size_t capacity; /* elements, or bytes of a string without its final NUL; 0: P2 */
    size_t reserved; /* 16 in all, so that elements are aligned to 16; see hooks/edit.h */
};
#define OURO__PAYLOAD_LITERAL ((size_t)1) /* reserved: static data, never written */

OURO_INLINE size_t ouro__capacity(const struct ouro_payload *payload) /* P3 */
{
    return ouro__load((const ouro_word *)(const void *)&payload->capacity);
}

typedef struct ouro_seq {
    size_t len;
    struct ouro_payload *payload;
} ouro_seq;

typedef struct ouro_string {
    size_t len;
    struct ouro_payload *payload; /* bytes, then a NUL */
} ouro_string;

/* 1: views that are inlined into this program seal what they show if the library is the checked
 * one. They cost a load and a compare more, so that is for programs that are to be checked. Views
 * by the functions of the same names (twins) always seal there. */
#ifndef OURO_SEAL_VIEWS
#define OURO_SEAL_VIEWS 0
#endif

/* Bytes of a string, or elements of a sequence, that belong to somebody else: valid while the value
 * that they were taken from is there and is not changed; the value may be moved. Where views seal
 * the checked library reports a change or the end of the value (OURO_FAIL_SEALED) until
 * ouro_view_end. */
typedef struct ouro_view {
    const void *data;
    size_t len;                  /* bytes of a string, elements of a sequence */
    struct ouro_payload *sealed; /* what ouro_view_end opens again; NULL: nothing */
} ouro_view;

/* A view of bytes that no value owns: of static text, of the program's own buffers. `data` is
 * borrowed, NULL only if len is 0. Needs no ouro_view_end. O(1). */
OURO_INLINE ouro_view ouro_view_of(const void *data, size_t len)
{
    ouro_view view = {data, len, NULL};
    return view;
}

OURO_API OURO_NORETURN OURO_COLD void ouro__view_past_end(const struct ouro_payload *payload);
/* `payload` may be NULL. Cold: only the checked library has work here. */
OURO_API OURO_COLD struct ouro_payload *ouro__view_begin_out(struct ouro_payload *payload);
OURO_API OURO_COLD void ouro__view_end_out(struct ouro_payload *payload);

/* Gives up the caller's reference. */
OURO_API void ouro__payload_end(struct ouro_payload *payload);
/* Capacity 0: fails if the bytes that a live view shows are about to go. */
OURO_API void ouro__payload_check_out(const struct ouro_payload *payload);

/* The view of `count` of `len` elements from the one number `from` on. */
OURO_INLINE ouro_view ouro__view(struct ouro_payload *payload, size_t len, size_t from,
                                 size_t count, size_t size)
{
    size_t end = from + count;
    end |= -(size_t)(end < from); /* what overflows ends nowhere: one branch for both */
    if (OURO_UNLIKELY(end > len))
        ouro__view_past_end(payload);
    /* Without a payload there are no bytes: where they would be is as good as any address. */
    uintptr_t first = (uintptr_t)payload + sizeof *payload;
    ouro_view view = {(const char *)(first + from * size), count, NULL};
    /* All ones in the checked library; in others in threads that count nothing yet. */
    if (OURO_SEAL_VIEWS && OURO_UNLIKELY(ouro__context.slots == ~(uint32_t)0))
        view.sealed = ouro__view_begin_out(payload);
    return view;
}

/* Ends a view (borrowed, not NULL), which is empty then. Any thread; runs no hook; a compare. */
OURO_INLINE void ouro_view_end(ouro_view *view)
{
    if (OURO_UNLIKELY(view->sealed != NULL))
        ouro__view_end_out(view->sealed);
    view->data = "";
    view->len = 0;
    view->sealed = NULL;
}

OURO_EXTERN_C_END

#endif
