/* SPDX-License-Identifier: MIT */
/* isolated.h: graphs that change threads without a copy.
 *
 * An object graph is isolated when nobody outside has a reference into it, and it refers to nothing
 * outside but what any thread may have. ouro_isolate proves that at run time, in one walk, and
 * gives a handle for the graph: then no thread has it. Whoever calls ouro_extract has all of it,
 * and counts on it plainly, as if it had made it. (The idea: Isolated of Nim and regions of Pony
 * and Verona, where a type system proves it.)
 *
 * What a graph may refer to outside: objects of types with OURO_SHARED or OURO_IMMUTABLE, immortal
 * objects (literals), and the bytes of strings that several values share. */
#ifndef OURO_ISOLATE_ISOLATED_H
#define OURO_ISOLATE_ISOLATED_H

#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

/* An isolated graph. Nobody's but its handle's: it is given to one thread at a time, by any means
 * that orders what the two threads do (a channel, a queue, a join). */
struct ouro_isolated;

/* Timeouts of all calls that wait for such are in nanoseconds from now. 0: do not wait.
 * Negative: */
#define OURO_FOREVER ((int64_t)-1)

typedef enum ouro_escape_kind {
    OURO_ESCAPE_IN = 1,  /* somebody outside has a reference to `object` */
    OURO_ESCAPE_OUT,     /* `object` is another thread's, another runtime's, or in a region that the
                             thread is not in; or, of a region, outside of it */
    OURO_ESCAPE_WEAK_IN, /* somebody outside has a weak handle to `object` */
    OURO_ESCAPE_WEAK_OUT, /* a weak or borrowed reference leads out of the graph, to `object` */
    OURO_ESCAPE_BAD_TYPE  /* what `object` refers to cannot be told: it has no descriptor, or is
                             bare (orc/bare.h) */
} ouro_escape_kind;

/* Why a graph is not isolated. */
#define OURO_ESCAPE_PATH 256
struct ouro_escape {
    ouro_escape_kind kind;
    const void *object;    /* borrowed */
    const char *type_name; /* its; NULL: not known */
    size_t references;     /* IN, WEAK_IN: so many are not in the graph */
    /* From the root on: "list.first -> node.next -> node"; of WEAK_OUT to the field that leads
     * out. */
    char path[OURO_ESCAPE_PATH];
};

/* Isolates what `root` (owned, if the answer is OURO_OK; else still the caller's; not NULL) refers
 * to. *handle (not NULL) is then the caller's, to be extracted or dropped; borrowed pointers into
 * the graph are not to be used any more. `why` (may be NULL) is written where it is not isolated.
 *
 * OURO_NOT_ISOLATED: it is not, and *why tells. OURO_BUSY: a drop by another thread is on its way
 * to the caller, or a store is under way: it may be isolated a moment later; or an object that is
 * counted atomically is a candidate of another thread, which it stays until that thread has ended,
 * or is the only one; or the call comes from a hook. OURO_NO_MEMORY. OURO_BAD_ARGUMENT: NULL. Then
 * the graph is as it was, and *handle is NULL.
 *
 * Any thread. Counts, and stores by ouro_slot_*, of others in the graph meanwhile make it
 * refused. But on acyclic objects that refer to others no other thread may count meanwhile; nor
 * may it move references between slots of those, or of objects that are counted atomically
 * (OURO_PROMPT, atomic mode, or for long in several threads' hands), or by other means than
 * ouro_slot_* (ouro_sink). What an ended thread made and left becomes the caller's by this,
 * whatever the answer. Drains the thread's queues first, which may run destroy hooks; calls
 * trace hooks; allocates: 8 bytes an object that stay with the handle, and as many meanwhile.
 * O(objects and references of the graph). */
OURO_API ouro_status ouro_isolate(void *root, struct ouro_isolated **handle,
                                  struct ouro_escape *why);

/* The same for a caller who knows that the graph is isolated, such as a compiler with a proof: what
 * counts and handles say is not looked at. The checked library looks, and a graph that is not is a
 * programmer's error (OURO_FAIL_MISUSE); in the release library it is undefined. OURO_NOT_ISOLATED
 * only where it refers to another thread's objects. All else as ouro_isolate. */
OURO_API ouro_status ouro_isolate_unchecked(void *root, struct ouro_isolated **handle);

/* Copies what `root` (borrowed, not NULL; any thread's, if nobody changes it meanwhile) refers
 * to, by deepcopy (hooks/value.h): hooks are called, sharing and cycles kept, and objects of
 * types with OURO_SHARED or OURO_IMMUTABLE counted and not copied. *handle (not NULL) is the
 * copy, isolated. OURO_BAD_TYPE, OURO_NO_MEMORY, what a hook answered, or what ouro_isolate does
 * of the copy, such as a weak reference to what was not copied (`why`; may be NULL): no copy is
 * left. Runs hooks; allocates. O(objects and references of the graph). */
OURO_API ouro_status ouro_deepcopy(const void *root, struct ouro_isolated **handle,
                                   struct ouro_escape *why);

/* The graph (owned), which is the calling thread's from now on; the handle (owned; NULL gives NULL)
 * is gone. Any thread; runs no hook; does not fail, but for a thread whose first touch of counted
 * objects there is no memory for: NULL, and the handle is still the caller's. O(objects). Of a
 * region (isolate/region.h) that ends by it: allocates as ouro_isolate, may run destroy hooks of
 * what else is in it, and NULL, too, where there is no memory, or a drop is on its way. */
OURO_API void *ouro_extract(struct ouro_isolated *handle);

/* Drops the graph: as ouro_extract and ouro_decref; a region with all that is in it, cycles too.
 * `handle` (owned) may be NULL. Where a thread's first touch fails for want of memory, or entering
 * the region does, the graph is leaked. */
OURO_API void ouro_isolated_drop(struct ouro_isolated *handle);

/* How many objects are in it; 0 of a region that was isolated unchecked: it is not known. `handle`
 * borrowed, not NULL. Any thread that may extract it; O(1). */
OURO_API size_t ouro_isolated_objects(const struct ouro_isolated *handle);

OURO_EXTERN_C_END

#endif
