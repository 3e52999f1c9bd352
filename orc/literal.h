/* SPDX-License-Identifier: MIT */
/* literal.h: strings and sequences that are static data: no allocation, counts do nothing, and
 * whoever edits a value that stands on one first pays for a copy. */
#ifndef OURO_ORC_LITERAL_H
#define OURO_ORC_LITERAL_H

#include "hooks/payload.h"
#include "orc/object.h"

OURO_EXTERN_C_BEGIN

/* Defines the static data `name` of a string with the bytes of `text`, a string constant:
 *     OURO_STRING_LITERAL(hello, "hello");
 *     static const ouro_string greeting = OURO_OF_LITERAL(hello);   ... or in an expression
 *     ouro_string s = ouro_string_of_literal(&hello.payload, sizeof "hello" - 1); */
#define OURO_STRING_LITERAL(name, text)                                                            \
    static const struct {                                                                          \
        struct ouro_header header;                                                                 \
        struct ouro_payload payload;                                                               \
        char elements[sizeof(text)];                                                               \
    } name __attribute__((aligned(16))) = {OURO_IMMORTAL_HEADER, {0, OURO__PAYLOAD_LITERAL}, text}
/* The initializer of an ouro_string on the data `name`. */
#define OURO_OF_LITERAL(name)                                                                      \
    {                                                                                              \
        sizeof((name).elements) - 1, (struct ouro_payload *)&(name).payload                        \
    }

/* The same for a sequence of `count` elements of C type T that are nothing but bytes; what follows
 * is their initializer in braces. */
#define OURO_SEQ_LITERAL(name, T, count, ...)                                                      \
    static const struct {                                                                          \
        struct ouro_header header;                                                                 \
        struct ouro_payload payload;                                                               \
        T elements[count];                                                                         \
    } name __attribute__((aligned(16))) = {                                                        \
        OURO_IMMORTAL_HEADER, {0, OURO__PAYLOAD_LITERAL}, __VA_ARGS__}
#define OURO_OF_SEQ_LITERAL(name)                                                                  \
    {                                                                                              \
        sizeof((name).elements) / sizeof((name).elements[0]),                                      \
            (struct ouro_payload *)&(name).payload                                                 \
    }

/* A string of `len` bytes on a literal's payload (borrowed for good). It is destroyed like any
 * other, or not: it owns nothing. Any thread; runs nothing; O(1), inlined. */
OURO_INLINE ouro_string ouro_string_of_literal(const struct ouro_payload *payload, size_t len)
{
    ouro_string s = {len, (struct ouro_payload *)(uintptr_t)payload};
    return s;
}

OURO_EXTERN_C_END

#endif
