/* SPDX-License-Identifier: MIT */
/* handle.c: the table of counted handles.
 *
 * A handle is the number of a slot, and the generation of its use. Slots stand in segments that
 * never move or go, each twice as large as the one before, so that whoever has any number at all
 * may look at its slot without a lock.
 *
 *  D1  A slot's word has its generation, whether it is open, and how many gets are under way. The
 *      number is an open handle's exactly if the generations are equal and OPEN is set.
 *  D2  A get counts itself by compare-and-swap while D1 holds, takes a reference, and takes itself
 *      off again. So the slot's own reference is there until then.
 *  D3  Closing clears OPEN, once. Whoever then brings the gets under way to none, the closer
 *      itself or the last get, drops the slot's reference and gives the slot back.
 *  D4  A slot that is given back has the next generation: 2^32 uses later it would have one that
 *      was there before, so then it is retired.
 *  D5  `object`, `site` and `address` are written by who has the slot out of the list of free ones,
 *      before OPEN is set (release), and read after it was seen (acquire). They stay when it is
 *      closed, for reports.
 *  D6  Free slots are used again oldest first, so that a closed handle's site is known for long.
 *      The lock guards that list and the growth of the table, and is held over a fork. A get that
 *      was under way in a thread that a fork left behind stays so: that object lives on.
 *  D7  When a runtime ends, the handles of its objects are closed, and `object` becomes 0: there is
 *      nothing to drop any more. */
#include "orc/handle.h"
#include "alloc/fail.h"
#include "alloc/heap.h"
#include "alloc/pool.h"
#include "alloc/runtime.h"
#include "alloc/text.h"
#include "alloc/valgrind.h"
#include "orc/checked.h"
#include "orc/rc_biased.h"
#include "orc/state.h"

#define GENERATION_SHIFT 32
#define OPEN             ((ouro_word)1 << 31)
#define USERS            (OPEN - 1)

struct slot {
    ouro_word word;
    ouro_word object;
    ouro_word site;    /* const char *, or NULL */
    ouro_word address; /* what ouro_handle_new returned to */
    uint32_t next;     /* in the list of free ones: a number; 0: the last */
};

#define SEGMENTS   26
#define FIRST_SIZE 64 /* slots of the first segment */

static ouro_word segments[SEGMENTS]; /* struct slot *; stored by a full CAS */

static struct {
    ouro__mutex lock;
    uint32_t free_first, free_last;
    uint32_t used; /* numbers 1 .. used were given out */
} table = {.lock = OURO__MUTEX_INIT};

/* -- slots ------------------------------------------------------------------------------------- */

/* Number n, from 1, stands in segment k at position n - 1 + 64 - (64 << k). */
static unsigned segment_of(uint32_t n)
{
    return 57 - (unsigned)__builtin_clzll((uint64_t)n - 1 + FIRST_SIZE);
}

static struct slot *slot_at(uint32_t n)
{
    unsigned k = segment_of(n);
    if (n == 0 || k >= SEGMENTS)
        return NULL;
    /* Acquire: pairs with the CAS in grow; the slots read as zeroes, or newer. */
    struct slot *segment = (struct slot *)ouro__load_acquire(&segments[k]);
    return segment ? &segment[(uint64_t)n - 1 + FIRST_SIZE - ((uint64_t)FIRST_SIZE << k)] : NULL;
}

static ouro_handle handle_of(uint32_t n, ouro_word word)
{
    return (word >> GENERATION_SHIFT) << GENERATION_SHIFT | n;
}

/* With the lock: a free slot's number, or 0. */
static uint32_t take_free(void)
{
    uint32_t n = table.free_first;
    if (n) {
        table.free_first = slot_at(n)->next;
        return n;
    }
    struct slot *fresh = table.used < UINT32_MAX ? slot_at(table.used + 1) : NULL;
    if (!fresh)
        return 0;
    ouro__store(&fresh->word, (ouro_word)1 << GENERATION_SHIFT); /* small numbers are no handles */
    return ++table.used;
}

