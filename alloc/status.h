/* SPDX-License-Identifier: MIT */
/* status.h: what a call that can be refused answers. Anything but OURO_OK changed nothing. */
#ifndef OURO_ALLOC_STATUS_H
#define OURO_ALLOC_STATUS_H

#include "alloc/platform.h"

OURO_EXTERN_C_BEGIN

typedef enum ouro_status {
    OURO_OK = 0,
    OURO_NO_MEMORY,    /* the supply, or the byte limit, refused */
    OURO_BAD_ARGUMENT, /* NULL, zero or out of range where a value is due */
    OURO_BAD_TYPE,     /* a descriptor that contradicts itself */
    OURO_TOO_LATE,     /* asked for after first use, where only before is allowed */
    OURO_BUSY,         /* not now: refused, try again */
    OURO_UNKNOWN_NAME, /* no option, supply or suite of that name */
    OURO_WRONG_ABI,    /* the library has another than was asked for */
    OURO_NOT_ISOLATED, /* a graph that somebody outside refers to, or that refers outside */
    OURO_CLOSED,       /* a channel that nothing is sent on, or comes from, any more */
    OURO_TIMED_OUT,    /* the time that the caller gave is over */
    OURO_WOULD_BLOCK,  /* it would have to wait, which it was told not to, or for nobody */
    OURO_CANCELLED,    /* a task that was told not to go on, or a scope whose tasks were */
    OURO_STATUS_COUNT,
    OURO_STATUS_USER = 1 << 16,   /* from here on: a program's own, that its tasks answer */
    OURO_STATUS_MOST = 0x7fffffff /* up to here */
} ouro_status;

/* The name of a status, such as "no memory"; "unknown status" for a number that is none. Static
 * storage; any thread; async-signal-safe; O(1). */
OURO_API const char *ouro_status_name(ouro_status status);

OURO_EXTERN_C_END

#endif
