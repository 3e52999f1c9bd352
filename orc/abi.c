/* SPDX-License-Identifier: MIT */
/* abi.c: the constants of abi.h as text. */
#include "orc/abi.h"

/* Text of which only the start may have room. */
struct output {
    char *room;
    size_t size, len;
};

static void put(struct output *out, const char *s)
{
    for (; *s; s++, out->len++) {
        if (out->len + 1 < out->size)
            out->room[out->len] = *s;
    }
}

static void put_number(struct output *out, int n)
{
    char digits[16];
    size_t at = sizeof digits;
    unsigned left = n < 0 ? -(unsigned)n : (unsigned)n;
    digits[--at] = '\0';
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    put(out, n < 0 ? "-" : "");
    put(out, digits + at);
}

#define ENTRY(name, value) {#name, OURO_ABI_##name},

size_t ouro_abi_json(char *room, size_t size)
{
    static const struct {
        const char *name;
        int value;
    } constants[] = {OURO_ABI_CONSTANTS(ENTRY)};
    struct output out = {room, size, 0};
    put(&out, "{\n  \"abi\": ");
    put_number(&out, OURO_ABI);
    put(&out, ",\n  \"constants\": {\n");
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        put(&out, i ? ",\n    \"" : "    \"");
        put(&out, constants[i].name);
        put(&out, "\": ");
        put_number(&out, constants[i].value);
    }
    put(&out, "\n  }\n}\n");
    if (size > 0)
        room[out.len < size ? out.len : size - 1] = '\0';
    return out.len;
}