/* One segment more, allocated without the lock; false: no memory. */
static bool grow(void)
{
    ouro__orc_lock(&table.lock);
    uint32_t used = table.used;
    ouro__orc_unlock(&table.lock);
    unsigned k = segment_of(used + 1);
    if (used == UINT32_MAX || k >= SEGMENTS)
        return false;
    /* In the default runtime: handles are the process's. */
    if (ouro_runtime_enter(ouro_runtime_default()) != OURO_OK)
        return false;
    struct slot *fresh = ouro_calloc((size_t)FIRST_SIZE << k, sizeof *fresh);
    ouro_runtime_leave(ouro_runtime_default());
    if (!fresh)
        return false;
    ouro__tool_words(fresh, ((size_t)FIRST_SIZE << k) * sizeof *fresh);
    ouro_word none = 0;
    if (!ouro__cas_full(&segments[k], &none, (ouro_word)fresh))
        ouro_free(fresh); /* another thread was faster */
    return true;
}

static uint32_t take_slot(void)
{
    for (;;) {
        ouro__orc_lock(&table.lock);
        uint32_t n = take_free();
        ouro__orc_unlock(&table.lock);
        if (n || !grow())
            return n;
    }
}

/* D4. The caller took the slot's reference out. */
static void give_slot(uint32_t n, struct slot *slot)
{
    ouro_word next = ((ouro__load(&slot->word) >> GENERATION_SHIFT) + 1) << GENERATION_SHIFT;
    /* Release: pairs with the acquire in bad_handle, which finds this use's site, or a later
     * one's. */
    ouro__store_release(&slot->word, next);
    if (next == 0)
        return;
    ouro__orc_lock(&table.lock);
    slot->next = 0;
    if (table.free_first)
        slot_at(table.free_last)->next = n;
    else
        table.free_first = n;
    table.free_last = n;
    ouro__orc_unlock(&table.lock);
}

/* -- bad handles ------------------------------------------------------------------------------- */

/* Says so; does not return. */
static OURO_COLD void bad_handle(ouro_handle handle, const struct slot *slot, const char *how)
{
    char room[256], number[40];
    struct ouro__text t = {room, sizeof room, 0}, d = {number, sizeof number, 0};
    ouro_word word = slot ? ouro__load_acquire(&slot->word) : 0;
    ouro_handle now = word >> GENERATION_SHIFT, then = handle >> GENERATION_SHIFT;
    bool closing = slot && then == now && (word & USERS) != 0;
    bool past = closing || (then < now && then > 0);
    bool known = closing || (past && then + 1 == now && !(word & OPEN)); /* D5 */
    ouro__text_hex(&d, handle);
    ouro__text_add(&t, number);
    ouro__text_add(&t, past ? how : " is no handle");
    const char *site = known ? (const char *)ouro__load(&slot->site) : NULL;
    if (site) {
        ouro__text_add(&t, "; it was made at ");
        ouro__text_add(&t, site);
    }
    ouro_fail(OURO_FAIL_BAD_HANDLE, NULL, NULL, room);
}

/* The slot of an open handle (D1), its word as last read. */
static struct slot *open_slot(ouro_handle handle, ouro_word *word, const char *how)
{
    struct slot *slot = slot_at((uint32_t)handle);
    /* Acquire: pairs with the release in ouro_handle_new (D5); the RMWs since carry it on. */
    *word = slot ? ouro__load_acquire(&slot->word) : 0;
    if (OURO_UNLIKELY(!(*word & OPEN) || (*word ^ handle) >> GENERATION_SHIFT))
        bad_handle(handle, slot, how);
    return slot;
}

/* -- the calls --------------------------------------------------------------------------------- */

ouro_handle ouro_handle_new(void *object, const char *site)
{
    if (!object || !ouro__me())
        return 0;
    ouro__check_alive(object, "a handle was asked for, but it is gone");
    uint32_t n = take_slot();
    if (!n)
        return 0;
    struct slot *slot = slot_at(n);
    ouro_incref_biased(object);
    ouro__store(&slot->object, (ouro_word)object);
    ouro__store(&slot->site, (ouro_word)site);
    ouro__store(&slot->address, (ouro_word)__builtin_return_address(0));
    ouro_word word = ouro__load(&slot->word) | OPEN;
    ouro__store_release(&slot->word, word); /* D5 */
    return handle_of(n, word);
}

void *ouro_handle_borrow(ouro_handle handle)
{
    ouro_word word;
    const struct slot *slot = open_slot(handle, &word, " was used, but it is closed");
    return (void *)ouro__load(&slot->object);
}

