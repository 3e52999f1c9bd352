/* SPDX-License-Identifier: MIT */
/* birth.c: births out of line, and the blocks that objects lie in.
 *
 * Objects that the inlined birth cannot make come from here: the first of a type, those of prompt,
 * over-aligned and wide types, large ones, and any when nothing is ready. An object that is aligned
 * to more than 16 does not start where its block does: a *forwarder*, in the place where a walk
 * expects the header, tells how far away it is. The descriptor of a wide type stands in the word
 * before the header of its objects, which are all made with an alignment of 32 at least; so are all
 * objects of the checked library, which adds to that word's free bits (checked.c). */
#include "orc/birth.h"
#include "orc/apart.h"
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/valgrind.h"
#include "orc/checked.h"
#include "orc/bare.h"
#include "orc/index.h"
#include "orc/payload.h"
#include "orc/site.h"
#include "orc/state.h"

#define FORWARDER (OURO__IMMORTAL | OURO__QUEUED | OURO__NO_TOKEN) /* no object has that owner */

size_t ouro__object_align(const struct ouro_type *type)
{
    size_t align = type->align > 16 ? type->align : 16;
    bool spare = OURO_CHECKED || type->id >= OURO__WIDE_TYPE; /* words before the header */
    return spare && align < 32 ? 32 : align;
}

/* The same, where blocks that no walk finds have such words too (exhaust.c, E3). */
static size_t block_align(const struct ouro_type *type)
{
    size_t align = ouro__object_align(type);
    /* Bare objects wait in no queue. */
    bool spare = ouro__supply()->block && !(type->flags & OURO_BARE);
    return spare && align < 32 ? 32 : align;
}

void ouro__tell_aligned(struct ouro_type *type)
{
    if (block_align(type) > 16 && !(ouro__half_load(&type->state) & OURO__TYPE_ALIGNED))
        ouro__type_set_state(type, OURO__TYPE_ALIGNED);
}

/* For walks: the block of `object` starts elsewhere. */
static void leave_forwarder(void *object)
{
    if (ouro__supply()->block)
        return;
    struct ouro__place place = ouro__place_of(object);
    struct ouro_header *first = (struct ouro_header *)(void *)place.block;
    ouro__half_store(&first->local, (ouro_half)((char *)object - place.block));
    /* A walk beside running threads that sees it sees the distance: pairs with the acquire of
     * ouro__header_within. */
    ouro__fence_release();
    ouro__store(&first->shared, FORWARDER);
}

void *ouro__object_in(char *block)
{
    return ouro__object_within(block, UINT32_MAX);
}

struct ouro_header *ouro__header_within(char *block, size_t bytes)
{
    struct ouro_header *first = (struct ouro_header *)(void *)block, *h = first;
    /* Acquire: pairs with the fences of leave_forwarder and ouro__write_header. */
    ouro_word b = ouro__load_acquire(&h->shared);
    if (b == FORWARDER) {
        size_t distance = ouro__half_load(&first->local);
        if (distance < sizeof *h || distance >= bytes || distance % sizeof *h != 0)
            return NULL;
        h = ouro__header(block + distance);
        b = ouro__load_acquire(&h->shared);
        /* Beside running threads the block may have been born again in between. */
        if (ouro__load(&first->shared) != FORWARDER || ouro__half_load(&first->local) != distance)
            return NULL;
    }
    return b == 0 ? NULL : h;
}

void *ouro__object_within(char *block, size_t bytes)
{
    struct ouro_header *h = ouro__header_within(block, bytes);
    ouro_word b = h ? ouro__load_acquire(&h->shared) : 0;
    return b == 0 || ouro__is_dying(b) ? NULL : h + 1;
}

