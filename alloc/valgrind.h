/* SPDX-License-Identifier: MIT */
/* valgrind.h: Internal to alloc, hooks, orc and isolate. What Valgrind's tools are told, and
 * nothing where its headers are absent; outside Valgrind a word is looked at, and nothing said.
 *
 * memcheck hears of every object and, with pages of our own, of every block: what may be touched,
 * what is undefined, what is lost. helgrind and DRD know locks, but no atomic operation; they hear
 * of every hand-over from the thread that gives (release) to the one that takes (acquire), and
 * which words are synchronisation themselves, so that no access to them is a race. The other tools
 * are told nothing. */
#ifndef OURO_ALLOC_VALGRIND_H
#define OURO_ALLOC_VALGRIND_H

#include "alloc/platform.h"

#if OURO_HAVE_VALGRIND
#include <valgrind/helgrind.h>
#include <valgrind/drd.h>
#include <valgrind/memcheck.h>

extern bool ouro__tools; /* whether one of the tools listens; set on first use */
static inline bool ouro__on_valgrind(void)
{
    return RUNNING_ON_VALGRIND != 0;
}
#define OURO__DEFINE_TOOLS     bool ouro__tools
#define OURO__LOOK_FOR_TOOLS() (ouro__tools = ouro__tool_listens())
#define OURO__TELL(...)        (OURO_UNLIKELY(ouro__tools) ? (void)(__VA_ARGS__) : (void)0)
#define OURO__REQUEST(request, a, b)                                                               \
    VALGRIND_DO_CLIENT_REQUEST_EXPR(0, (request), (a), (b), 0, 0, 0)

/* Each answers a question that the others, callgrind among them, leave at 0: instruction counts are
 * those of the program without tools. */
static inline bool ouro__tool_listens(void)
{
    char asked = 0, bits = 0;
    return VALGRIND_GET_VBITS(&asked, &bits, 1) != 0 || DRD_GET_VALGRIND_THREADID != 0 ||
           VALGRIND_DO_CLIENT_REQUEST_EXPR(0, _VG_USERREQ__HG_GET_ABITS, &asked, &bits, 1, 0, 0);
}
#else
#define ouro__tools                  false
static inline bool ouro__on_valgrind(void)
{
    return false;
}
#define OURO__DEFINE_TOOLS           struct ouro__no_tools
#define OURO__LOOK_FOR_TOOLS()       ((void)0)
#define OURO__TELL(...)              ((void)0)
#define OURO__REQUEST(request, a, b) ((void)0)
#endif

/* Between hush and speak nothing that the calling thread does is reported. */
static inline void ouro__tool_hush(void)
{
    OURO__TELL(({
        VALGRIND_DISABLE_ERROR_REPORTING;
        0;
    }));
}
static inline void ouro__tool_speak(void)
{
    OURO__TELL(({
        VALGRIND_ENABLE_ERROR_REPORTING;
        0;
    }));
}

/* -- memory: memcheck -------------------------------------------------------------------------- */

/* `bytes` at `p` are given out: a block of their own, undefined, lost when nobody points to it. */
static inline void ouro__tool_born(const void *p, size_t bytes)
{
    (void)p, (void)bytes;
    OURO__TELL(({
        VALGRIND_MALLOCLIKE_BLOCK(p, bytes, 0, 0);
        0;
    }));
}
/* The block at `p` comes back: whoever touches it is told where it was freed. */
static inline void ouro__tool_dead(const void *p)
{
    (void)p;
    OURO__TELL(({
        VALGRIND_FREELIKE_BLOCK(p, 0);
        0;
    }));
}
/* Of what is still given out in `bytes` from `p` on, each block that begins at a multiple of `step`
 * from there comes back, whether it is there or not. */
static inline void ouro__tool_gone(const char *p, size_t bytes, size_t step)
{
    (void)p, (void)bytes, (void)step;
    OURO__TELL(({
        VALGRIND_DISABLE_ERROR_REPORTING;
        for (size_t at = 0; at < bytes; at += step)
            VALGRIND_FREELIKE_BLOCK(p + at, 0);
        VALGRIND_ENABLE_ERROR_REPORTING;
    }));
}
/* Nobody may touch these bytes until they are given out again. */
static inline void ouro__tool_forbidden(const void *p, size_t bytes)
{
    (void)p, (void)bytes;
    OURO__TELL(VALGRIND_MAKE_MEM_NOACCESS(p, bytes));
}
/* The library may write them. */
static inline void ouro__tool_writable(const void *p, size_t bytes)
{
    (void)p, (void)bytes;
    OURO__TELL(VALGRIND_MAKE_MEM_UNDEFINED(p, bytes));
}
/* They have known contents. */
static inline void ouro__tool_readable(const void *p, size_t bytes)
{
    (void)p, (void)bytes;
    OURO__TELL(VALGRIND_MAKE_MEM_DEFINED(p, bytes));
}

/* -- order: helgrind and DRD ------------------------------------------------------------------- */

/* All that this thread did comes before what a thread does after its acquire of `p`. */
static inline void ouro__tool_release(const void *p)
{
    (void)p;
    OURO__TELL(OURO__REQUEST(_VG_USERREQ__HG_USERSO_SEND_PRE, p, 0),
               OURO__REQUEST(VG_USERREQ__DRD_ANNOTATE_HAPPENS_BEFORE, p, 0));
}
static inline void ouro__tool_acquire(const void *p)
{
    (void)p;
    OURO__TELL(OURO__REQUEST(_VG_USERREQ__HG_USERSO_RECV_POST, p, 0),
               OURO__REQUEST(VG_USERREQ__DRD_ANNOTATE_HAPPENS_AFTER, p, 0));
}
/* These words are read and written by several threads on purpose. */
static inline void ouro__tool_words(const void *p, size_t bytes)
{
    (void)p, (void)bytes;
    OURO__TELL(OURO__REQUEST(_VG_USERREQ__HG_ARANGE_MAKE_UNTRACKED, p, bytes),
               OURO__REQUEST(VG_USERREQ__DRD_START_SUPPRESSION, p, bytes));
}
/* They are not any more: the memory goes back, or is used for something else. */
static inline void ouro__tool_no_words(const void *p, size_t bytes)
{
    (void)p, (void)bytes;
    OURO__TELL(OURO__REQUEST(_VG_USERREQ__HG_ARANGE_MAKE_TRACKED, p, bytes),
               OURO__REQUEST(VG_USERREQ__DRD_FINISH_SUPPRESSION, p, bytes));
}

#endif
