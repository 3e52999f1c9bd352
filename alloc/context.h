/* SPDX-License-Identifier: MIT */
/* context.h: the calling thread, as a value.
 *
 * The inlined paths read one thread-local block: the thread's heap and the masks of its counts.
 * They find it by themselves, through the thread pointer, and a compiler may keep its address for
 * as long as a function runs, for the language says that a function runs on one thread. A fiber
 * (coroutine, green thread) that is suspended in a function and resumed on another OS thread would
 * go on with the block of the first: plain counts on objects of another thread, cells out of
 * another thread's lists. So code that can be suspended uses the forms whose names have `_in`: they
 * take the context, and the caller sees to it that it is the right one by asking again after each
 * point at which it may have been moved.
 *
 * A context is valid on the thread that asked for it, until that thread ends. Hand it to no other
 * thread, and keep it in no place that outlives a suspension. The `_in` forms act as those without
 * it do; the checked library names a context of another thread (OURO_FAIL_WRONG_THREAD). */
#ifndef OURO_ALLOC_CONTEXT_H
#define OURO_ALLOC_CONTEXT_H

#include "alloc/layout.h"

OURO_EXTERN_C_BEGIN

/* The context of the thread that calls: borrowed, never NULL. It is a function that no compiler
 * looks into, so that each call asks anew. A thread that has touched nothing yet may ask. Any
 * thread; async-signal-safe; allocates nothing; O(1). */
OURO_API struct ouro_context *ouro_context_here(void);

OURO_EXTERN_C_END

#endif