void ouro__write_header(void *object, const struct ouro_type *type, unsigned mode, unsigned home)
{
    struct ouro_header *h = ouro__header(object);
    ouro__tool_words(h, sizeof *h);
    unsigned id = type->id < OURO__WIDE_TYPE ? type->id : OURO__WIDE_TYPE;
    ouro_word b = (ouro_word)id << OURO__TYPE_SHIFT;
    h->visited = (ouro_half)(type->counts >> 32);
    if (id == OURO__WIDE_TYPE || OURO_CHECKED) /* before the word that says so, for walks */
        ((const struct ouro_type **)object)[-3] = type;
    ouro__fence_release(); /* pairs with the acquires of ouro__header_within, ouro__object_within */
    /* The checked library counts atomic objects as biased ones: a merged one is not seen. */
    if (((mode & OURO__BORN_ATOMIC) && !OURO_CHECKED) || (type->flags & OURO_PROMPT) ||
        home == OURO__NO_TOKEN) {
        ouro__half_store(&h->local, OURO__LOCAL_AWAY);
        ouro__store(&h->shared, b | OURO__MERGE | OURO__UNIT);
    } else {
        ouro__half_store(&h->local, ouro__owned_local(home, 1));
        ouro__store(&h->shared, b | home);
    }
}

/* Noted deaths that a birth out of line carries out, and one more for as many bytes as a header
 * has: more than it takes, so a heap does not grow while deaths wait, and few for a pause. */
#define DEATHS_A_BIRTH 1024

bool ouro__anything_freed(struct ouro__thread *me)
{
    return ouro__release_noted(me, SIZE_MAX) > 0 || (!me->visited.paused && ouro_collect(NULL) > 0);
}

static void check_born_size(const struct ouro_type *type, size_t size)
{
    if (OURO_UNLIKELY(size < type->size))
        ouro_fail(OURO_FAIL_MISUSE, NULL, type->name, "born smaller than its type says");
    if (OURO_UNLIKELY(size > type->size && (type->flags & OURO_EXACT) && !type->tail))
        ouro_fail(OURO_FAIL_MISUSE, NULL, type->name, "born larger than its type says");
}

/* Registers the type of a birth; false: refused, or no memory. */
static bool is_known(struct ouro_type *type)
{
    if (OURO_LIKELY(ouro__type_known(type)))
        return true;
    const char *why = NULL;
    ouro_status status = ouro_type_register(type, &why);
    if (status == OURO_BAD_TYPE)
        ouro__warn("a birth was refused, the type is bad: ", why);
    return status == OURO_OK;
}

/* One try: NULL, there is no memory. */
static void *make(struct ouro__thread *me, struct ouro_type *type, size_t size, unsigned mode)
{
    if (size + sizeof(struct ouro_header) > OURO__SMALL_MAX_SIZE)
        ouro__type_set_state(type, OURO__TYPE_LARGE);
    ouro__tell_aligned(type);
    size_t align = block_align(type);
    void *object = ouro__cell_alloc(OURO__COUNTED, size + sizeof(struct ouro_header), align);
    if (!object)
        return NULL;
    ouro__write_header(object, type, mode, me->home);
    if (align > 16)
        leave_forwarder(object);
    if (OURO_CHECKED)
        ouro__checked_born(object, me, mode);
    if (OURO_UNLIKELY(me->apart))
        ouro__apart_born(me, object, type, mode);
    if (mode & OURO__BORN_ZEROED)
        memset(object, 0, size);
    return object;
}

void *ouro__new_out(struct ouro_type *type, size_t size, unsigned mode)
{
    struct ouro__thread *me = ouro__me();
    if (me && me->apart) {
        void *object = ouro__apart_new_ready(me, type, size, mode);
        if (OURO_LIKELY(object != NULL))
            return object;
    }
    if (!me || size > (size_t)PTRDIFF_MAX / 2 || !is_known(type))
        return NULL;
    check_born_size(type, size);
    ouro__poll_tokens(me);
    ouro__release_noted(me, DEATHS_A_BIRTH + size / sizeof(struct ouro_header));
    ouro__collect_if_due(me);
    void *object;
    do
        object = make(me, type, size, mode);
    while (!object && ouro__anything_freed(me));
    return object;
}

