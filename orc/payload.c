/* SPDX-License-Identifier: MIT */
/* payload.c: the payloads of strings and sequences as counted objects (hooks/payload.h, refops.h).
 *
 * They are acyclic, own nothing, and are born owned by their thread, so that counts of shared ones
 * are plain there. What is large has a descriptor of its own: OURO__TYPE_LARGE would send every
 * death of a small one out of line.
 *
 *  B1  A payload whose capacity is not 0 has one reference, and no other was ever made of it that
 *      is not gone: its count, its owner's token and the flags tell nothing more (P1). Whoever has
 *      that reference gives the cell back at once, as raw memory, whichever thread owned it.
 *  B2  Births and drops here run no hook and no collection. What dies of a drained queue meanwhile
 *      is destroyed if it owns nothing, else noted for the next birth or poll (release.c). So a
 *      heap of strings does not grow while deaths of strings wait, and no string or sequence
 *      changes beneath an operation on it. A drop in another runtime (runtime.c, N9) is as quiet:
 *      own.hushed says so to the visit, and to the turns there and back. */
#include "orc/payload.h"
#include "alloc/valgrind.h"
#include "orc/object.h"
#include "orc/rc_biased.h"

#define PAYLOAD_TYPE(called)                                                                       \
    {                                                                                              \
        .size = sizeof(struct ouro_payload), .align = 16, .name = (called), .flags = OURO_ACYCLIC  \
    }
static struct ouro_type small_types[] = {PAYLOAD_TYPE("sequence"), PAYLOAD_TYPE("string")};
static struct ouro_type large_types[] = {PAYLOAD_TYPE("sequence"), PAYLOAD_TYPE("string")};

bool ouro__is_payload_type(const struct ouro_type *type)
{
    return type == &small_types[0] || type == &small_types[1] || type == &large_types[0] ||
           type == &large_types[1];
}

/* The inlined birth of object.h for a block of that class; NULL: make it out of line. */
static struct ouro_payload *take_ready(const struct ouro_type *type, unsigned cls)
{
    /* Acquire: pairs with the release of registration (registry.c), as in object.h. */
    uint64_t birth = ouro__load_acquire((const ouro_word *)&type->birth);
    struct ouro_heap *heap = ouro__context.heap;
    void *payload = birth != 0 ? ouro__cell_take(heap, OURO__COUNTED, cls) : NULL;
    if (OURO_UNLIKELY(payload == NULL))
        return NULL;
    struct ouro_header *h = ouro__header(payload);
    uint64_t first = type->counts + (OURO_THREADS ? heap->born : OURO__FIRST_TOKEN - 1);
    ouro__store(&h->shared, birth | (OURO_THREADS ? heap->mark : OURO__FIRST_TOKEN));
    memcpy(h, &first, sizeof first);
    return payload;
}

static OURO_NOINLINE struct ouro_payload *birth_out(struct ouro_type *type, size_t bytes,
                                                    size_t *room)
{
    struct ouro_payload *payload = ouro__new_quiet(type, bytes);
    if (payload == NULL)
        return NULL;
    *room = ouro__object_room(payload);
    ouro__tool_writable(payload, *room); /* all of it, not just what was asked for */
    return payload;
}

struct ouro_payload *ouro__payload_birth(size_t bytes, bool string, size_t *room)
{
    size_t block = bytes + sizeof(struct ouro_header); /* bytes is less than PTRDIFF_MAX */
    if (OURO_UNLIKELY(block > OURO__SMALL_MAX_SIZE))
        return birth_out(&large_types[string], bytes, room);
    unsigned cls = ouro__class_of(block);
    *room = ouro__class_size(cls) - sizeof(struct ouro_header);
    struct ouro_payload *payload = take_ready(&small_types[string], cls);
    return OURO_LIKELY(payload != NULL) ? payload : birth_out(&small_types[string], bytes, room);
}

/* Counted blocks do not move (R8 of arena.h): a collection may look at one through a value that
 * still has the old address. */
static OURO_NOINLINE struct ouro_payload *grow_out(struct ouro_payload *old, size_t bytes,
                                                   bool string, size_t *room)
{
    if (ouro__cell_grow(old, bytes, false)) {
        *room = ouro__object_room(old);
        return old;
    }
    ouro__cell_replaces(true);
    struct ouro_payload *fresh = birth_out(&large_types[string], bytes, room);
    ouro__cell_replaces(false);
    return fresh;
}

struct ouro_payload *ouro__payload_enlarge(struct ouro_payload *old, size_t bytes, bool string,
                                           size_t *room)
{
    if (OURO_UNLIKELY(bytes > OURO__CLASS_MAX_SIZE))
        return grow_out(old, bytes, string, room);
    return ouro__payload_birth(bytes, string, room);
}

void ouro__payload_free(struct ouro_payload *payload)
{
    ouro_word b = ouro__load(&ouro__header(payload)->shared);
    const struct ouro_type *type = ouro__type_of(payload, b);
    ouro__free_object(payload, type);
}

void ouro__payload_incref(struct ouro_payload *payload)
{
    ouro_incref_biased(payload);
}

/* Whether this thread alone counts it and has the only reference: by two loads. */
static bool is_last(const struct ouro__thread *me, const struct ouro_header *h)
{
    const ouro_word not_type = ~((ouro_word)0xFFFF << OURO__TYPE_SHIFT);
    /* Acquire: pairs with the release of foreign decrefs (counts.md, memory order a). */
    return ouro__half_load(&h->local) == me->home &&
           (ouro__load_acquire(&h->shared) & not_type) == me->home;
}

static OURO_NOINLINE void decref_out(struct ouro_payload *payload)
{
    struct ouro__thread *me = ouro__me();
    if (OURO_LIKELY(me != NULL) && is_last(me, ouro__header(payload))) {
        ouro__payload_free(payload);
        return;
    }
    bool hushed = me != NULL && ouro__release_hush(me), before = ouro__own.hushed;
    ouro__own.hushed = true;
    ouro__decref_out(payload);
    ouro__own.hushed = before;
    if (hushed)
        ouro__release_plain(me);
}

void ouro__payload_decref(struct ouro_payload *payload)
{
    struct ouro_header *h = ouro__header(payload);
    ouro_half n = ouro__half_load(&h->local) - OURO__LOCAL_UNIT;
    if (OURO_LIKELY((n & ouro__context.counts) == 0)) /* as in rc_biased.h */
        ouro__half_store(&h->local, n);
    else
        decref_out(payload);
}

bool ouro__payload_is_unique(const struct ouro_payload *payload)
{
    return ouro_is_unique(payload);
}

size_t ouro__payload_room(const struct ouro_payload *payload)
{
    return ouro__object_room(payload);
}
