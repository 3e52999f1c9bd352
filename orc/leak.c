/* SPDX-License-Identifier: MIT */
/* leak.c: live objects by type, without allocating: a fixed table, open addressing by descriptor,
 * or by size where there is none.
 *
 * At the program's end other threads may still run: then blocks may change their use while they are
 * looked at. So a distance or a type that is read from a block is believed only if it must be
 * right: a number below OURO__WIDE_TYPE is looked up in the table of types; the address of a wide
 * type is not followed unless the process has a single thread. */
#include "orc/leak.h"
#include "alloc/heap.h"
#include "alloc/options.h"
#include "alloc/runtime.h"
#include "alloc/text.h"
#include "orc/index.h"
#include "orc/site.h"

#define ROWS  1024 /* a power of two */
#define TYPES 512  /* rows used at most */

struct row {
    const struct ouro_type *type;
    size_t size;      /* of each block, if there is no type */
    const void *site; /* where it was born then */
    size_t count, bytes, foreign;
};

static struct {
    ouro__mutex lock;
    struct row rows[ROWS]; /* count 0: unused */
    size_t used, count;
    bool alone;
    ouro_word lister; /* the address of its thread's tokens */
} table = {.lock = OURO__MUTEX_INIT};

static const struct ouro_type other_types = {.name = "(other types)"};

static struct row *row_of(const struct ouro_type *type, size_t size, const void *site)
{
    uintptr_t key = type ? (uintptr_t)type : (uintptr_t)size ^ (uintptr_t)site;
    size_t at = (key >> 4) * 0x9E3779B97F4A7C15u >> 54;
    OURO_STATIC_ASSERT(ROWS == 1 << 10, "ten bits");
    while (table.rows[at].count && (table.rows[at].type != type || table.rows[at].size != size ||
                                    table.rows[at].site != site))
        at = (at + 1) % ROWS;
    if (table.rows[at].count)
        return &table.rows[at];
    if (table.used >= TYPES && type != &other_types)
        return row_of(&other_types, 0, NULL);
    table.rows[at] = (struct row){type, size, site, 0, 0, 0};
    table.used++;
    return &table.rows[at];
}

OURO_READS_RACY static void count_block(char *block, size_t bytes)
{
    void *object = ouro__object_within(block, bytes);
    ouro_word b = object ? ouro__load(&ouro__header(object)->shared) : OURO__IMMORTAL;
    if (b & OURO__IMMORTAL)
        return;
    bool wide = (b >> OURO__TYPE_SHIFT & 0xFFFF) == OURO__WIDE_TYPE;
    const struct ouro_type *type = wide && !table.alone ? &other_types : ouro__type_of(object, b);
    if (ouro__is_carrier(type) || (type && type->name == ouro__nameless))
        type = NULL;
    struct row *row = row_of(type, type ? 0 : bytes, type ? NULL : ouro__site_of(object));
    row->count++;
    row->bytes += bytes;
    row->foreign += b & OURO__WEAK ? ouro__foreign_of(object) : 0;
    table.count++;
}

static void count_place(const struct ouro__place *place, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < place->blocks; i++)
        count_block(place->block + i * place->bytes, place->bytes);
}

static void settle_pending(void)
{
    struct ouro__thread *me = ouro__self;
    if (!me)
        return;
    ouro__poll_tokens(me);
    ouro__release_noted(me, SIZE_MAX);
    ouro_collect(NULL);
}

/* The row with the most bytes that was not taken yet, or NULL. A sort would want memory. */
static struct row *take_largest(void)
{
    struct row *largest = NULL;
    for (size_t i = 0; i < ROWS; i++) {
        struct row *row = &table.rows[i];
        if (row->count && (!largest || row->bytes > largest->bytes))
            largest = row;
    }
    return largest;
}

