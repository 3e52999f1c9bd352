/* SPDX-License-Identifier: MIT */
/* checked.c: what only the checked library does.
 *
 * Its objects are born with `out` set in the local word, so that the inlined counts and slot stores
 * of a program that was compiled against the release headers go out of line, where each is checked.
 * Before each header a word tells which thread made the object, and in what mode. Freed objects are
 * poisoned and kept for a while, so that a late drop or write finds them and is named.
 *
 *  K1  A local-mode object is used by its own thread only. An ended thread's objects are anybody's:
 *      its end handed them over. What was isolated is nobody's until it is extracted (SENT), and
 *      then as if its receiver had made it.
 *  K2  What other threads may reach refers to no local-mode object. Others may reach what was born
 *      in atomic mode, is merged, was made by another thread than what it refers to, or is counted
 *      in the shared word by others: by a number that is no multiple of LOCAL_PART, for its owner
 *      moves such a part there itself (so a multiple of others is not seen).
 *  K3  A kept object reads as POISON up to the end of its block.
 *  K4  The object of an entry, and its type, are looked at with the quarantine's lock alone, and it
 *      is freed before the lock is left. So once the entries of a runtime or of a type are gone
 *      (forget, flush) nobody is about to touch what they led to. What is wrong with one is
 *      noted, and reported without the lock: a handler may leave.
 *
 * No inlined path of a program that was compiled against the release headers acts on its objects:
 * table in docs/checking.md, test package.checked. What it cannot catch: reads after free (they
 * find POISON; memcheck tells), and any use after the memory was used again: KEPT objects or
 * KEPT_BYTES later. */
#include "orc/checked.h"
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/valgrind.h"
#include "hooks/walk.h"
#include "orc/state.h"

#define KEPT       4096
#define KEPT_BYTES ((size_t)16 << 20)
#define POISON     0xDD

static struct {
    ouro__mutex lock;
    struct kept {
        void *object;
        const struct ouro_type *type;
        size_t bytes;
        bool told;  /* nothing is to be said of it any more */
        bool twice; /* it had been freed when it was to be freed */
    } ring[KEPT];
    size_t head, tail, bytes;
} quarantine = {.lock = OURO__MUTEX_INIT};

/* -- the word before the header ---------------------------------------------------------------- */

#define TOKEN_SHIFT 48
#define LOCAL_MODE  ((uintptr_t)1)
#define ATOMIC_MODE ((uintptr_t)2)
#define SENT        ((uintptr_t)4) /* in a graph that is isolated, and nobody's */

static uintptr_t *birth_of(const void *object)
{
    return (uintptr_t *)(uintptr_t)object - 3;
}

void ouro__checked_born(void *object, const struct ouro__thread *me, unsigned mode)
{
    *birth_of(object) |= (uintptr_t)me->home << TOKEN_SHIFT;
    if (mode & OURO__BORN_LOCAL_MODE)
        *birth_of(object) |= LOCAL_MODE;
    if (mode & OURO__BORN_ATOMIC)
        *birth_of(object) |= ATOMIC_MODE;
}

void ouro__checked_given(void *object, const struct ouro__thread *me)
{
    uintptr_t *birth = birth_of(object);
    uintptr_t kept = *birth & (((uintptr_t)1 << TOKEN_SHIFT) - 1) & ~SENT;
    *birth = kept | (uintptr_t)me->home << TOKEN_SHIFT;
}

void ouro__checked_sent(void *object)
{
    *birth_of(object) |= SENT;
}

static ouro_word word_of(const void *object)
{
    return ouro__load(&ouro__header(object)->shared);
}

/* -- threads ----------------------------------------------------------------------------------- */

static bool is_local(const void *object)
{
    return !(word_of(object) & OURO__IMMORTAL) && (*birth_of(object) & LOCAL_MODE);
}

