/* SPDX-License-Identifier: MIT */
/* unregister.c: types that go away.
 *
 * Headers name a type by its number, and free cells keep the header that death left. So before a
 * number can go to another type, nobody may have it any more:
 *   1. no registered type nests one of those that leave but these themselves,
 *   2. no object of them is there: all pages of all runtimes are looked through, and the number is
 *      taken out of the headers of freed objects on the way,
 *   3. the table forgets the number, and the descriptor its registration,
 *   4. who looked while the number was still there has finished (ouro__looks_over): a capture of
 *      another thread may have read the table just before,
 *   5. the number may be used again.
 * Only from 3 on anything has changed that shows. The caller promises that nobody makes such
 * objects meanwhile, so what 2 found stays so. */
#include "alloc/own.h"
#include "alloc/pool.h"
#include "alloc/text.h"
#include "hooks/refops.h"
#include "hooks/registry.h"

#define WHY_SLOTS 8
#define WHY_SIZE  160

/* "type T: " and what follows. With the lock. */
static struct ouro__text about(const struct ouro_type *type)
{
    static char texts[WHY_SLOTS][WHY_SIZE];
    static unsigned turn;
    struct ouro__text text = {texts[turn++ % WHY_SLOTS], WHY_SIZE, 0};
    ouro__text_add(&text, "type ");
    ouro__text_add(&text, type->name != NULL ? type->name : "?");
    ouro__text_add(&text, ": ");
    return text;
}

static const char *say(const struct ouro_type *type, const char *what)
{
    struct ouro__text text = about(type);
    ouro__text_add(&text, what);
    return text.room;
}

static const char *say_alive(const struct ouro_type *type, size_t count)
{
    struct ouro__text text = about(type);
    ouro__text_decimal(&text, count);
    ouro__text_add(&text, count == 1 ? " object is alive" : " objects are alive");
    return text.room;
}

static bool nests(const struct ouro_field *fields, uint32_t count, const struct ouro_type *inner)
{
    bool found = false;
    for (uint32_t i = 0; i < count && !found; i++) {
        const struct ouro_field *field = &fields[i];
        if (field->kind == OURO_FIELD_UNION) {
            for (size_t k = 0; k < field->count && !found; k++)
                found = nests(field->cases[k].fields, field->cases[k].field_count, inner);
        } else {
            found = field->type == inner && field->kind >= OURO_FIELD_VALUE &&
                    field->kind != OURO_FIELD_FILTERED && field->kind != OURO_FIELD_INTERIOR;
        }
    }
    return found;
}

/* Names a type that nests `inner`, where the table has it. With the lock. */
static const char *say_nested(const struct ouro_type *inner)
{
    struct ouro__text text = about(inner);
    const char *name = "another type";
    for (uint32_t id = 1; id < OURO__WIDE_TYPE; id++) {
        const struct ouro_type *type = ouro__type_numbered(id);
        if (type != NULL && type != inner && !(type->state & OURO__TYPE_LEAVING) &&
            nests(type->fields, type->field_count, inner)) {
            name = type->name != NULL ? type->name : "?";
            break;
        }
    }
    ouro__text_add(&text, "it is nested in ");
    ouro__text_add(&text, name);
    return text.room;
}

/* Back to how it was. With the lock. */
static void stay(struct ouro_type *const *types, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ouro__half_store(&types[i]->state, types[i]->state & ~(uint32_t)OURO__TYPE_LEAVING);
        ouro__type_count_users(types[i], 1);
    }
}

/* Step 1, with the lock: they are marked, and what they nest counts them no more. */
static ouro_status mark_leaving(struct ouro_type *const *types, size_t count, const char **why)
{
    for (size_t i = 0; i < count; i++) {
        const struct ouro_type *type = types[i];
        bool known = type != NULL && ouro__type_known(type);
        if (!known || (type->state & OURO__TYPE_LEAVING)) {
            *why = type == NULL ? "no type"
                                : say(type, known ? "it leaves already" : "it is not registered");
            stay(types, i);
            return OURO_BAD_ARGUMENT;
        }
        ouro__half_store(&types[i]->state, type->state | OURO__TYPE_LEAVING);
        ouro__type_count_users(type, -1);
    }
    for (size_t i = 0; i < count; i++) {
        if (types[i]->users == 0)
            continue;
        *why = say_nested(types[i]);
        stay(types, count);
        return OURO_BUSY;
    }
    return OURO_OK;
}

/* Step 2. */
static ouro_status look_for_objects(struct ouro_type *const *types, size_t count, const char **why)
{
    size_t objects = 0;
    const struct ouro_type *type = NULL;
    if (ouro__refops != NULL && ouro__refops->alive != NULL)
        type = ouro__refops->alive(&objects);
    if (type == NULL)
        return OURO_OK;
    ouro__types_lock();
    *why = say_alive(type, objects);
    stay(types, count);
    ouro__types_unlock();
    return OURO_BUSY;
}

/* Steps 3 to 5. */
static void leave(struct ouro_type *const *types, size_t count)
{
    ouro__types_lock();
    for (size_t i = 0; i < count; i++) {
        /* Nothing is published by these: who makes the type known again does so under the lock, and
         * who still looks through the number had it before (step 4: the lock of looks orders the
         * rest). */
        ouro__store((ouro_word *)&types[i]->birth, 0);
        ouro__store((ouro_word *)&types[i]->counts, 0);
        if (types[i]->id < OURO__WIDE_TYPE)
            ouro__type_number(types[i]->id, NULL);
    }
    ouro__types_unlock();
    ouro__looks_over();
    for (size_t i = 0; i < count; i++) {
        ouro__types_lock();
        ouro__type_number_back(types[i]->id);
        void *block = ouro__type_forget(types[i]);
        ouro__types_unlock();
        ouro_free(block);
    }
}

ouro_status ouro_types_unregister(struct ouro_type *const *types, size_t count, const char **why)
{
    const char *reason = NULL;
    ouro_status status = OURO_BAD_ARGUMENT;
    if (types == NULL && count != 0) {
        reason = "no types";
    } else {
        ouro__types_lock();
        status = mark_leaving(types, count, &reason);
        ouro__types_unlock();
    }
    if (status == OURO_OK)
        status = look_for_objects(types, count, &reason);
    if (status == OURO_OK)
        leave(types, count);
    if (why != NULL)
        *why = reason;
    return status;
}

ouro_status ouro_type_unregister(struct ouro_type *type, const char **why)
{
    return ouro_types_unregister(&type, 1, why);
}
