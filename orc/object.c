/* SPDX-License-Identifier: MIT */
/* object.c: births out of line, questions, immortality, reuse.
 *
 * Objects that the inlined birth cannot make come from here: the first of a type, those of prompt,
 * over-aligned and wide types, large ones, and any when nothing is ready. An object that is aligned
 * to more than 16 does not start where its block does: a *forwarder*, in the place where a walk
 * expects the header, tells how far away it is. The descriptor of a wide type stands in the word
 * before the header of its objects, which are all made with an alignment of 32 at least; so are all
 * objects of the checked library, which adds to that word's free bits (checked.c). */
#include "orc/object.h"
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/text.h"
#include "alloc/valgrind.h"
#include "hooks/refops.h"
#include "hooks/value.h"
#include "orc/chain.h"
#include "orc/checked.h"
#include "orc/payload.h"
#include "orc/rc_biased.h"
#include "orc/state.h"
#include "orc/weak.h"

#define FORWARDER (OURO__IMMORTAL | OURO__QUEUED | OURO__NO_TOKEN) /* no object has that owner */

/* -- connecting hooks -------------------------------------------------------------------------- */

/* The inlined paths of the owner, which serve objects of every mode. */
static void incref_for_hooks(void *object)
{
    ouro_incref_biased(object);
}
static void decref_for_hooks(void *object)
{
    ouro_decref_biased(object);
}

static const struct ouro_type *type_of_for_hooks(const void *object)
{
    return ouro_type_of(object);
}
static void *allocate_for_hooks(struct ouro_type *type, size_t size)
{
    return ouro_new_biased(type, size);
}
static void discard_for_hooks(void *object)
{
    struct ouro__thread *me = ouro__me();
    if (me)
        ouro__forget(me, ouro__header(object));
    ouro__free_object(object, ouro_type_of(object));
}
static void weak_incref(void *weak)
{
    ouro_weak_incref(weak);
}
static void weak_decref(void *weak)
{
    ouro_weak_decref(weak);
}

/* The owner's decref of an object that others keep alive, without making it a candidate. */
static void settle(void *object)
{
    struct ouro_header *h = ouro__header(object);
    struct ouro__thread *me = ouro__me();
    ouro_half local = ouro__half_load(&h->local);
    if (me && ouro__holds(me, ouro__load(&h->shared)) && ouro__local_count(local) > 1)
        ouro__half_store(&h->local, local - OURO__LOCAL_UNIT);
    else
        ouro__decref_out(object);
}
static void *weak_upgrade(void *weak)
{
    return ouro_weak_upgrade(weak);
}
static void *weak_new(void *object)
{
    return ouro_weak_new(object);
}

const struct ouro_refops ouro__orc_refops = {.incref = incref_for_hooks,
                                             .decref = decref_for_hooks,
                                             .weak_incref = weak_incref,
                                             .weak_decref = weak_decref,
                                             .type_of = type_of_for_hooks,
                                             .settle = settle,
                                             .weak_upgrade = weak_upgrade,
                                             .weak_new = weak_new,
                                             .alive = ouro__leaving_alive,
                                             .allocate = allocate_for_hooks,
                                             .discard = discard_for_hooks,
                                             .payload_new = ouro__payload_birth,
                                             .payload_free = ouro__payload_free,
                                             .payload_share = ouro__payload_incref,
                                             .payload_drop = ouro__payload_decref,
                                             .payload_is_unique = ouro__payload_is_unique,
                                             .payload_room = ouro__payload_room};

/* -- birth ------------------------------------------------------------------------------------- */

static size_t object_align(const struct ouro_type *type)
{
    size_t align = type->align > 16 ? type->align : 16;
    bool spare = OURO_CHECKED || type->id >= OURO__WIDE_TYPE; /* words before the header */
    return spare && align < 32 ? 32 : align;
}

/* The same, where blocks that no walk finds have such words too (exhaust.c, E3). */
static size_t block_align(const struct ouro_type *type)
{
    size_t align = object_align(type);
    return ouro__supply()->block && align < 32 ? 32 : align;
}

/* Before the first object whose block starts elsewhere: whoever frees it asks. */
static void tell_aligned(struct ouro_type *type)
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
    ouro__fence_release(); /* a walk beside running threads that sees it sees the distance */
    ouro__store(&first->shared, FORWARDER);
}

