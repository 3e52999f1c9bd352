/* SPDX-License-Identifier: MIT */
/* closure.h: values of two words that keep an object alive: closures, and addresses inside objects.
 *
 * All hooks know them as fields (OURO_CLOSURE, OURO_INTERIOR) and as values of their own types, for
 * arrays, sequences and tails: the reference in them is counted, traced, copied and dropped as any
 * other. wasMoved makes both words NULL. deepCopy copies the object once, code stays what it is,
 * and an address comes to stand at the same distance in the copy. All zero is the value that holds
 * nothing.
 *
 * The environment of a closure is any counted object; its descriptor tells what is in it. Flag
 * OURO_EXACT makes the birth of one that is larger than its type a programmer's error. */
#ifndef OURO_HOOKS_CLOSURE_H
#define OURO_HOOKS_CLOSURE_H

#include "hooks/type.h"

OURO_EXTERN_C_BEGIN

/* A function of any type: to be cast back to its own before it is called. */
typedef void ouro_code(void);

typedef struct ouro_closure {
    ouro_code *code;
    void *env; /* owned; may be NULL */
} ouro_closure;

typedef struct ouro_interior {
    void *at;     /* inside `object`, its inline tail and its end included */
    void *object; /* owned; may be NULL, `at` is then any address, of static data for example */
} ouro_interior;

OURO_EXTERN_C_END

#endif
