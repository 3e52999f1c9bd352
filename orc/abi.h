/* SPDX-License-Identifier: MIT */
/* abi.h: offsets, shifts and sizes for code that does not come from these headers: code generators,
 * JITs, other languages. What to do with them: docs/abi.md, where the fast paths are numbered.
 *
 * The same list is in share/ouro/abi.json and is what ouro_abi_json writes. All of it, and the
 * paths, belong to the number OURO_ABI: whatever of it changes in a released library, the number
 * changes, and programs of another are refused (alloc/platform.h). Offsets are in bytes; those
 * named OBJECT_ count from the object, into the header before it. */
#ifndef OURO_ORC_ABI_H
#define OURO_ORC_ABI_H

#include "hooks/value.h"
#include "orc/object.h"

OURO_EXTERN_C_BEGIN

#define OURO__ABI_BEFORE(member)                                                                   \
    ((int)offsetof(struct ouro_header, member) - (int)sizeof(struct ouro_header))

/* The header, and the fields of its words. */
#define OURO__ABI_OBJECTS(X)                                                                       \
    X(HEADER_SIZE, sizeof(struct ouro_header))                                                     \
    X(OBJECT_LOCAL, OURO__ABI_BEFORE(local))                                                       \
    X(OBJECT_VISITED, OURO__ABI_BEFORE(visited))                                                   \
    X(OBJECT_SHARED, OURO__ABI_BEFORE(shared))                                                     \
    X(LOCAL_OWNER_BITS, 16)                                                                        \
    X(LOCAL_COUNT_SHIFT, OURO__ABI_BIT(OURO__LOCAL_UNIT))                                          \
    X(LOCAL_OUT_BIT, OURO__ABI_BIT(OURO__LOCAL_OUT))                                               \
    X(LOCAL_AWAY_SHIFT, OURO__ABI_BIT(OURO__LOCAL_AWAY))                                           \
    X(VISITED_NONE, 0)                                                                             \
    X(VISITED_ACYCLIC, (int32_t)OURO__ACYCLIC)                                                     \
    X(SHARED_OWNER_BITS, 16)                                                                       \
    X(SHARED_TYPE_SHIFT, 16)                                                                       \
    X(SHARED_TYPE_BITS, 16)                                                                        \
    X(SHARED_MERGED_BIT, OURO__ABI_BIT(OURO__MERGED))                                              \
    X(SHARED_QUEUED_BIT, OURO__ABI_BIT(OURO__QUEUED))                                              \
    X(SHARED_WEAK_BIT, OURO__ABI_BIT(OURO__WEAK))                                                  \
    X(SHARED_IMMORTAL_BIT, OURO__ABI_BIT(OURO__IMMORTAL))                                          \
    X(SHARED_TOUCHED_BIT, OURO__ABI_BIT(OURO__TOUCHED))                                            \
    X(SHARED_STORING_BIT, OURO__ABI_BIT(OURO__STORING))                                            \
    X(SHARED_COUNT_SHIFT, OURO__COUNT_SHIFT)                                                       \
    X(SHARED_COUNT_LIMIT, OURO__COUNT_LIMIT)                                                       \
    X(FIRST_TOKEN, OURO__FIRST_TOKEN)                                                              \
    X(NO_TOKEN, OURO__NO_TOKEN)
#define OURO__ABI_BIT(mask) __builtin_ctzll(mask)

/* The thread's context, its heap, and pages. */
#define OURO__ABI_THREADS(X)                                                                       \
    X(CONTEXT_SIZE, sizeof(struct ouro_context))                                                   \
    X(CONTEXT_HEAP, offsetof(struct ouro_context, heap))                                           \
    X(CONTEXT_COUNTS, offsetof(struct ouro_context, counts))                                       \
    X(CONTEXT_SLOTS, offsetof(struct ouro_context, slots))                                         \
    X(HEAP_WATCHED, offsetof(struct ouro_heap, watched))                                           \
    X(HEAP_MARK, offsetof(struct ouro_heap, mark))                                                 \
    X(HEAP_BORN, offsetof(struct ouro_heap, born))                                                 \
    X(HEAP_READY_RAW, offsetof(struct ouro_heap, ready[OURO__RAW]))                                \
    X(HEAP_READY_COUNTED, offsetof(struct ouro_heap, ready[OURO__COUNTED]))                        \
    X(TAG_RAW, OURO__RAW)                                                                          \
    X(TAG_COUNTED, OURO__COUNTED)                                                                  \
    X(CLASSES, OURO__CLASSES)                                                                      \
    X(SMALL_MAX_SIZE, OURO__SMALL_MAX_SIZE)                                                        \
    X(COUNTED_MIN_SIZE, 32)                                                                        \
    X(CHUNK_SHIFT, OURO__CHUNK_SHIFT)                                                              \
    X(SLICE_SHIFT, OURO__SLICE_SHIFT)                                                              \
    X(PAGE_SHIFT, OURO__PAGE_SHIFT)                                                                \
    X(PAGE_OWNER, offsetof(struct ouro_page, owner))                                               \
    X(PAGE_FREE, offsetof(struct ouro_page, free))                                                 \
    X(PAGE_COUNTDOWN, offsetof(struct ouro_page, countdown))                                       \
    X(BORN_BIASED, OURO__BORN_BIASED)                                                              \
    X(BORN_ATOMIC, OURO__BORN_ATOMIC)                                                              \
    X(BORN_ZEROED, OURO__BORN_ZEROED)                                                              \
    X(BORN_LOCAL_MODE, OURO__BORN_LOCAL_MODE)

