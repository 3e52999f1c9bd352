/* SPDX-License-Identifier: MIT */
/* fail.h: programmer's errors. They are told to a handler, then the process aborts.
 *
 * The report allocates nothing and takes no lock. */
#ifndef OURO_ALLOC_FAIL_H
#define OURO_ALLOC_FAIL_H

#include "alloc/platform.h"

OURO_EXTERN_C_BEGIN

typedef enum ouro_failure_kind {
    OURO_FAIL_OVER_RELEASE,     /* a decref of an object that is gone, or has no reference left */
    OURO_FAIL_USE_AFTER_FREE,   /* any other use of an object that is gone */
    OURO_FAIL_WRONG_THREAD,     /* a local-mode object reached by another thread */
    OURO_FAIL_WRONG_ACYCLIC,    /* an object of an acyclic type is part of a cycle */
    OURO_FAIL_FOREIGN_POINTER,  /* not a block of Ouro's */
    OURO_FAIL_INTERIOR_POINTER, /* inside a block, not its start */
    OURO_FAIL_DOUBLE_FREE,      /* a raw block freed twice */
    OURO_FAIL_CORRUPT,          /* counts or metadata contradict themselves */
    OURO_FAIL_BAD_TYPE,         /* a descriptor that registration refuses */
    OURO_FAIL_MISUSE,           /* anything else that the contract forbids */
    OURO_FAIL_BAD_TAG,          /* the tag of a closed union is of none of its cases */
    OURO_FAIL_SEALED,           /* a string or sequence changed while a view of it is live */
    OURO_FAIL_BAD_HANDLE,       /* a handle that is closed, or that there never was */
    OURO_FAIL_LOCK_ORDER, /* a lock at or above the level of one that is held, or held itself */
    OURO_FAIL_NOT_HELD,   /* what a lock guards, or the lock, used by who does not hold it */
    OURO_FAIL_COUNT
} ouro_failure_kind;

struct ouro_failure {
    ouro_failure_kind kind;
    const char *kind_name; /* "over-release" and so on */
    const void *object;    /* may be NULL */
    const char *type_name; /* may be NULL: not known */
    const char *detail;    /* one sentence; valid during the call only */
};

/* Told of each failure before the process aborts. It may end the process itself, or leave by
 * longjmp at its own risk (the failed operation has changed nothing). It runs on the thread that
 * failed, and must not call Ouro. `failure` is borrowed, for the call. */
typedef void ouro_fail_handler(const struct ouro_failure *failure, void *arg);

/* handler (may be NULL: only the message on the standard error) and arg (borrowed; may be NULL)
 * hold from now on, for all threads, in the runtime that the calling one is in. Any thread, but the
 * pair is not set in one step: set it before other threads may fail. Async-signal-safe; O(1). */
OURO_API void ouro_set_fail_handler(ouro_fail_handler *handler, void *arg);

/* Reports a failure: handler, message, abort. For Ouro itself, and for rules of the program's own.
 * object, type_name and detail (borrowed) may be NULL. Does not return. Any thread;
 * async-signal-safe without a handler. */
OURO_API OURO_NORETURN void ouro_fail(ouro_failure_kind kind, const void *object,
                                      const char *type_name, const char *detail);

/* "over-release" and so on; "failure" for a number that is none. Static storage; any thread;
 * async-signal-safe; O(1). */
OURO_API const char *ouro_failure_kind_name(ouro_failure_kind kind);

OURO_EXTERN_C_END

#endif