/* A get, or the closer itself, is done; the last of them drops the slot's reference (D3). */
static void leave_slot(uint32_t n, struct slot *slot)
{
    /* Release and acquire: what each get did with the object comes before the last one's drop. */
    ouro_word was = ouro__fetch_add_full(&slot->word, (ouro_word)-1);
    if (OURO_LIKELY((was & OPEN) || (was & USERS) != 1))
        return;
    void *object = (void *)ouro__load(&slot->object);
    give_slot(n, slot);
    ouro_decref_biased(object);
}

void *ouro_handle_get(ouro_handle handle)
{
    ouro_word word;
    struct slot *slot = open_slot(handle, &word, " was used, but it is closed");
    while (!ouro__cas_full(&slot->word, &word, word + 1)) { /* D2 */
        if (!(word & OPEN) || (word ^ handle) >> GENERATION_SHIFT)
            bad_handle(handle, slot, " was used, but it is closed");
    }
    void *object = (void *)ouro__load(&slot->object);
    ouro_incref_biased(object);
    leave_slot((uint32_t)handle, slot);
    return object;
}

void ouro_handle_close(ouro_handle handle)
{
    if (handle == 0)
        return;
    ouro_word word;
    struct slot *slot = open_slot(handle, &word, " was closed twice");
    /* Not OPEN any more, and the closer counts as a get until it has left. */
    while (!ouro__cas_full(&slot->word, &word, (word & ~OPEN) + 1)) {
        if (!(word & OPEN) || (word ^ handle) >> GENERATION_SHIFT)
            bad_handle(handle, slot, " was closed twice");
    }
    leave_slot((uint32_t)handle, slot);
}

/* -- lists ------------------------------------------------------------------------------------- */

/* What a slot holds, if it is open: the caller's to look at until it leaves it, as a get. */
static bool enter_slot(struct slot *slot, uint32_t n, struct ouro_open_handle *open)
{
    ouro_word word = ouro__load(&slot->word);
    do {
        if (!(word & OPEN))
            return false;
    } while (!ouro__cas_full(&slot->word, &word, word + 1));
    const void *object = (const void *)ouro__load(&slot->object);
    if (!object) { /* D7 */
        leave_slot(n, slot);
        return false;
    }
    const char *site = (const char *)ouro__load(&slot->site);
    const void *address = site ? NULL : (const void *)ouro__load(&slot->address);
    const char *type_name = ouro__type_name(object, ouro__load(&ouro__header(object)->shared));
    *open = (struct ouro_open_handle){handle_of(n, word), object, type_name, site, address};
    return true;
}

size_t ouro_list_handles(void (*visit)(const struct ouro_open_handle *open, void *arg), void *arg)
{
    ouro__orc_lock(&table.lock);
    uint32_t used = table.used;
    ouro__orc_unlock(&table.lock);
    size_t count = 0;
    for (uint32_t n = 1; n != 0 && n <= used; n++) {
        struct ouro_open_handle open;
        if (!enter_slot(slot_at(n), n, &open))
            continue;
        count++;
        visit(&open, arg);
        leave_slot(n, slot_at(n));
    }
    return count;
}

/* Closes the slot if its object is of that runtime (D7). */
static void drop_slot(struct slot *slot, uint32_t n, const struct ouro_runtime *runtime)
{
    struct ouro_open_handle open;
    bool there = (ouro__load_acquire(&slot->word) & OPEN) &&
                 ouro__runtime_of((const void *)ouro__load(&slot->object)) == runtime;
    if (!there || !enter_slot(slot, n, &open))
        return;
    if (ouro__runtime_of(open.object) == runtime) { /* still: the slot may have changed hands */
        ouro__fetch_and_full(&slot->word, ~OPEN);
        ouro__store(&slot->object, 0);
    }
    leave_slot(n, slot);
}

void ouro__handles_drop(const struct ouro_runtime *runtime)
{
    ouro__orc_lock(&table.lock);
    uint32_t used = table.used;
    ouro__orc_unlock(&table.lock);
    for (uint32_t n = 1; n != 0 && n <= used; n++)
        drop_slot(slot_at(n), n, runtime);
}

/* -- fork -------------------------------------------------------------------------------------- */

void ouro__handles_before_fork(void)
{
    ouro__lock(&table.lock);
}

void ouro__handles_after_fork(bool child)
{
    ouro__mutex_after_fork(&table.lock, child);
    if (child)
        ouro__handles_report_reset();
}
