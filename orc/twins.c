/* SPDX-License-Identifier: MIT */
/* twins.c: the inline functions of orc, exported. Those without a mode in their names are of the
 * default one. */
#include "alloc/twin.h"
#include "orc/bare.h"
#include "orc/context.h"
#include "orc/literal.h"
#include "orc/frame.h"

#define COUNT(name)                                                                                \
    OURO__TWIN(void, name, (void *object), (object))                                               \
    OURO__TWIN(void, name##_local, (void *object), (object))                                       \
    OURO__TWIN(void, name##_atomic, (void *object), (object))                                      \
    OURO__TWIN(void, name##_biased, (void *object), (object))
COUNT(incref)
COUNT(decref)
COUNT(decref_acyclic)

#define ONE_COUNT_IN(name)                                                                         \
    OURO__TWIN(void, name, (struct ouro_context * context, void *object), (context, object))
#define COUNT_IN(name)                                                                             \
    ONE_COUNT_IN(name)                                                                             \
    ONE_COUNT_IN(name##_local)                                                                     \
    ONE_COUNT_IN(name##_atomic)                                                                    \
    ONE_COUNT_IN(name##_biased)
COUNT_IN(incref_in)
COUNT_IN(decref_in)
COUNT_IN(decref_acyclic_in)

#define ONE_BIRTH(name)                                                                            \
    OURO__TWIN(void *, name, (struct ouro_type * type, size_t size), (type, size))
#define BIRTH(name)                                                                                \
    ONE_BIRTH(name)                                                                                \
    ONE_BIRTH(name##_local)                                                                        \
    ONE_BIRTH(name##_atomic)                                                                       \
    ONE_BIRTH(name##_biased)
BIRTH(new)
BIRTH(new_uninit)
BIRTH(new_tail)
BIRTH(new_tail_uninit)

#define ONE_BIRTH_IN(name)                                                                         \
    OURO__TWIN(void *, name,                                                                       \
               (struct ouro_context * context, struct ouro_type * type, size_t size),              \
               (context, type, size))
#define BIRTH_IN(name)                                                                             \
    ONE_BIRTH_IN(name)                                                                             \
    ONE_BIRTH_IN(name##_local)                                                                     \
    ONE_BIRTH_IN(name##_atomic)                                                                    \
    ONE_BIRTH_IN(name##_biased)
BIRTH_IN(new_in)
BIRTH_IN(new_uninit_in)

OURO__TWIN(void, slot_init, (void *container, void **slot, void *value), (container, slot, value))
OURO__TWIN(void *, slot_exchange, (void *container, void **slot, void *value),
           (container, slot, value))
OURO__TWIN(void, slot_store, (void *container, void **slot, void *value), (container, slot, value))
OURO__TWIN(void *, slot_move, (void *container, void **slot), (container, slot))
OURO__TWIN(void, slot_copy, (void *container, void **slot, void *value), (container, slot, value))

OURO__TWIN(void *, slot_exchange_in,
           (struct ouro_context * context, void *container, void **slot, void *value),
           (context, container, slot, value))
OURO__TWIN(void, slot_store_in,
           (struct ouro_context * context, void *container, void **slot, void *value),
           (context, container, slot, value))
OURO__TWIN(void *, slot_move_in, (struct ouro_context * context, void *container, void **slot),
           (context, container, slot))
OURO__TWIN(void, slot_copy_in,
           (struct ouro_context * context, void *container, void **slot, void *value),
           (context, container, slot, value))

#define WORD_SLOT uint64_t *slot, uint64_t word, const struct ouro_filter *filter
OURO__TWIN(uint64_t, slot_exchange_word, (void *container, WORD_SLOT),
           (container, slot, word, filter))
OURO__TWIN(void, slot_store_word, (void *container, WORD_SLOT), (container, slot, word, filter))
OURO__TWIN(uint64_t, slot_move_word,
           (void *container, uint64_t *slot, const struct ouro_filter *filter),
           (container, slot, filter))
OURO__TWIN(void, slot_copy_word, (void *container, WORD_SLOT), (container, slot, word, filter))

#define IN_CONTAINER struct ouro_context *context, void *container
OURO__TWIN(uint64_t, slot_exchange_word_in, (IN_CONTAINER, WORD_SLOT),
           (context, container, slot, word, filter))
OURO__TWIN(void, slot_store_word_in, (IN_CONTAINER, WORD_SLOT),
           (context, container, slot, word, filter))
OURO__TWIN(uint64_t, slot_move_word_in,
           (IN_CONTAINER, uint64_t *slot, const struct ouro_filter *filter),
           (context, container, slot, filter))
OURO__TWIN(void, slot_copy_word_in, (IN_CONTAINER, WORD_SLOT),
           (context, container, slot, word, filter))

OURO__TWIN(void *, new_bare, (size_t size, size_t align), (size, align))
OURO__TWIN(void *, new_bare_uninit, (size_t size, size_t align), (size, align))
OURO__TWIN(bool, decref_is_last, (void *object), (object))
OURO__TWIN(bool, decref_is_last_of, (void *object, struct ouro_type *type), (object, type))
OURO__TWIN(void, dispose, (void *object, size_t align), (object, align))

OURO__TWIN(ouro_interior, interior_of, (void *object, void *at), (object, at))

OURO__TWIN(ouro_reuse, take_reuse, (void *object, const struct ouro_type *type), (object, type))
OURO__TWIN(void *, new_reuse, (ouro_reuse token, struct ouro_type *type, size_t size),
           (token, type, size))
OURO__TWIN(ouro_reuse, take_reuse_in,
           (struct ouro_context * context, void *object, const struct ouro_type *type),
           (context, object, type))
OURO__TWIN(void *, new_reuse_in,
           (struct ouro_context * context, ouro_reuse token, struct ouro_type *type, size_t size),
           (context, token, type, size))
OURO__TWIN(ouro_string, string_of_literal, (const struct ouro_payload *payload, size_t len),
           (payload, len))

OURO__TWIN(struct ouro_frame, frame_begin, (void), ())
OURO__TWIN(ouro_status, frame_own, (void *object), (object))
OURO__TWIN(void *, frame_exchange, (struct ouro_frame frame, size_t i, void *object),
           (frame, i, object))
OURO__TWIN(void, frame_end, (struct ouro_frame frame), (frame))
OURO__TWIN(void, frame_cancel, (struct ouro_frame frame), (frame))