void *ouro__new_quiet(struct ouro_type *type, size_t size)
{
    struct ouro__thread *me = ouro__me();
    if (!me || size > (size_t)PTRDIFF_MAX / 2 || !is_known(type))
        return NULL;
    bool hushed = ouro__release_hush(me);
    ouro__poll_tokens(me);
    if (hushed)
        ouro__release_plain(me);
    return make(me, type, size, OURO__BORN_BIASED);
}

void *ouro__new_bare_out(size_t size, size_t align, bool zeroed)
{
    static const struct ouro_type untyped = {.counts = 1};
    struct ouro__thread *me = ouro__me();
    if (!me || size > (size_t)PTRDIFF_MAX / 2 || align == 0 || (align & (align - 1)) != 0)
        return NULL;
    bool lies_oddly = OURO_CHECKED || align > 16;
    struct ouro_type *carrier = lies_oddly ? ouro__carrier_of(align > 16 ? align : 16) : NULL;
    if (lies_oddly && !carrier)
        return NULL;
    size_t lies = carrier ? block_align(carrier) : 16;
    ouro__poll_tokens(me);
    size_t block = size + sizeof(struct ouro_header);
    void *object = ouro__cell_alloc(OURO__COUNTED, block, lies);
    if (!object)
        return NULL;
    struct ouro_header *h = ouro__header(object);
    ouro__write_header(object, carrier ? carrier : &untyped, OURO__BORN_BIASED, me->home);
    h->visited = 0; /* a carrier says nothing of cycles */
    if (carrier)
        ouro__tell_aligned(carrier);
    if (block > OURO__SMALL_MAX_SIZE) /* inlined ends are for small blocks (B3) */
        ouro__store(&h->shared, ouro__load(&h->shared) | OURO__WEAK);
    if (lies > 16)
        leave_forwarder(object);
    if (OURO_CHECKED)
        ouro__checked_born(object, me, OURO__BORN_BIASED);
    if (OURO_UNLIKELY(ouro__sites_wanted()))
        ouro__site_note(object, __builtin_return_address(0));
    if (OURO_UNLIKELY(me->apart))
        ouro__apart_born(me, object, NULL, OURO__BORN_BIASED);
    if (zeroed)
        memset(object, 0, size);
    return object;
}

void *ouro__new_in_out(struct ouro_context *context, struct ouro_type *type, size_t size,
                       unsigned mode)
{
    if (OURO_CHECKED)
        ouro__context_check(context);
    return ouro__new_out(type, size, mode);
}

void ouro__free_odd(void *object, const struct ouro_type *type)
{
    size_t align = type ? block_align(type) : 16;
    if (align > 16 && !ouro__supply()->block) {
        struct ouro__place place = ouro__place_of(object);
        if (type->id >= OURO__WIDE_TYPE) /* no look finds the header, and the type may go away */
            ouro__store(&ouro__header(object)->shared, OURO__DYING | -OURO__UNIT);
        ouro__store(&((struct ouro_header *)(void *)place.block)->shared, 0);
    }
    ouro__cell_free(object, OURO__COUNTED, align);
}

size_t ouro__block_bytes(const void *object)
{
    if (!ouro__supply()->block)
        return ouro__place_of(object).bytes;
    const struct ouro_type *type = ouro_type_of(object);
    size_t at = ouro__aligned_offset(OURO__COUNTED, type ? block_align(type) : 16);
    return ouro__supply()->block_size((const char *)object - at);
}

size_t ouro__object_room(const void *object)
{
    if (!ouro__supply()->block) {
        struct ouro__place place = ouro__place_of(object);
        return (size_t)(place.block + place.bytes - (const char *)object);
    }
    const struct ouro_type *type = ouro_type_of(object);
    size_t at = ouro__aligned_offset(OURO__COUNTED, type ? block_align(type) : 16);
    return ouro__supply()->block_size((const char *)object - at) - at;
}