/* Descriptors, which a code generator emits as data. */
#define OURO__ABI_TYPES(X)                                                                         \
    X(TYPE_SIZEOF, sizeof(struct ouro_type))                                                       \
    X(TYPE_BIRTH, offsetof(struct ouro_type, birth))                                               \
    X(TYPE_COUNTS, offsetof(struct ouro_type, counts))                                             \
    X(TYPE_DEPTH, offsetof(struct ouro_type, depth))                                               \
    X(TYPE_DISPLAY, offsetof(struct ouro_type, display))                                           \
    X(TYPE_FLAGS, offsetof(struct ouro_type, flags))                                               \
    X(TYPE_SIZE, offsetof(struct ouro_type, size))                                                 \
    X(TYPE_ALIGN, offsetof(struct ouro_type, align))                                               \
    X(TYPE_NAME, offsetof(struct ouro_type, name))                                                 \
    X(TYPE_FIELDS, offsetof(struct ouro_type, fields))                                             \
    X(TYPE_FIELD_COUNT, offsetof(struct ouro_type, field_count))                                   \
    X(TYPE_DESTROY, offsetof(struct ouro_type, hooks.destroy))                                     \
    X(TYPE_WAS_MOVED, offsetof(struct ouro_type, hooks.was_moved))                                 \
    X(TYPE_SINK, offsetof(struct ouro_type, hooks.sink))                                           \
    X(TYPE_COPY, offsetof(struct ouro_type, hooks.copy))                                           \
    X(TYPE_DUP, offsetof(struct ouro_type, hooks.dup))                                             \
    X(TYPE_TRACE, offsetof(struct ouro_type, hooks.trace))                                         \
    X(TYPE_DEEPCOPY, offsetof(struct ouro_type, hooks.deepcopy))                                   \
    X(TYPE_USER, offsetof(struct ouro_type, user))                                                 \
    X(TYPE_BASE, offsetof(struct ouro_type, base))                                                 \
    X(FLAG_ACYCLIC, OURO_ACYCLIC)                                                                  \
    X(FLAG_PROMPT, OURO_PROMPT)                                                                    \
    X(FLAG_IMMUTABLE, OURO_IMMUTABLE)                                                              \
    X(FLAG_SHARED, OURO_SHARED)                                                                    \
    X(FLAG_EXACT, OURO_EXACT)

