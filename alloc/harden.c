/* SPDX-License-Identifier: MIT */
/* harden.c: what libouro-malloc.so looks at beyond what costs nothing, at levels 2 and 3 of the
 * option `harden`. Here: blocks that share pages. Those with pages of their own: harden_own.c.
 *
 * A block of a class ("cell") is
 *
 *     what was asked for | canary, at most 32 bytes | unused | one word, its state
 *
 * and the program may use what it asked for, no more: so an overflow by one byte meets the canary,
 * or the state. Numbers that stand in cells are enciphered by a secret of the process and by where
 * they stand (mimalloc and glibc do so with links): who can write to a freed cell cannot make
 * malloc give out an address of his choice.
 *
 *  S1  The last word of a cell that was cut says that it is free, or how many bytes it is out for.
 *      It goes from out to free by compare-and-swap: of those who free a cell twice, whoever they
 *      are and whenever they come, one succeeds and the others are told, until it is out again or
 *      its page is gone.
 *  S2  A free cell reads as zeroes but for its first word, if that is a link, and its last. This is
 *      looked at in the first LOOK_MOST bytes when it is given out.
 *  S3  A link is 0 or leads to the start of a free cell (S1): this is looked at each time that one
 *      is followed.
 *  S4  No inlined path comes here: heaps are watched, pages have no reach, and ouro__raw_starts
 *      (raw.h) asks OURO__ASIDE for those of several slices.
 *  S5  A cell in quarantine is free (S1), without a link, and in no list.
 *  S6  Cells that others freed are pushed one by one: a batch would need its second words (F6 of
 *      remote.c), and the state of the smallest cells stands there.
 *
 * The lowest byte of canary and state is not 0 in a cell that is out, so that the NUL that ends a
 * string does not pass. Any other byte passes if it is the one that stood there.
 *
 * Memory order: S1 by the full CAS. Whoever gives the cell out later had it through a list, which
 * orders that after the CAS. */
#include "alloc/harden.h"
#include "alloc/arena.h"
#include "alloc/profile.h"
#include "alloc/text.h"

#define LOOK_MOST ((size_t)4096)

unsigned ouro__harden = 1;
bool ouro__aside;
static uint64_t secret[2];

void ouro__harden_begin(void)
{
    ouro__harden = (unsigned)ouro_option_get(OURO_OPTION_harden);
    if (ouro__harden < 2)
        return;
    ouro__aside = true;
    ouro__os_secret(secret);
    secret[1] |= 1;
}

ouro_word ouro__hard_key(const void *p)
{
    ouro_word key = ((ouro_word)p ^ secret[0]) * secret[1];
    return key ^ key >> 32;
}

/* -- canaries ---------------------------------------------------------------------------------- */

static size_t canary_bytes(const char *from, const char *end)
{
    size_t bytes = (size_t)(end - from);
    return bytes < OURO__CANARY_MOST ? bytes : OURO__CANARY_MOST;
}

void ouro__canary_set(void *p, size_t size, const void *end)
{
    char *from = (char *)p + size;
    memset(from, (int)((ouro__hard_key(p) & 0xff) | 1), canary_bytes(from, end));
}

bool ouro__canary_stands(const void *p, size_t size, const void *end)
{
    const char *from = (const char *)p + size;
    const uint64_t byte = (ouro__hard_key(p) & 0xff) | 1, eight = byte * 0x0101010101010101u;
    size_t n = canary_bytes(from, end), i = 0;
    uint64_t word, other = 0;
    for (; i + sizeof word <= n; i += sizeof word) {
        memcpy(&word, from + i, sizeof word);
        other |= word ^ eight;
    }
    for (; i < n; i++)
        other |= (unsigned char)from[i] ^ byte;
    return other == 0;
}

void ouro__overflowed(const void *p, size_t size)
{
    char room[128];
    struct ouro__text t = {room, sizeof room, 0};
    ouro__text_add(&t, "it was written behind its end: it has ");
    ouro__text_decimal(&t, size);
    ouro__text_add(&t, size == 1 ? " byte" : " bytes");
    ouro__misused(OURO_FAIL_CORRUPT, p, room);
}

/* -- states ------------------------------------------------------------------------------------ */

#define IS_OUT  ((ouro_word)0x6b)
#define IS_FREE ((ouro_word)0x94)

