/* SPDX-License-Identifier: MIT */
/* checked.c: what only the checked library does.
 *
 * Its objects are born with the sign of the local word set, so that the inlined paths of a program
 * that was compiled against the release headers go out of line, where every count is checked. Before
 * each header a word tells which thread made it, and whether in local mode. Freed objects are poisoned and
 * kept for a while, so that a late drop or write finds them and is named.
 *
 * What this cannot catch: inlined atomic counts on merged objects, and reads after free. */
#include "orc/checked.h"
#include "alloc/fail.h"
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
    } ring[KEPT];
    size_t head, tail, bytes;
} quarantine = {.lock = OURO__MUTEX_INIT};

#define TOKEN_SHIFT 48
#define LOCAL_MODE  ((uintptr_t)1)

static uintptr_t *birth_of(const void *object)
{
    return (uintptr_t *)(uintptr_t)object - 3;
}

void ouro__checked_born(void *object, const struct ouro__thread *me, unsigned mode)
{
    *birth_of(object) |= (uintptr_t)me->home << TOKEN_SHIFT;
    if (mode & OURO__BORN_LOCAL_MODE)
        *birth_of(object) |= LOCAL_MODE;
}

void ouro__checked_touch(const void *object, const struct ouro__thread *me)
{
    uintptr_t birth = *birth_of(object);
    if ((birth & LOCAL_MODE) && birth >> TOKEN_SHIFT != me->home)
        ouro_fail(OURO_FAIL_WRONG_THREAD, object,
                  ouro__type_name(object, ouro__load(&ouro__header(object)->shared)),
                  "counted by local mode on one thread, touched by another");
}

static void look_at_poison(const struct kept *kept)
{
    const unsigned char *p = kept->object;
    for (size_t i = 0; i < kept->bytes; i++) {
        if (p[i] != POISON)
            ouro_fail(OURO_FAIL_USE_AFTER_FREE, kept->object,
                      kept->type ? kept->type->name : NULL, "written after it was freed");
    }
}

void ouro__checked_free(void *object, const struct ouro_type *type)
{
    struct kept fresh = {object, type, type ? type->size : 0};
    memset(object, POISON, fresh.bytes);
    for (bool placed = false; !placed;) {
        struct kept old = {NULL, NULL, 0};
        ouro__lock(&quarantine.lock);
        if (quarantine.head - quarantine.tail == KEPT ||
            (quarantine.bytes > KEPT_BYTES && quarantine.head != quarantine.tail)) {
            old = quarantine.ring[quarantine.tail++ % KEPT];
            quarantine.bytes -= old.bytes;
        } else {
            quarantine.ring[quarantine.head++ % KEPT] = fresh;
            quarantine.bytes += fresh.bytes;
            placed = true;
        }
        ouro__unlock(&quarantine.lock);
        if (old.object) {
            look_at_poison(&old);
            ouro__free_odd(old.object, old.type);
        }
    }
}
