/* SPDX-License-Identifier: MIT */
/* codegen.h: a code generator for x86-64: the fast paths of docs/abi.md as machine code, from the
 * constants of orc/abi.h alone. Whatever is not the fast path is a jump to an exported function.
 *
 * The code takes its arguments in rdi, rsi, rdx, rcx, and may spoil rax, rcx, rdx, rsi, rdi, r8. */
#ifndef OURO_TESTS_CODEGEN_H
#define OURO_TESTS_CODEGEN_H

#include "orc/abi.h"

#include <string.h>

enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 };
enum { WIDE = 8 }; /* with a register: all 64 bits of it */

struct code {
    uint8_t *at;
    uint8_t *jumps[4]; /* short ones to the out-of-line part, to be told how far it is */
    unsigned jump_count;
};

static inline void put(struct code *c, const void *bytes, size_t n)
{
    memcpy(c->at, bytes, n);
    c->at += n;
}
#define PUT(c, ...) put((c), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* `opcode` with a register and the memory at base + offset. */
static inline void put_memory(struct code *c, int wide, uint8_t opcode, enum reg reg, enum reg base,
                              int32_t offset)
{
    uint8_t rex = (uint8_t)(0x40 | wide | (reg >= R8) << 2);
    if (rex != 0x40)
        PUT(c, rex);
    PUT(c, opcode, (uint8_t)(0x80 | (reg & 7) << 3 | base));
    put(c, &offset, sizeof offset);
}
#define LOAD(c, wide, to, base, offset)    put_memory((c), (wide), 0x8B, (to), (base), (offset))
#define STORE(c, wide, from, base, offset) put_memory((c), (wide), 0x89, (from), (base), (offset))
#define TEST(c, reg, base, offset)         put_memory((c), 0, 0x85, (reg), (base), (offset))
/* A compare with 0 of 32 bits: the reg field is part of the opcode. */
#define IS_ZERO(c, base, offset)                                                                   \
    (put_memory((c), 0, 0x83, (enum reg)7, (base), (offset)), PUT((c), 0))

static inline void test_null(struct code *c, enum reg reg)
{
    PUT(c, 0x48, 0x85, (uint8_t)(0xC0 | reg << 3 | reg));
}
static inline void move(struct code *c, enum reg to, enum reg from)
{
    PUT(c, 0x48, 0x89, (uint8_t)(0xC0 | from << 3 | to));
}
static inline void constant(struct code *c, enum reg to, uint32_t value)
{
    PUT(c, (uint8_t)(0xB8 | to));
    put(c, &value, sizeof value);
}
/* Adds a constant to eax. */
static inline void add_eax(struct code *c, uint32_t value)
{
    PUT(c, 0x05);
    put(c, &value, sizeof value);
}
/* Returns where the flags are (not) those of zero. */
static inline void return_if(struct code *c, bool zero)
{
    PUT(c, zero ? 0x75 : 0x74, 1, 0xC3);
}
static inline void out_if(struct code *c, bool zero)
{
    PUT(c, zero ? 0x74 : 0x75, 0);
    c->jumps[c->jump_count++] = c->at;
}
static inline void out_starts(struct code *c)
{
    while (c->jump_count > 0) {
        uint8_t *from = c->jumps[--c->jump_count];
        from[-1] = (uint8_t)(c->at - from);
    }
}
/* To a function of the library, instead of a return; or with one. */
static inline void jump_to(struct code *c, uintptr_t function)
{
    PUT(c, 0x48, 0xB8);
    put(c, &function, sizeof function);
    PUT(c, 0xFF, 0xE0);
}
static inline void call_to(struct code *c, uintptr_t function)
{
    PUT(c, 0x48, 0xB8);
    put(c, &function, sizeof function);
    PUT(c, 0xFF, 0xD0);
}

/* -- the fast paths ---------------------------------------------------------------------------- */

#define UNIT ((uint32_t)1 << OURO_ABI_LOCAL_COUNT_SHIFT)

/* void count(context, object): by UNIT, or by -UNIT. */
static inline void emit_count(struct code *c, uint32_t change, bool acyclic, uintptr_t out,
                              uintptr_t candidate)
{
    test_null(c, RSI);
    return_if(c, true);
    LOAD(c, 0, RAX, RSI, OURO_ABI_OBJECT_LOCAL);
    add_eax(c, change);
    TEST(c, RAX, RDI, OURO_ABI_CONTEXT_COUNTS);
    out_if(c, false);
    STORE(c, 0, RAX, RSI, OURO_ABI_OBJECT_LOCAL);
    if (change != UNIT && !acyclic) {
        IS_ZERO(c, RSI, OURO_ABI_OBJECT_VISITED);
        return_if(c, false);
        move(c, RDI, RSI);
        jump_to(c, candidate);
    } else {
        PUT(c, 0xC3);
    }
    out_starts(c);
    jump_to(c, out); /* with the same arguments */
}

