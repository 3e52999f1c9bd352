/* SPDX-License-Identifier: MIT */
/* values.c: objects whose size is known only when they are born, and what a type says of an object.
 */
#include "alloc/fail.h"
#include "hooks/walk.h"
#include "orc/object.h"

/* Writes the counter of a tail; false: it cannot tell that many. */
static bool write_counter(void *object, const struct ouro_field *tail, size_t count)
{
    uint64_t most = tail->tag_size == 8 ? INT64_MAX : ((uint64_t)1 << (8 * tail->tag_size - 1)) - 1;
    uint64_t value = count;
    if (count > most)
        return false;
    if (object)
        memcpy((char *)object + tail->tag_offset, &value, tail->tag_size); /* low bytes first */
    return true;
}

void *ouro__new_tail(struct ouro_type *type, size_t count, unsigned mode)
{
    size_t bytes;
    const struct ouro_field *last =
        type->field_count != 0 ? &type->fields[type->field_count - 1] : NULL;
    if (OURO_UNLIKELY(!last || last->kind != OURO_FIELD_TAIL || !last->type))
        ouro_fail(OURO_FAIL_MISUSE, NULL, type->name, "born with a tail, but its type has none");
    if (OURO_UNLIKELY(!write_counter(NULL, last, count)))
        ouro_fail(OURO_FAIL_MISUSE, NULL, type->name,
                  "born with a longer tail than its counter can tell");
    if (__builtin_mul_overflow(count, last->type->size, &bytes) ||
        __builtin_add_overflow(bytes, last->offset, &bytes))
        return NULL;
    void *object = ouro__new(type, bytes > type->size ? bytes : type->size, mode);
    if (object)
        (void)write_counter(object, last, count);
    return object;
}

bool ouro_is_a(const void *object, const struct ouro_type *type)
{
    const struct ouro_type *own = ouro_type_of(object);
    return own && ouro_is_subtype(own, type);
}

size_t ouro_object_size(const void *object)
{
    const struct ouro_type *type = ouro_type_of(object);
    return type ? ouro__value_size(object, type) : 0;
}