bool ouro__checked_foreign(const void *object, const struct ouro__thread *me)
{
    if (me->quiet || !is_local(object))
        return false;
    uintptr_t token = *birth_of(object) >> TOKEN_SHIFT;
    /* Acquire: pairs with the RMW that left the token; then the thread has ended (K1). */
    ouro_word holder = ouro__load_acquire(&ouro__tokens[token].holder);
    return token != me->home && holder > OURO__FROZEN && holder != (ouro_word)me;
}

/* How much of the block is the object's, a tail included (K3). */
static size_t room_of(const void *object, const struct ouro_type *type)
{
    if (ouro__supply()->block)
        return type ? type->size : 0; /* the tool that the supply is for sees the rest */
    struct ouro__place place = ouro__place_of(object);
    return (size_t)(place.block + place.bytes - (const char *)object);
}

/* The counter of a tail was written, or the object was born too small for it. */
static void check_tail(const void *object)
{
    const struct ouro_type *type = ouro__type_of(object, word_of(object));
    if (type && type->tail && !ouro__supply()->block &&
        ouro__place_of(object).kind != OURO__PAGE_UNUSED && /* else a static one */
        ouro__value_size(object, type) > room_of(object, type))
        ouro_fail(OURO_FAIL_CORRUPT, object, type->name, "its tail reaches beyond its block");
}

void ouro__checked_touch(const void *object, const struct ouro__thread *me)
{
    check_tail(object);
    if (!me->quiet && !(word_of(object) & OURO__IMMORTAL) && ouro__is_sealed(object))
        ouro_fail(OURO_FAIL_MISUSE, object, ouro__type_name(object, word_of(object)),
                  "used, but its region was isolated, and not extracted");
    if (!me->quiet && !(word_of(object) & OURO__IMMORTAL) && (*birth_of(object) & SENT))
        ouro_fail(OURO_FAIL_MISUSE, object, ouro__type_name(object, word_of(object)),
                  "used, but its graph was isolated, and not extracted");
    if (ouro__checked_foreign(object, me))
        ouro_fail(OURO_FAIL_WRONG_THREAD, object, ouro__type_name(object, word_of(object)),
                  "counted by local mode on one thread, touched by another");
}

void ouro__checked_local(const void *object)
{
    if (!OURO_THREADS)
        return; /* one thread, to which the functions of all modes are these: of any runtime */
    const struct ouro__thread *me = ouro__me();
    if (!object || !me)
        return;
    ouro_word b = word_of(object);
    if ((b & OURO__IMMORTAL) || ouro__holds(me, b))
        return;
    /* A merged object has no owner: its maker's thread may count so. */
    uintptr_t token = b & OURO__MERGED ? *birth_of(object) >> TOKEN_SHIFT : b & OURO__OWNER_MASK;
    ouro_word holder = ouro__load_acquire(&ouro__tokens[token].holder);
    if (holder > OURO__FROZEN && holder != (ouro_word)me)
        ouro_fail(OURO_FAIL_WRONG_THREAD, object, ouro__type_name(object, b),
                  "counted by a function of local mode on a thread that does not own it");
}

bool ouro__checked_escapes(const void *container, const void *value)
{
    ouro_word b = word_of(container);
    if (!is_local(value) || (b & OURO__IMMORTAL) || is_local(container))
        return false;
    /* What an owner itself moves into the shared count are whole parts. */
    return (b & (OURO__MERGED | OURO__TOUCHED | OURO__STORING)) ||
           ouro__count_of(b) % OURO__LOCAL_PART != 0 || (*birth_of(container) & ATOMIC_MODE) ||
           (*birth_of(container) ^ *birth_of(value)) >> TOKEN_SHIFT != 0;
}

void ouro__checked_use(const void *object)
{
    const struct ouro__thread *me = ouro__me();
    if (me)
        ouro__checked_touch(object, me);
}

void ouro__checked_store(const void *container, const void *value)
{
    ouro__check_alive(value, "stored into a slot, but it is gone");
    if (ouro__checked_escapes(container, value))
        ouro_fail(OURO_FAIL_WRONG_THREAD, value, ouro__type_name(value, word_of(value)),
                  "counted by local mode, stored into an object that other threads may reach");
}

/* -- freed objects ----------------------------------------------------------------------------- */