static ouro_word *state_at(const char *cell, size_t bytes)
{
    return (ouro_word *)(void *)(cell + bytes) - 1;
}

/* The size, eight bits that tell what it is, eight more that are never 0 when it is out. */
static ouro_word out_for(const ouro_word *at, size_t size)
{
    ouro_word key = ouro__hard_key(at);
    return (((ouro_word)size << 16 | IS_OUT << 8) ^ (key & ~(ouro_word)0xff)) | (key & 0xff) | 1;
}
static ouro_word free_at(const ouro_word *at)
{
    ouro_word key = ouro__hard_key(at);
    return ((IS_FREE << 8) ^ (key & ~(ouro_word)0xff)) | (key & 0xfe);
}

static bool is_out(const ouro_word *at, ouro_word state, size_t bytes, size_t *size)
{
    ouro_word plain = (state ^ ouro__hard_key(at)) & ~(ouro_word)0xff;
    *size = plain >> 16;
    return *size <= bytes - sizeof *at && state == out_for(at, *size);
}

/* What is wrong with a cell that is neither out nor free cannot be told: its size is lost. */
static OURO_COLD void spoilt(const void *cell, size_t bytes)
{
    char room[128];
    struct ouro__text t = {room, sizeof room, 0};
    ouro__text_add(&t, "it was written behind its end, or before the next one: at most ");
    ouro__text_decimal(&t, bytes - sizeof(ouro_word));
    ouro__text_add(&t, " bytes are its own");
    ouro__misused(OURO_FAIL_CORRUPT, cell, room);
}

static OURO_COLD void used_when_free(const void *cell)
{
    ouro__misused(OURO_FAIL_USE_AFTER_FREE, cell, "it was written after it was freed");
}

/* -- lists ------------------------------------------------------------------------------------- */

static bool is_free_cell(const void *cell)
{
    struct ouro__place place = ouro__place_of(cell);
    if (place.kind != OURO__PAGE_BLOCKS || place.block != cell)
        return false;
    const ouro_word *state = state_at(cell, place.bytes);
    return ouro__load(state) == free_at(state);
}

static OURO_COLD void bad_link(const void *cell)
{
    char room[160];
    struct ouro__text t = {room, sizeof room, 0};
    struct ouro__place place = ouro__place_of(cell);
    ouro__text_add(&t, "corrupted free list: this free block of ");
    ouro__text_decimal(&t, place.bytes);
    ouro__text_add(&t, " bytes was written; its page begins at ");
    ouro__text_hex(&t, (uintptr_t)place.page->start);
    ouro__misused(OURO_FAIL_CORRUPT, cell, room);
}

void *ouro__hard_next(const void *cell)
{
    const ouro_word *at = cell;
    void *next = (void *)(ouro__load(at) ^ ouro__hard_key(at));
    if (OURO_UNLIKELY(next != NULL && !is_free_cell(next))) /* S3 */
        bad_link(cell);
    return next;
}

void ouro__hard_lead(void *cell, const void *next)
{
    ouro_word *at = cell;
    ouro__store(at, (ouro_word)next ^ ouro__hard_key(at));
}

void ouro__hard_push(struct ouro__page *page, void *cell)
{
    ouro__hard_lead(cell, page->pub.free);
    page->pub.free = cell;
    if (OURO_UNLIKELY(--page->pub.countdown == 0))
        ouro__page_notice(&page->pub);
}

void ouro__hard_cut(const struct ouro__page *page, char *first, uint32_t n)
{
    memset(first, 0, (size_t)n * page->bytes); /* others may have had these slices */
    for (uint32_t i = 0; i < n; i++, first += page->bytes) {
        ouro_word *state = state_at(first, page->bytes);
        ouro__store(state, free_at(state));
        ouro__hard_lead(first, i + 1 < n ? first + page->bytes : NULL);
    }
}

/* -- taking ------------------------------------------------------------------------------------ */

/* S2, behind the link. */
static bool is_untouched(const char *cell, size_t bytes)
{
    static const char zeroes[LOOK_MOST];
    size_t n = (bytes < LOOK_MOST ? bytes : LOOK_MOST) - 2 * sizeof(ouro_word);
    return memcmp(cell + sizeof(ouro_word), zeroes, n) == 0;
}

