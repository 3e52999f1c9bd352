/* SPDX-License-Identifier: MIT */
/* registry.c: registration of type descriptors.
 *
 * A registration takes up the type and all types nested in it (but not what references point to)
 * and registers all of them or none, under one lock:
 *   1. check every descriptor; the first that is refused ends it, and all are as before,
 *   2. work out the states,
 *   3. give out numbers and publish.
 * The block for their tables (tables.c) is taken before, without the lock, because the memory
 * callback may drop objects and so come back here; if it proves too small, all is done again. */
#include "alloc/own.h"
#include "alloc/pool.h"
#include "alloc/runtime.h"
#include "alloc/valgrind.h"
#include "hooks/check.h"
#include "hooks/tables.h"

const struct ouro_type *ouro__types[OURO__WIDE_TYPE];

/* Numbers, under the lock: fresh ones first, so that one that was used is used again as late as can
 * be; then in the order in which they came back. */
static uint32_t last_id;
static uint16_t back[OURO__WIDE_TYPE];
static uint32_t back_head, back_tail;

static uint32_t number_take(void)
{
    if (last_id + 1 < OURO__WIDE_TYPE || back_head == back_tail)
        return ++last_id;
    return back[back_tail++ % OURO__WIDE_TYPE];
}

void ouro__type_number_back(uint32_t id)
{
    if (id < OURO__WIDE_TYPE) /* at most as many as there are: none is overwritten */
        back[back_head++ % OURO__WIDE_TYPE] = (uint16_t)id;
}

static ouro__mutex registration = OURO__MUTEX_INIT;

void ouro__types_lock(void)
{
    ouro__lock_unless(ouro__own.types_forks, &registration);
}

void ouro__types_unlock(void)
{
    ouro__unlock_unless(ouro__own.types_forks, &registration);
}

void ouro__types_before_fork(void)
{
    ouro__lock_for_fork(&ouro__own.types_forks, &registration);
}

void ouro__types_after_fork(bool child)
{
    ouro__unlock_after_fork(&ouro__own.types_forks, &registration, child);
}

/* Undoes all that the steps wrote into descriptors. */
static void put_back(struct ouro__registration *r)
{
    for (struct ouro_type *type = r->first, *next; type != NULL; type = next) {
        next = ouro__next_type(type);
        type->refs = NULL;
        type->state = 0;
    }
}

static size_t bytes_needed(const struct ouro__registration *r)
{
    size_t n = 0;
    for (const struct ouro_type *type = r->first; type != NULL; type = ouro__next_type(type))
        n += ouro__tables_bytes(type);
    return n;
}

static void count_users(const struct ouro_type *type, const struct ouro_field *fields,
                        uint32_t count, int by)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct ouro_field *field = &fields[i];
        switch (field->kind) {
        case OURO_FIELD_VALUE:
        case OURO_FIELD_ARRAY:
        case OURO_FIELD_SEQ:
        case OURO_FIELD_OPTION:
        case OURO_FIELD_TAIL:
            if (field->type != type)
                field->type->users += (uint32_t)by;
            break;
        case OURO_FIELD_UNION:
            for (size_t k = 0; k < field->count; k++)
                count_users(type, field->cases[k].fields, field->cases[k].field_count, by);
            break;
        default:
            break;
        }
    }
}

void ouro__type_count_users(const struct ouro_type *type, int by)
{
    count_users(type, type->fields, type->field_count, by);
}

static void publish(struct ouro_type *type)
{
    bool cyclic = (type->state & OURO__TYPE_TRACED) && !(type->flags & OURO_ACYCLIC);
    ouro__tool_words(type, offsetof(struct ouro_type, flags));
    type->id = number_take();
    ouro__type_count_users(type, 1);
    if (type->id < OURO__WIDE_TYPE)
        ouro__type_number(type->id, type);
    if (type->id >= OURO__WIDE_TYPE || OURO_CHECKED) /* words before the header */
        type->state |= OURO__TYPE_ALIGNED;
    bool inlined = !(type->state & OURO__TYPE_ALIGNED) && !(type->flags & OURO_PROMPT);
    /* Release, both: pair with the acquire in ouro__type_known and with that of inlined births,
     * which load `birth` first: who finds it set finds all of the rest. */
    ouro__store_release((ouro_word *)&type->counts, 1 | (cyclic ? 0 : (uint64_t)UINT32_MAX << 32));
    if (inlined)
        ouro__store_release((ouro_word *)&type->birth, (uint64_t)type->id << OURO__TYPE_SHIFT);
}

