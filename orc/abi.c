/* SPDX-License-Identifier: MIT */
/* abi.c: the constants of abi.h as text. */
#include "orc/abi.h"
#include "alloc/text.h"

static void put_number(struct ouro__output *out, int n)
{
    if (n < 0)
        ouro__output_add(out, "-");
    ouro__output_decimal(out, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

#define ENTRY(name, value) {#name, OURO_ABI_##name},

size_t ouro_abi_json(char *room, size_t size)
{
    static const struct {
        const char *name;
        int value;
    } constants[] = {OURO_ABI_CONSTANTS(ENTRY)};
    struct ouro__output out = {room, size, 0};
    ouro__output_add(&out, "{\n  \"abi\": ");
    put_number(&out, OURO_ABI);
    ouro__output_add(&out, ",\n  \"constants\": {\n");
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        ouro__output_add(&out, i ? ",\n    \"" : "    \"");
        ouro__output_add(&out, constants[i].name);
        ouro__output_add(&out, "\": ");
        put_number(&out, constants[i].value);
    }
    ouro__output_add(&out, "\n  }\n}\n");
    return ouro__output_end(&out);
}
