/* SPDX-License-Identifier: MIT */
/* text.h: Internal to alloc, hooks, orc and isolate. Text composed in a fixed buffer, cut when
 * full: for reports that must not allocate. */
#ifndef OURO_ALLOC_TEXT_H
#define OURO_ALLOC_TEXT_H

#include "alloc/platform.h"

struct ouro__text {
    char *room;
    size_t size;
    size_t len;
};

static inline void ouro__text_add(struct ouro__text *t, const char *s)
{
    while (*s && t->len + 1 < t->size)
        t->room[t->len++] = *s++;
    if (t->size)
        t->room[t->len] = '\0';
}
/* Adds `s` (shorter than the room) whole, over the end of what is there if need be. */
static inline void ouro__text_end(struct ouro__text *t, const char *s)
{
    size_t len = __builtin_strlen(s);
    if (t->len + len + 1 > t->size)
        t->len = t->size - 1 - len;
    ouro__text_add(t, s);
}
static inline void ouro__text_number(struct ouro__text *t, uint64_t n, unsigned base)
{
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n);
    ouro__text_add(t, digits + at);
}
static inline void ouro__text_decimal(struct ouro__text *t, uint64_t n)
{
    ouro__text_number(t, n, 10);
}
static inline void ouro__text_hex(struct ouro__text *t, uint64_t n)
{
    ouro__text_add(t, "0x");
    ouro__text_number(t, n, 16);
}

/* Text of which only the start may have room; `len` counts all of it. */
struct ouro__output {
    char *room; /* may be NULL if size is 0 */
    size_t size;
    size_t len;
};

static inline void ouro__output_add(struct ouro__output *out, const char *s)
{
    for (; *s; s++, out->len++) {
        if (out->len + 1 < out->size)
            out->room[out->len] = *s;
    }
}
static inline void ouro__output_decimal(struct ouro__output *out, uint64_t n)
{
    char digits[24];
    struct ouro__text t = {digits, sizeof digits, 0};
    ouro__text_decimal(&t, n);
    ouro__output_add(out, digits);
}
/* Ends it with a NUL; the length of the whole. */
static inline size_t ouro__output_end(struct ouro__output *out)
{
    if (out->size > 0)
        out->room[out->len < out->size ? out->len : out->size - 1] = '\0';
    return out->len;
}

#endif