static bool is_poison(const struct kept *kept)
{
    const unsigned char *p = kept->object;
    ouro__tool_readable(p, kept->bytes);
    size_t i = 0;
    while (i < kept->bytes && p[i] == POISON)
        i++;
    return i == kept->bytes;
}

static void tell(const struct kept *kept)
{
    ouro_fail(OURO_FAIL_USE_AFTER_FREE, kept->object, kept->type ? kept->type->name : NULL,
              "written after it was freed");
}

/* With the lock. */
static bool is_full(void)
{
    return quarantine.head - quarantine.tail == KEPT ||
           (quarantine.bytes > KEPT_BYTES && quarantine.head != quarantine.tail);
}

/* With the lock: the object of an entry that is in the ring no more (K4). */
static void let_go(struct kept *kept)
{
    quarantine.bytes -= kept->bytes;
    kept->twice = ouro__cell_was_freed(kept->object);
    if (!kept->twice)
        ouro__free_odd(kept->object, kept->type);
}

/* Puts an entry in, and frees the oldest ones while there are too many, up to one of which
 * something is to be said: returns the last. */
static struct kept keep(const struct kept *fresh)
{
    struct kept old = {.told = true};
    ouro__orc_lock(&quarantine.lock);
    while (is_full() && old.told && !old.twice) {
        old = quarantine.ring[quarantine.tail++ % KEPT];
        old.told = old.told || is_poison(&old);
        let_go(&old);
    }
    quarantine.ring[quarantine.head++ % KEPT] = *fresh;
    quarantine.bytes += fresh->bytes;
    ouro__orc_unlock(&quarantine.lock);
    return old;
}

void ouro__checked_free(void *object, const struct ouro_type *type)
{
    struct kept fresh = {.object = object, .type = type, .bytes = room_of(object, type)};
    ouro__tool_writable(object, fresh.bytes);
    memset(object, POISON, fresh.bytes);
    ouro__tool_forbidden(object, fresh.bytes);
    struct kept old = keep(&fresh);
    if (old.twice)
        ouro__freed_twice(old.object);
    if (!old.told)
        tell(&old);
}

void ouro__checked_look(void)
{
    struct kept found = {.object = NULL};
    ouro__orc_lock(&quarantine.lock);
    for (size_t i = quarantine.tail; i != quarantine.head && !found.object; i++) {
        struct kept *kept = &quarantine.ring[i % KEPT];
        if (kept->told || is_poison(kept)) {
            ouro__tool_forbidden(kept->object, kept->bytes);
            continue;
        }
        kept->told = true;
        found = *kept;
    }
    ouro__orc_unlock(&quarantine.lock);
    if (found.object)
        tell(&found);
}

void ouro__checked_flush(void)
{
    ouro__orc_lock(&quarantine.lock);
    size_t to = quarantine.tail;
    for (size_t i = quarantine.tail; i != quarantine.head; i++) {
        struct kept kept = quarantine.ring[i % KEPT];
        if (kept.type && (ouro__half_load(&kept.type->state) & OURO__TYPE_LEAVING)) {
            let_go(&kept);
        } else {
            quarantine.ring[to++ % KEPT] = kept;
        }
    }
    quarantine.head = to;
    ouro__orc_unlock(&quarantine.lock);
}

void ouro__checked_forget(const struct ouro_runtime *runtime)
{
    ouro__orc_lock(&quarantine.lock);
    size_t to = quarantine.tail;
    for (size_t i = quarantine.tail; i != quarantine.head; i++) {
        struct kept kept = quarantine.ring[i % KEPT];
        if (ouro__runtime_of(kept.object) == runtime)
            quarantine.bytes -= kept.bytes;
        else
            quarantine.ring[to++ % KEPT] = kept;
    }
    quarantine.head = to;
    ouro__orc_unlock(&quarantine.lock);
}

void ouro__checked_before_fork(void)
{
    ouro__lock(&quarantine.lock);
}

void ouro__checked_after_fork(bool child)
{
    ouro__mutex_after_fork(&quarantine.lock, child);
}