void *ouro__hard_take(struct ouro__heap *heap, size_t size, size_t align)
{
    if (ouro__owns_pages(size, align))
        return ouro__own_take(heap, size, align);
    size_t room = (size + sizeof(ouro_word) + align - 1) & ~(align - 1);
    unsigned cls = ouro__class_of(room);
    char *cell = ouro__class_take(heap, OURO__RAW, cls);
    if (!cell)
        return NULL;
    size_t bytes = ouro__class_size(cls);
    ouro_word *state = state_at(cell, bytes);
    if (OURO_UNLIKELY(ouro__load(state) != free_at(state) || !is_untouched(cell, bytes)))
        used_when_free(cell);
    ouro__store((ouro_word *)(void *)cell, 0);
    ouro__canary_set(cell, size, state);
    ouro__store(state, out_for(state, size));
    return cell;
}

/* -- giving back ------------------------------------------------------------------------------- */

static void cell_free(const struct ouro__place *place, char *cell)
{
    ouro_word *at = state_at(cell, place->bytes), state = ouro__load(at);
    size_t size;
    if (OURO_UNLIKELY(state == free_at(at)))
        ouro__freed_twice(cell);
    else if (OURO_UNLIKELY(!is_out(at, state, place->bytes, &size)))
        spoilt(cell, place->bytes);
    else if (OURO_UNLIKELY(!ouro__canary_stands(cell, size, at)))
        ouro__overflowed(cell, size);
    if (OURO_UNLIKELY(!ouro__cas_full(at, &state, free_at(at)))) /* S1 */
        ouro__freed_twice(cell);
    memset(cell, 0, place->bytes - sizeof *at);
}

static void cell_release(const struct ouro__place *place, char *cell)
{
    struct ouro__heap *mine = ouro__heap_if_any(), *owner = ouro__page_owner(place->page);
    if (OURO_UNLIKELY(ouro__load((ouro_word *)(void *)cell) != 0)) /* S2 */
        used_when_free(cell);
    if (owner == mine)
        ouro__page_free(place->page, cell);
    else
        ouro__remote_free(NULL, owner, cell, place->bytes); /* S6 */
}

void ouro__hard_free(const struct ouro__place *place, void *p)
{
    bool own = place->kind == OURO__PAGE_SPAN;
    size_t bytes = place->bytes;
    if (own)
        bytes = ouro__own_free(place, p);
    else
        cell_free(place, p);
    struct ouro__heap *mine = ouro__harden >= 3 ? ouro__heap_if_any() : NULL;
    bool kept = mine && ouro__quarantine_put(mine, p, bytes);
    if (kept && own)
        ouro__own_shut(place);
    else if (kept)
        return;
    else if (own)
        ouro__own_release(place);
    else
        cell_release(place, p);
}

void ouro__hard_release(void *block)
{
    struct ouro__place place = ouro__place_of(block);
    if (place.kind == OURO__PAGE_SPAN)
        ouro__own_release(&place);
    else
        cell_release(&place, block);
}

/* -- sizes ------------------------------------------------------------------------------------- */

static size_t cell_size(const struct ouro__place *place, const char *cell)
{
    const ouro_word *at = state_at(cell, place->bytes);
    ouro_word state = ouro__load(at);
    size_t size = 0;
    if (OURO_UNLIKELY(state == free_at(at)))
        ouro__misused(OURO_FAIL_USE_AFTER_FREE, cell, "its size was asked for, but it is free");
    else if (OURO_UNLIKELY(!is_out(at, state, place->bytes, &size)))
        spoilt(cell, place->bytes);
    return size;
}

size_t ouro__hard_size(const struct ouro__place *place, const void *p)
{
    return place->kind == OURO__PAGE_SPAN ? ouro__own_size(place, p) : cell_size(place, p);
}

bool ouro__hard_resize(void *p, size_t size)
{
    struct ouro__place place = ouro__place_of(p);
    size_t old = ouro__hard_size(&place, p);
    if (size < old / 2)
        return false;
    if (place.kind == OURO__PAGE_SPAN)
        return ouro__own_resize(&place, p, size);
    ouro_word *at = state_at(p, place.bytes);
    if (OURO_UNLIKELY(!ouro__canary_stands(p, old, at)))
        ouro__overflowed(p, old);
    if (size > place.bytes - sizeof *at)
        return false;
    ouro__canary_set(p, size, at);
    ouro__store(at, out_for(at, size));
    return true;
}