/* void *exchange(context, container, slot, value): the value moves in. */
static inline void emit_exchange(struct code *c, uintptr_t out, uintptr_t moved)
{
    LOAD(c, 0, RAX, RSI, OURO_ABI_OBJECT_LOCAL);
    TEST(c, RAX, RDI, OURO_ABI_CONTEXT_SLOTS);
    out_if(c, false);
    LOAD(c, WIDE, RAX, RDX, 0);
    STORE(c, WIDE, RCX, RDX, 0);
    test_null(c, RCX);
    return_if(c, true);
    IS_ZERO(c, RSI, OURO_ABI_OBJECT_VISITED);
    return_if(c, false);
    PUT(c, 0x50); /* push rax: the stack is aligned now */
    move(c, RDI, RSI);
    call_to(c, moved);
    PUT(c, 0x58, 0xC3); /* pop rax, ret */
    out_starts(c);
    PUT(c, 0x41); /* r8 = 1: it moved */
    constant(c, (enum reg)(R8 & 7), 1);
    jump_to(c, out);
}

/* void store(context, container, slot, value): exchange, and decref of what was there. */
static inline void emit_store(struct code *c, uintptr_t exchange, uintptr_t decref)
{
    PUT(c, 0x57, 0x48, 0x83, 0xEC, 0x10); /* push rdi; sub rsp, 16: aligned */
    call_to(c, exchange);
    PUT(c, 0x48, 0x83, 0xC4, 0x10, 0x5F); /* add rsp, 16; pop rdi */
    move(c, RSI, RAX);
    jump_to(c, decref);
}

/* void *birth(context, type) of objects of `size` bytes, a multiple of 8, zeroed. */
static inline void emit_birth(struct code *c, uint32_t size, uintptr_t out)
{
    uint32_t block = size + OURO_ABI_HEADER_SIZE;
    if (block < OURO_ABI_COUNTED_MIN_SIZE)
        block = OURO_ABI_COUNTED_MIN_SIZE;
    int32_t ready = OURO_ABI_HEAP_READY_COUNTED + 8 * (int32_t)((block - 1) / 16); /* up to 128 */
    LOAD(c, WIDE, RAX, RSI, OURO_ABI_TYPE_BIRTH);
    test_null(c, RAX);
    out_if(c, true);
    LOAD(c, WIDE, RCX, RDI, OURO_ABI_CONTEXT_HEAP);
    LOAD(c, WIDE, RDX, RCX, ready);
    test_null(c, RDX);
    out_if(c, true);
    LOAD(c, WIDE, R8, RDX, 0);
    STORE(c, WIDE, R8, RCX, ready);
    LOAD(c, 0, R8, RCX, OURO_ABI_HEAP_MARK);
    PUT(c, 0x49, 0x09, 0xC0); /* r8 |= rax */
    STORE(c, WIDE, R8, RDX, OURO_ABI_OBJECT_SHARED);
    LOAD(c, 0, R8, RCX, OURO_ABI_HEAP_BORN);
    put_memory(c, WIDE, 0x03, R8, RSI, OURO_ABI_TYPE_COUNTS); /* r8 += */
    STORE(c, WIDE, R8, RDX, OURO_ABI_OBJECT_LOCAL);           /* and the visited word */
    constant(c, RAX, 0);
    for (int32_t at = 0; at < (int32_t)size; at += 8)
        STORE(c, WIDE, RAX, RDX, at);
    move(c, RAX, RDX);
    PUT(c, 0xC3);
    out_starts(c);
    constant(c, RDX, size);
    constant(c, RCX, OURO_ABI_BORN_ZEROED | OURO_ABI_BORN_BIASED);
    jump_to(c, out);
}

/* bool is_a(unused, type, of) of two registered descriptors; `depth` is that of `of`. */
static inline void emit_is_subtype(struct code *c, uint32_t depth)
{
    PUT(c, 0xB8, 1, 0, 0, 0); /* eax = 1 */
    PUT(c, 0x48, 0x39, 0xD6); /* cmp rsi, rdx */
    return_if(c, true);       /* the same */
    PUT(c, 0x31, 0xC0, 0x81); /* eax = 0; cmp [rsi + depth], imm32 */
    PUT(c, 0x80 | 7 << 3 | RSI);
    int32_t at = OURO_ABI_TYPE_DEPTH;
    put(c, &at, sizeof at);
    put(c, &depth, sizeof depth);
    PUT(c, 0x77, 1, 0xC3); /* not above: no */
    LOAD(c, WIDE, RCX, RSI, OURO_ABI_TYPE_DISPLAY);
    put_memory(c, WIDE, 0x3B, RDX, RCX, 8 * (int32_t)depth); /* cmp rdx, [rcx + 8 * depth] */
    PUT(c, 0x0F, 0x94, 0xC0, 0xC3);                          /* sete al; ret */
}

/* void incref(object), which finds the context itself: `at` is its distance from the thread
 * pointer, one for all threads where the library was there when the program started. */
static inline void emit_incref_tls(struct code *c, int32_t at, uintptr_t out)
{
    test_null(c, RDI);
    return_if(c, true);
    LOAD(c, 0, RAX, RDI, OURO_ABI_OBJECT_LOCAL);
    add_eax(c, UNIT);
    int32_t counts = at + OURO_ABI_CONTEXT_COUNTS;
    PUT(c, 0x64, 0x85, 0x04, 0x25); /* test fs:[counts], eax */
    put(c, &counts, sizeof counts);
    out_if(c, false);
    STORE(c, 0, RAX, RDI, OURO_ABI_OBJECT_LOCAL);
    PUT(c, 0xC3);
    out_starts(c);
    jump_to(c, out);
}

#undef UNIT
#endif
