/* SPDX-License-Identifier: MIT */
/* leak.c: live objects by type, without allocating: a fixed table, open addressing by descriptor. */
#include "orc/leak.h"
#include "alloc/heap.h"
#include "alloc/options.h"
#include "alloc/text.h"
#include "orc/state.h"

#define ROWS  1024 /* a power of two */
#define TYPES 512  /* rows used at most */

struct row {
    const struct ouro_type *type;
    size_t count, bytes;
    bool used;
};

static struct {
    ouro__mutex lock;
    struct row rows[ROWS];
    size_t used, count;
} table = {.lock = OURO__MUTEX_INIT};

static struct row *row_of(const struct ouro_type *type)
{
    size_t at = ((uintptr_t)type >> 4) * 0x9E3779B97F4A7C15u >> 54;
    OURO_STATIC_ASSERT(ROWS == 1 << 10, "ten bits");
    while (table.rows[at].used && table.rows[at].type != type)
        at = (at + 1) % ROWS;
    if (!table.rows[at].used && table.used == TYPES) {
        static const struct ouro_type other = {.name = "(other types)"};
        if (type != &other)
            return row_of(&other);
    }
    if (!table.rows[at].used) {
        table.rows[at] = (struct row){type, 0, 0, true};
        table.used++;
    }
    return &table.rows[at];
}

static void count_block(void *object, size_t bytes)
{
    ouro_word b = object ? ouro__load(&ouro__header(object)->shared) : OURO__IMMORTAL;
    if (b & OURO__IMMORTAL)
        return;
    struct row *row = row_of(ouro__type_of(object, b));
    row->count++;
    row->bytes += bytes;
    table.count++;
}

static void count_place(const struct ouro__place *place, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < place->blocks; i++)
        count_block(ouro__object_in(place->block + i * place->bytes), place->bytes);
}

static int by_bytes(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->used != y->used)
        return x->used ? -1 : 1;
    return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

static void settle_pending(void)
{
    struct ouro__thread *me = ouro__self;
    if (!me)
        return;
    ouro__poll_tokens(me);
    ouro__release_some(me, SIZE_MAX);
    ouro_collect(NULL);
}

size_t ouro_list_alive(void (*visit)(const struct ouro_alive *alive, void *arg), void *arg)
{
    if (!ouro__heaps_exist() || ouro__supply()->block)
        return 0;
    settle_pending();
    ouro__lock(&table.lock);
    memset(table.rows, 0, sizeof table.rows);
    table.used = table.count = 0;
    ouro__arena_each(OURO__COUNTED, count_place, NULL);
    qsort(table.rows, ROWS, sizeof table.rows[0], by_bytes);
    for (size_t i = 0; i < table.used; i++) {
        const struct row *row = &table.rows[i];
        struct ouro_alive alive = {row->type ? row->type->name : NULL, row->count, row->bytes};
        visit(&alive, arg);
    }
    size_t count = table.count;
    ouro__unlock(&table.lock);
    return count;
}

static void say_alive(const struct ouro_alive *alive, void *arg)
{
    (void)arg;
    char room[256];
    struct ouro__text t = {room, sizeof room, 0};
    ouro__text_add(&t, "ouro: alive: ");
    ouro__text_decimal(&t, alive->count);
    ouro__text_add(&t, alive->count == 1 ? " object of type " : " objects of type ");
    ouro__text_add(&t, alive->type_name ? alive->type_name : "(no descriptor)");
    ouro__text_add(&t, ", ");
    ouro__text_decimal(&t, alive->bytes);
    ouro__text_add(&t, " bytes\n");
    ouro__os_say(room, t.len);
}

size_t ouro_report_leaks(void)
{
    return ouro_list_alive(say_alive, NULL);
}

static void at_exit(void)
{
    int64_t wanted = ouro_option_get(OURO_OPTION_leaks);
    if (wanted > 0 || (wanted < 0 && OURO_CHECKED))
        ouro_report_leaks();
}

void ouro__leaks_at_exit(void)
{
    static ouro_word once;
    ouro_word was = 0;
    if (ouro__load(&once) == 0 && ouro__cas_full(&once, &was, 1))
        ouro__os_at_exit(at_exit);
}
