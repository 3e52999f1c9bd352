/* SPDX-License-Identifier: MIT */
/* header.h: the words before every object, and the masks that a thread tests them with.
 *
 *   object - 16   local    32  owner 16 | the owner's plain count, less one, 15 | out 1
 *   object - 12   visited  32  0: no candidate; all ones: acyclic; else an index (owner only)
 *   object -  8   shared   64  owner 16 | type 16 | flags 6 | shared count 26, signed
 *
 * The invariants of these words are I1..I11 of docs/counts.md. One word holds owner, flags and
 * shared count, so that every transition is one RMW. The shared count is on top: adding to it
 * reaches no other field. The local one has `out` above it, into which it is meant to carry.
 *
 * Only the holder of the owner's token writes `local`, by relaxed store; all may load it.
 *
 * A token has eight of sixteen bits set. Of two such numbers that differ, each has a bit that the
 * other has not: so `local` and the complement of a thread's token have no bit in common exactly if
 * it is that thread's (a Sperner family). The bit `out` is in every thread's mask: it is set by
 * hand, by an increment beyond the most, and by the decrement of the last reference, whose borrow
 * ends there. One AND with one constant of the thread thus answers "mine, and neither full nor the
 * last one" (docs/adr/0009). */
#ifndef OURO_ORC_HEADER_H
#define OURO_ORC_HEADER_H

#include "alloc/layout.h"
#include "hooks/type.h"

OURO_EXTERN_C_BEGIN

struct ouro_header {
    ouro_half local;
    ouro_half visited;
    ouro_word shared;
};
OURO_STATIC_ASSERT(sizeof(struct ouro_header) == OURO__CELL_OFFSET, "a header is 16 bytes");

#define OURO__OWNER_MASK  ((ouro_word)0xFFFF)
#define OURO__TYPE_MASK   ((ouro_word)0xFFFF << 16)
#define OURO__MERGED      ((ouro_word)1 << 32) /* M: no owner, all references are in the count */
#define OURO__QUEUED      ((ouro_word)1 << 33) /* Q: one entry, which owns a reference, waits */
#define OURO__WEAK        ((ouro_word)1 << 34) /* W: may have a weak cell; sticky */
#define OURO__IMMORTAL    ((ouro_word)1 << 35) /* I: counts do nothing; sticky */
#define OURO__TOUCHED     ((ouro_word)1 << 36) /* T: foreign drop or store since the last capture */
#define OURO__STORING     ((ouro_word)1 << 37) /* S: a foreign store into a slot is under way */
#define OURO__COUNT_SHIFT 38
#define OURO__UNIT        ((ouro_word)1 << OURO__COUNT_SHIFT)
#define OURO__COUNT_LIMIT ((int64_t)1 << 24) /* from here on an object saturates */

#define OURO__NOBODY      0      /* the owner of merged objects; another in the checked library */
#define OURO__NO_TOKEN    0xFFFF /* the home of a thread that has none; owns nothing */
#define OURO__FIRST_TOKEN 0x00FF /* the least with eight bits set */

/* Inlined atomic counts act where of these bits exactly M is set. */
#define OURO__INLINED (OURO__MERGED | OURO__IMMORTAL | OURO__OWNER_MASK)

#define OURO__LOCAL_UNIT ((ouro_half)0x10000u)
#define OURO__LOCAL_OUT  ((ouro_half)0x80000000u) /* inlined paths go out of line */
/* The top of a local word with `out` set, all of it where it counts nothing: merged, immortal,
 * dying, freed. With one less, and one more, `out` is still set. */
#define OURO__LOCAL_AWAY ((ouro_half)0xC0000000u)
#define OURO__ACYCLIC    ((ouro_half)0xFFFFFFFFu) /* the visited word of acyclic objects */

/* The bits that the local word of an object has not if its counts, or its slots, are the calling
 * thread's to change inline (ouro__context.counts and .slots): `out`, and those that its home token
 * has not. All ones in a thread that has not touched a counted object; `slots` always, in the
 * checked library. */
OURO_INLINE struct ouro_header *ouro__header(const void *object)
{
    return (struct ouro_header *)((uintptr_t)object - sizeof(struct ouro_header));
}
OURO_INLINE int64_t ouro__count_of(ouro_word shared)
{
    return (int64_t)shared >> OURO__COUNT_SHIFT;
}

/* The out-of-line halves; each is the whole operation, for any object in any state. */
OURO_API void ouro__incref_out(void *object);
OURO_API void ouro__decref_out(void *object);
OURO_API bool ouro__decref_last_out(void *object);
/* The same from the functions of local mode. */
OURO_API void ouro__incref_local_out(void *object);
OURO_API void ouro__decref_local_out(void *object);
/* The same from the forms that take a context, which the checked library looks at. */
OURO_API void ouro__incref_in_out(struct ouro_context *context, void *object);
OURO_API void ouro__decref_in_out(struct ouro_context *context, void *object);
/* The owner dropped a reference that was not the last of an object that can be in a cycle and is
 * no candidate yet. */
OURO_API void ouro__candidate(void *object);
/* The decref that made the shared count of a merged object 0, or 1 with Q set. */
OURO_API void ouro__merged_zero(void *object);
OURO_API void ouro__merged_one(void *object, ouro_half visited);

OURO_EXTERN_C_END

#endif