void *ouro__object_in(char *block)
{
    return ouro__object_within(block, UINT32_MAX);
}

struct ouro_header *ouro__header_within(char *block, size_t bytes)
{
    struct ouro_header *first = (struct ouro_header *)(void *)block, *h = first;
    /* Acquire: pairs with the fences of leave_forwarder and write_header. */
    ouro_word b = ouro__load_acquire(&h->shared);
    if (b == FORWARDER) {
        size_t distance = ouro__half_load(&first->local);
        if (distance < sizeof *h || distance >= bytes)
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

static void write_header(void *object, const struct ouro_type *type, unsigned mode, unsigned home)
{
    struct ouro_header *h = ouro__header(object);
    ouro__tool_words(h, sizeof *h);
    unsigned id = type->id < OURO__WIDE_TYPE ? type->id : OURO__WIDE_TYPE;
    ouro_word b = (ouro_word)id << OURO__TYPE_SHIFT;
    h->visited = (ouro_half)(type->counts >> 32);
    if (id == OURO__WIDE_TYPE || OURO_CHECKED) /* before the word that says so, for walks */
        ((const struct ouro_type **)object)[-3] = type;
    ouro__fence_release();
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
    tell_aligned(type);
    size_t align = block_align(type);
    void *object = ouro__cell_alloc(OURO__COUNTED, size + sizeof(struct ouro_header), align);
    if (!object)
        return NULL;
    write_header(object, type, mode, me->home);
    if (align > 16)
        leave_forwarder(object);
    if (OURO_CHECKED)
        ouro__checked_born(object, me, mode);
    if (mode & OURO__BORN_ZEROED)
        memset(object, 0, size);
    return object;
}

void *ouro__new_out(struct ouro_type *type, size_t size, unsigned mode)
{
    struct ouro__thread *me = ouro__me();
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

/* -- questions --------------------------------------------------------------------------------- */

const struct ouro_type *ouro_type_of(const void *object)
{
    if (!object)
        return NULL;
    return ouro__type_of(object, ouro__load(&ouro__header(object)->shared));
}

const char *ouro__type_name(const void *object, ouro_word shared)
{
    const struct ouro_type *type = ouro__type_of(object, shared);
    return type ? type->name : NULL;
}

void ouro__check_alive(const void *object, const char *what)
{
    ouro_word b = ouro__load(&ouro__header(object)->shared);
    if (OURO_UNLIKELY(ouro__is_freed(b)))
        ouro_fail(OURO_FAIL_USE_AFTER_FREE, object, ouro__type_name(object, b), what);
    if (OURO_CHECKED)
        ouro__checked_use(object);
}

bool ouro_is_unique(const void *object)
{
    struct ouro_header *h = ouro__header(object);
    /* Acquire: what others did to the object before they dropped it comes before its reuse. */
    ouro_word b = ouro__load_acquire(&h->shared);
    if (OURO_CHECKED || (b & OURO__IMMORTAL))
        ouro__check_alive(object, "asked whether it is unique, but it is gone");
    if (b & (OURO__WEAK | OURO__IMMORTAL))
        return false;
    if (b & OURO__MERGED) /* Q: one of the references is that of a candidate entry */
        return ouro__count_of(b) == (b & OURO__QUEUED ? 2 : 1);
    struct ouro__thread *me = ouro__me();
    return me && ouro__holds(me, b) && !(b & OURO__QUEUED) && ouro__count_of(b) == 0 &&
           ouro__local_count(ouro__half_load(&h->local)) == 1;
}

int64_t ouro_count(const void *object)
{
    struct ouro_header *h = ouro__header(object);
    ouro_word b = ouro__load_acquire(&h->shared); /* as in ouro_is_unique */
    if (ouro__is_freed(b))
        ouro__check_alive(object, "its count was asked for, but it is gone");
    int64_t count = ouro__count_of(b);
    if (!(b & OURO__MERGED))
        count += ouro__local_count(ouro__half_load(&h->local));
    return (b & OURO__QUEUED) && !ouro__is_dying(b) ? count - 1 : count;
}

void ouro_make_immortal(void *object)
{
    struct ouro_header *h = ouro__header(object);
    struct ouro__thread *me = ouro__me();
    ouro__check_alive(object, "made immortal, but it is gone");
    ouro_word b = ouro__load(&h->shared);
    while (ouro__is_dying(b)) { /* by its hook: as if with more references than can be counted */
        ouro_word most = (b & (OURO__UNIT - 1)) | (ouro_word)OURO__COUNT_LIMIT << OURO__COUNT_SHIFT;
        if (ouro__cas_full(&h->shared, &b, most))
            return;
    }
    if (me && ouro__holds(me, b)) {
        ouro__forget(me, h);
        ouro__half_store(&h->local, OURO__LOCAL_AWAY);
    }
    /* Full: `local` is written before it (I7); who finds I there counts no more. */
    ouro__fetch_or_full(&h->shared, OURO__IMMORTAL);
    /* No owner any more, unless an entry is under way: the drain makes it so then. */
    b = ouro__load(&h->shared);
    while (!(b & (OURO__QUEUED | OURO__MERGED)) &&
           !ouro__cas_full(&h->shared, &b, (b & ~OURO__OWNER_MASK) | OURO__MERGE))
        continue;
}

void ouro__warn(const char *what, const char *about)
{
    char room[256];
    struct ouro__text t = {room, sizeof room, 0};
    ouro__text_add(&t, "ouro: ");
    ouro__text_add(&t, what);
    if (about)
        ouro__text_add(&t, about);
    ouro__text_add(&t, "\n");
    ouro__os_say(room, t.len);
}

void ouro__warn_object(const char *what, const void *object)
{
    ouro__warn(what, ouro__type_name(object, ouro__load(&ouro__header(object)->shared)));
}

/* -- reuse ------------------------------------------------------------------------------------- */

/* Whether the caller's reference is the only one, and a cell can be had from it. */
static bool can_be_reused(const struct ouro__thread *me, void *object, const struct ouro_type *type)
{
    const struct ouro_header *h = ouro__header(object);
    if (!type || object_align(type) > 16 || (type->state & OURO__TYPE_LARGE) ||
        !ouro_is_unique(object) || ouro__is_spent(h))
        return false;
    return !(ouro__load(&h->shared) & OURO__QUEUED) ||
           ouro__is_claimed_by(me, object, ouro__half_load(&h->visited));
}

OURO_STATIC_ASSERT(OURO__EMPTIED == OURO__DYING, "walks pass over cells that are to be reused");

/* The object, which has the caller's reference alone, is one no more. */
static void end_for_reuse(struct ouro__thread *me, struct ouro_header *h)
{
    ouro__forget(me, h);
    ouro__mark_dying(h);
    ouro__store(&h->shared, ouro__load(&h->shared) & (OURO__UNIT - 1));
    ouro__half_store(&h->local, OURO__LOCAL_AWAY);
}

ouro_reuse ouro__take_reuse_out(void *object)
{
    ouro_reuse token = {NULL};
    struct ouro__thread *me = ouro__me();
    if (!object || !me)
        return token;
    ouro__check_alive(object, "taken for reuse, but it is gone");
    if (!ouro__is_of(me->orc, object) || !can_be_reused(me, object, ouro_type_of(object)))
        return token;
    ouro__tool_acquire(object);
    end_for_reuse(me, ouro__header(object));
    token.cell = object;
    return token;
}

/* What died of the contents of a cell goes. The cell is at hand meanwhile: a hook may leave, and
 * then there is nobody who gets it. */
static void release_beside(struct ouro__thread *me, void *cell)
{
    ouro__take_at_hand(me, cell);
    ouro__release_some(me, SIZE_MAX);
    ouro__put_down(me);
}

/* Destroys what is in the object, which has the caller's reference alone; false: it lives on. What
 * dies of it goes after it, as after any other (release.c): a reference that its hook left in that
 * is seen first. */
static bool destroy_for_reuse(struct ouro__thread *me, void *object, const struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    end_for_reuse(me, h);
    bool releasing = me->releasing;
    me->releasing = true;
    ouro__take_at_hand(me, object);
    ouro_destroy_value(object, type);
    ouro__put_down(me);
    me->releasing = releasing;
    bool gone = !ouro__resurrected(object);
    if (gone && (ouro__load(&h->shared) & OURO__WEAK)) /* made by its hook */
        ouro__weak_clear(me->orc, object);
    if (gone)
        release_beside(me, object);
    else
        ouro__release_some(me, SIZE_MAX);
    return gone;
}

/* Whether the object is as its birth on this thread left it, but for its contents, and these are
 * nothing but references at fixed places. */
static bool is_fresh_and_flat(const struct ouro__thread *me, const void *object,
                              const struct ouro_type *type)
{
    const uint32_t kind =
        OURO__TYPE_FLAT | OURO__TYPE_ALIGNED | OURO__TYPE_LARGE | OURO__TYPE_FILTERED;
    const struct ouro_header *h = ouro__header(object);
    if (OURO_CHECKED || !type || (type->state & kind) != OURO__TYPE_FLAT)
        return false;
    if (!OURO_THREADS && !ouro__is_of(me->orc, object))
        return false; /* there the words do not tell */
    /* Acquire: as in ouro_is_unique. */
    ouro_word b = ouro__load_acquire(&h->shared);
    return b == ((ouro_word)type->id << OURO__TYPE_SHIFT | me->home) &&
           *(const ouro__first_half *)h == type->counts + me->home - 1;
}

/* destroy_for_reuse for those, which no hook can see: nothing is left to be done but the drops. */
static void drop_references(struct ouro__thread *me, char *object, const struct ouro_type *type)
{
    struct ouro_header *h = ouro__header(object);
    *(ouro__first_half *)h = OURO__AWAY_HALF;
    ouro__store(&h->shared, (ouro_word)type->id << OURO__TYPE_SHIFT | OURO__EMPTIED);
    bool releasing = me->releasing;
    me->releasing = me->whole = true;
    for (uint32_t i = 0; i < type->ref_count; i++)
        ouro_decref_biased(*(void **)(void *)(object + type->refs[i]));
    me->releasing = releasing;
    me->whole = false;
    if (me->born_dead.first || OURO_UNLIKELY(me->wrong.object != NULL))
        release_beside(me, object);
}

ouro_reuse ouro_drop_reuse(void *object)
{
    ouro_reuse token = {NULL};
    struct ouro__thread *me = ouro__me();
    if (!object || !me)
        return token;
    const struct ouro_type *type = ouro_type_of(object);
    if (OURO_LIKELY(is_fresh_and_flat(me, object, type))) {
        drop_references(me, object, type);
        token.cell = object;
        return token;
    }
    ouro_word b = ouro__load(&ouro__header(object)->shared);
    if (ouro__is_freed(b) || ouro__is_elsewhere(me, object, b) ||
        !can_be_reused(me, object, type)) {
        ouro__decref_out(object);
        return token;
    }
    if (destroy_for_reuse(me, object, type))
        token.cell = object;
    return token;
}

ouro_reuse ouro__take_reuse_in_out(struct ouro_context *context, void *object)
{
    if (OURO_CHECKED)
        ouro__context_check(context);
    return ouro__take_reuse_out(object);
}

void *ouro__new_reuse_in_out(struct ouro_context *context, ouro_reuse token, struct ouro_type *type,
                             size_t size)
{
    if (OURO_CHECKED)
        ouro__context_check(context);
    return ouro__new_reuse_out(token, type, size);
}

void *ouro__new_reuse_out(ouro_reuse token, struct ouro_type *type, size_t size)
{
    if (!token.cell)
        return ouro_new_uninit_biased(type, size);
    const struct ouro__thread *me = ouro__me();
    const struct ouro_type *was = ouro_type_of(token.cell);
    unsigned have = ouro__class_of(was->size + sizeof(struct ouro_header));
    /* LARGE: taken inline, the cell may be larger than its type says */
    if (!me || !ouro__is_of(me->orc, token.cell) || type->birth == 0 ||
        size > OURO__SMALL_MAX_SIZE / 2 || (was->state & OURO__TYPE_LARGE) ||
        ouro__class_of(size + sizeof(struct ouro_header)) != have ||
        /* blocks are no larger than asked for, or tools believe so */
        ((ouro__supply()->block || ouro__context.heap->watched) && size > was->size)) {
        ouro_reuse_free(token);
        return ouro_new_uninit_biased(type, size);
    }
    tell_aligned(type);
    write_header(token.cell, type, OURO__BORN_BIASED, me->home);
    return token.cell;
}

void ouro_reuse_free(ouro_reuse token)
{
    if (token.cell)
        ouro__free_object(token.cell, ouro_type_of(token.cell));
}
