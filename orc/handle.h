/* SPDX-License-Identifier: MIT */
/* handle.h: counted handles, for code that cannot count.
 *
 * A handle is a number. Foreign code may keep it where no reference could be: in another process's
 * memory, in an integer of a script, in a void * of a callback that may come late. It keeps its
 * object alive until it is closed. A number that is no open handle is found and named, always: a
 * place is used again under another number only.
 *
 * For every function: any thread; not async-signal-safe. */
#ifndef OURO_ORC_HANDLE_H
#define OURO_ORC_HANDLE_H

#include "alloc/platform.h"

OURO_EXTERN_C_BEGIN

/* 0 is never a handle. */
typedef uint64_t ouro_handle;

/* A handle to `object` (borrowed; NULL gives 0) with a reference of its own; 0: no memory. `site`
 * (borrowed for the rest of the process; may be NULL) tells in reports who made it, and where; else
 * the address does that this returns to. Allocates, may ask the memory callback; runs no hook; O(1)
 * with a short lock. An object that is gone: as ouro_incref. */
OURO_API ouro_handle ouro_handle_new(void *object, const char *site);

/* The object of an open handle, with a reference for the caller (owned). Lock-free, O(1); runs no
 * hook. No open handle: a programmer's error (OURO_FAIL_BAD_HANDLE) that tells whether it was
 * closed, and by its site which it was while its place was not used again. */
OURO_API void *ouro_handle_get(ouro_handle handle);

/* The same object, borrowed: it is there until the handle is closed. Wait-free, O(1). */
OURO_API void *ouro_handle_borrow(ouro_handle handle);

/* Closes a handle: its reference is dropped, by the last ouro_handle_get that is under way, if any.
 * May run destroy hooks. 0 does nothing. No open handle, as one that was closed already: as
 * ouro_handle_get, and nothing has changed. O(1) with a short lock, and what the drop takes. */
OURO_API void ouro_handle_close(ouro_handle handle);

/* An open handle, in a list. */
struct ouro_open_handle {
    ouro_handle handle;
    const void *object;    /* borrowed */
    const char *type_name; /* NULL: born without a descriptor */
    const char *site;      /* NULL: none was given, then .. */
    const void *address;   /* .. what its making returned to; else NULL */
};

/* Calls `visit` (not NULL) with every open handle; returns how many there are. `visit` may use
 * handles, and must return. Beside running threads what they open and close meanwhile is listed or
 * not. Allocates nothing; may run destroy hooks, of what others close meanwhile; O(most handles
 * that were open at a time). */
OURO_API size_t ouro_list_handles(void (*visit)(const struct ouro_open_handle *open, void *arg),
                                  void *arg);

OURO_EXTERN_C_END

#endif