size_t ouro_list_alive(void (*visit)(const struct ouro_alive *alive, void *arg), void *arg)
{
    if (!ouro__heaps_exist() || ouro__supply()->block ||
        ouro__load(&table.lister) == (ouro_word)&ouro__context)
        return 0;
    settle_pending();
    ouro__lock(&table.lock);
    ouro__store(&table.lister, (ouro_word)&ouro__context);
    memset(table.rows, 0, sizeof table.rows);
    table.used = table.count = 0;
    table.alone = ouro__os_threads() == 1;
    ouro__arena_each(OURO__COUNTED, count_place, NULL);
    for (struct row *row; (row = take_largest()) != NULL; row->count = 0) {
        struct ouro_alive alive = {row->type ? row->type->name : NULL,
                                   row->count,
                                   row->bytes,
                                   row->size,
                                   row->foreign,
                                   row->site};
        visit(&alive, arg);
    }
    size_t count = table.count;
    ouro__store(&table.lister, 0);
    ouro__unlock(&table.lock);
    return count;
}

void ouro__leaks_in_child(void)
{
    if (ouro__load(&table.lister) == (ouro_word)&ouro__context)
        return; /* it forked from inside `visit` */
    ouro__mutex_reset(&table.lock);
    ouro__store(&table.lister, 0);
}

/* As addr2line -e PROGRAM takes it; of the call, not of where it returns to. */
static void say_site(struct ouro__text *t, const void *site)
{
    uintptr_t offset;
    const char *module = ouro__os_module_of((const char *)site - 1, &offset);
    ouro__text_add(t, ", born at ");
    ouro__text_add(t, *module ? module : "the program's");
    ouro__text_add(t, *module ? "+" : " ");
    ouro__text_hex(t, offset);
}

static void say_alive(const struct ouro_alive *alive, void *arg)
{
    (void)arg;
    char room[256];
    struct ouro__text t = {room, sizeof room, 0};
    ouro__text_add(&t, "ouro: alive: ");
    ouro__text_decimal(&t, alive->count);
    ouro__text_add(&t, alive->count == 1 ? " object of " : " objects of ");
    if (alive->type_name) {
        ouro__text_add(&t, "type ");
        ouro__text_add(&t, alive->type_name);
    } else {
        ouro__text_decimal(&t, alive->size);
        ouro__text_add(&t, " bytes without a type");
        if (alive->site) {
            say_site(&t, alive->site);
        }
    }
    ouro__text_add(&t, ", ");
    ouro__text_decimal(&t, alive->bytes);
    ouro__text_add(&t, " bytes");
    if (alive->foreign) {
        ouro__text_add(&t, ", and ");
        ouro__text_decimal(&t, alive->foreign);
        ouro__text_add(&t, " foreign bytes");
    }
    ouro__text_end(&t, "\n");
    ouro__os_say(room, t.len);
}

static void say_foreign(void)
{
    char room[80];
    struct ouro__text t = {room, sizeof room, 0};
    if (ouro__foreign_bytes() == 0)
        return;
    ouro__text_add(&t, "ouro: foreign: ");
    ouro__text_decimal(&t, ouro__foreign_bytes());
    ouro__text_end(&t, " bytes\n");
    ouro__os_say(room, t.len);
}

size_t ouro_report_leaks(void)
{
    size_t count = ouro_list_alive(say_alive, NULL);
    ouro__handles_report();
    say_foreign();
    return count;
}

/* -- at the program's end ---------------------------------------------------------------------- */

static ouro_word used; /* some thread touched counted objects */

void ouro__leaks_at_exit(void)
{
    ouro__store(&used, 1);
}

OURO__OS_AT_EXIT static void at_exit(void)
{
    ouro__leave_entered(); /* exit was called in a runtime, or a region */
    int64_t wanted = ouro__load(&used) ? ouro_option_get(OURO_OPTION_leaks) : 0;
    if (wanted == 0 || (wanted < 0 && !OURO_CHECKED))
        return;
    if (wanted > 0 && ouro__supply()->block) {
        ouro__warn("what is alive is not listed: every block came from the supply ",
                   ouro__supply()->name);
        return;
    }
    if (OURO_CHECKED && ouro__os_threads() == 1)
        ouro_check_heap();
    ouro_report_leaks();
}