static void publish_all(struct ouro__registration *r, char *tables)
{
    size_t used = 0;
    void *first = NULL;
    for (struct ouro_type *type = r->first, *next; type != NULL; type = next) {
        next = ouro__next_type(type);
        used += ouro__tables_make(type, tables, used, &first);
        publish(type);
    }
}

/* One try with *bytes of room at `tables`. OURO_BUSY: *bytes are needed. */
static ouro_status try_register(struct ouro_type *type, char *tables, size_t *bytes,
                                const char **why)
{
    struct ouro__registration r = {NULL, NULL, NULL};
    ouro__take_up(&r, type);
    if (r.first == NULL) {
        *bytes = 0;
        return OURO_OK;
    }
    ouro_status status = ouro__check_types(&r);
    if (status == OURO_OK) {
        ouro__work_out_states(&r);
        size_t room = *bytes;
        *bytes = bytes_needed(&r); /* far below 4 GiB: descriptors are larger */
        if (*bytes <= room) {
            publish_all(&r, tables);
            return OURO_OK;
        }
        status = OURO_BUSY;
    }
    put_back(&r);
    *why = r.why;
    return status;
}

/* Registers, with as much memory for tables as proves to be needed; *why only if refused. */
static ouro_status register_all(struct ouro_type *type, const char **why)
{
    char *tables = NULL;
    size_t room = 0, used = 0;
    ouro_status status;
    for (;;) {
        ouro__types_lock();
        used = room;
        status = try_register(type, tables, &used, why);
        ouro__types_unlock();
        if (status != OURO_BUSY)
            break;
        ouro_free(tables);
        room = used;
        tables = ouro_malloc(room);
        if (tables == NULL) {
            status = OURO_NO_MEMORY;
            *why = "no memory";
            break;
        }
    }
    if (status != OURO_OK || used == 0)
        ouro_free(tables);
    return status;
}

/* The same in the default runtime: descriptors outlast all others. */
static ouro_status register_for_all(struct ouro_type *type, const char **why)
{
    struct ouro_runtime *all = ouro_runtime_default();
    if (OURO_LIKELY(ouro_runtime_current() == all))
        return register_all(type, why);
    *why = "no memory";
    ouro_status status = ouro_runtime_enter(all);
    if (status == OURO_OK) {
        status = register_all(type, why);
        ouro_runtime_leave(all);
    }
    return status;
}

ouro_status ouro_type_register(struct ouro_type *type, const char **why)
{
    const char *reason = "no type";
    ouro_status status = type != NULL ? register_for_all(type, &reason) : OURO_BAD_ARGUMENT;
    if (why != NULL)
        *why = status != OURO_OK ? reason : NULL;
    return status;
}

ouro_status ouro__type_register_now(const struct ouro_type *type)
{
    /* Descriptors are variables whose first part is ours to write (type.h). */
    return ouro_type_register((struct ouro_type *)(uintptr_t)type, NULL);
}

uint32_t ouro__type_state_now(const struct ouro_type *type)
{
    switch (ouro__type_register_now(type)) {
    case OURO_OK:
        return type->state;
    case OURO_BAD_TYPE:
        return OURO__TYPE_PLAIN | OURO__TYPE_FLAT | OURO__TYPE_SLOTS;
    default:
        return OURO__TYPE_TRACED | OURO__TYPE_DESTROY | OURO__TYPE_HOOKED | OURO__TYPE_SINKS |
               OURO__TYPE_LINKS | OURO__TYPE_TAGGED | OURO__TYPE_DEEP;
    }
}

void ouro__type_set_state(struct ouro_type *type, uint32_t bits)
{
    ouro__types_lock();
    if (~type->state & bits) /* stored once: who has an object of it reads it plainly */
        ouro__half_store(&type->state, type->state | bits);
    ouro__types_unlock();
}