/* Fields of descriptors, and the values that they describe. */
#define OURO__ABI_FIELDS(X)                                                                        \
    X(FIELD_SIZEOF, sizeof(struct ouro_field))                                                     \
    X(FIELD_NAME, offsetof(struct ouro_field, name))                                               \
    X(FIELD_KIND, offsetof(struct ouro_field, kind))                                               \
    X(FIELD_TAG_SIZE, offsetof(struct ouro_field, tag_size))                                       \
    X(FIELD_OFFSET, offsetof(struct ouro_field, offset))                                           \
    X(FIELD_COUNT, offsetof(struct ouro_field, count))                                             \
    X(FIELD_TAG_OFFSET, offsetof(struct ouro_field, tag_offset))                                   \
    X(FIELD_TYPE, offsetof(struct ouro_field, type))                                               \
    X(FIELD_CASES, offsetof(struct ouro_field, cases))                                             \
    X(FIELD_FILTER, offsetof(struct ouro_field, filter))                                           \
    X(FIELD_CLOSED, offsetof(struct ouro_field, closed))                                           \
    X(CASE_SIZEOF, sizeof(struct ouro_case))                                                       \
    X(CASE_NAME, offsetof(struct ouro_case, name))                                                 \
    X(CASE_FIRST, offsetof(struct ouro_case, first))                                               \
    X(CASE_LAST, offsetof(struct ouro_case, last))                                                 \
    X(CASE_FIELDS, offsetof(struct ouro_case, fields))                                             \
    X(CASE_FIELD_COUNT, offsetof(struct ouro_case, field_count))                                   \
    X(KIND_REF, OURO_FIELD_REF)                                                                    \
    X(KIND_WEAK, OURO_FIELD_WEAK)                                                                  \
    X(KIND_BORROW, OURO_FIELD_BORROW)                                                              \
    X(KIND_VALUE, OURO_FIELD_VALUE)                                                                \
    X(KIND_ARRAY, OURO_FIELD_ARRAY)                                                                \
    X(KIND_SEQ, OURO_FIELD_SEQ)                                                                    \
    X(KIND_STRING, OURO_FIELD_STRING)                                                              \
    X(KIND_OPTION, OURO_FIELD_OPTION)                                                              \
    X(KIND_UNION, OURO_FIELD_UNION)                                                                \
    X(KIND_FILTERED, OURO_FIELD_FILTERED)                                                          \
    X(KIND_CLOSURE, OURO_FIELD_CLOSURE)                                                            \
    X(KIND_INTERIOR, OURO_FIELD_INTERIOR)                                                          \
    X(KIND_TAIL, OURO_FIELD_TAIL)                                                                  \
    X(SEQ_SIZEOF, sizeof(ouro_seq))                                                                \
    X(SEQ_LEN, offsetof(ouro_seq, len))                                                            \
    X(SEQ_PAYLOAD, offsetof(ouro_seq, payload))                                                    \
    X(STRING_SIZEOF, sizeof(ouro_string))                                                          \
    X(STRING_LEN, offsetof(ouro_string, len))                                                      \
    X(STRING_PAYLOAD, offsetof(ouro_string, payload))                                              \
    X(PAYLOAD_SIZEOF, sizeof(struct ouro_payload))                                                 \
    X(PAYLOAD_CAPACITY, offsetof(struct ouro_payload, capacity))                                   \
    X(PAYLOAD_RESERVED, offsetof(struct ouro_payload, reserved))                                   \
    X(PAYLOAD_LITERAL, OURO__PAYLOAD_LITERAL)                                                      \
    X(CLOSURE_SIZEOF, sizeof(ouro_closure))                                                        \
    X(CLOSURE_CODE, offsetof(ouro_closure, code))                                                  \
    X(CLOSURE_ENV, offsetof(ouro_closure, env))                                                    \
    X(INTERIOR_SIZEOF, sizeof(ouro_interior))                                                      \
    X(INTERIOR_AT, offsetof(ouro_interior, at))                                                    \
    X(INTERIOR_OBJECT, offsetof(ouro_interior, object))                                            \
    X(FILTER_SIZEOF, sizeof(struct ouro_filter))                                                   \
    X(FILTER_MASK, offsetof(struct ouro_filter, mask))                                             \
    X(FILTER_VALUE, offsetof(struct ouro_filter, value))                                           \
    X(FILTER_ADDRESS, offsetof(struct ouro_filter, address))                                       \
    X(FILTER_FIRST, offsetof(struct ouro_filter, first))                                           \
    X(FILTER_SPAN, offsetof(struct ouro_filter, span))                                             \
    X(FILTER_EMPTY, offsetof(struct ouro_filter, empty))                                           \
    X(FILTER_OBJECT, offsetof(struct ouro_filter, object))                                         \
    X(FILTER_WORD, offsetof(struct ouro_filter, word))

/* All of them: X(name, value) each. */
#define OURO_ABI_CONSTANTS(X)                                                                      \
    OURO__ABI_OBJECTS(X)                                                                           \
    OURO__ABI_THREADS(X)                                                                           \
    OURO__ABI_TYPES(X)                                                                             \
    OURO__ABI_FIELDS(X)

/* OURO_ABI_HEADER_SIZE and so on: constants of type int. */
#define OURO__ABI_NAME(name, value) OURO_ABI_##name = (int)(value),
enum ouro_abi_constant { OURO_ABI_CONSTANTS(OURO__ABI_NAME) };
#undef OURO__ABI_NAME

/* Writes the list as one JSON object, {"abi": 1, "constants": {"HEADER_SIZE": 16, ...}}, a line
 * each, into `room` (borrowed, `size` bytes; may be NULL if size is 0), cut to fit, with a NUL.
 * Returns the length of the whole without the NUL. Any thread; async-signal-safe; O(constants). */
OURO_API size_t ouro_abi_json(char *room, size_t size);

OURO_EXTERN_C_END

#endif
