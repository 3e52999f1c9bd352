/* SPDX-License-Identifier: MIT */
/* frame.h: what C functions own while they run, so that it is released if they are left by a jump.
 *
 * A function that may be jumped over (longjmp, an exception of a language that is made of it) tells
 * its thread what it owns: references, and values that are described by a type. What it told stands
 * in an array of the thread's, not on the C stack, so it is still there after the jump:
 *
 *     struct ouro_mark mark = ouro_frame_mark();
 *     if (setjmp(place) == 0)
 *         work();                     // may longjmp(place, 1)
 *     else
 *         ouro_frame_unwind(&mark);   // releases what work and its callees owned
 *
 * The bytes of a value that is a variable of a function are gone after the jump: then unwind first,
 * and jump after that; both orders are right for references and for values elsewhere. Unwinding
 * also puts right what the library itself was at where a hook or a callback was left. A thread that
 * ends unwinds all, as after a jump out of its first function (docs/edges.md).
 *
 * A frame is its thread's. Where a runtime switches between stacks of one thread, each switch has
 * to find no frame open, or the same ones.
 *
 * For every function: any thread, about itself; none is async-signal-safe. */
#ifndef OURO_ORC_FRAME_H
#define OURO_ORC_FRAME_H

#include "alloc/status.h"
#include "orc/rc.h"

OURO_EXTERN_C_BEGIN

/* Something that a frame owns. */
struct ouro__owned {
    void *at;                     /* an object, or the value */
    const struct ouro_type *type; /* of the value; NULL: `at` is a reference */
    uintptr_t stack;              /* for values: where the C stack was */
};
/* What all frames of the thread own, oldest first. */
struct ouro__frames {
    struct ouro__owned *start, *top, *end;
};
extern OURO_API OURO_TLS struct ouro__frames ouro__frames;

/* Out of line: ouro_frame_own where there is no room. */
OURO_API ouro_status ouro__frame_own_out(void *object);
/* Destroys the value that stood on top, which is taken off already. */
OURO_API void ouro__frame_destroy(const struct ouro__owned *owned);

/* A function's part of what its thread owns: all above the depth. */
struct ouro_frame {
    size_t depth; /* in bytes */
};
OURO_INLINE size_t ouro__frames_depth(void)
{
    return (size_t)((char *)ouro__frames.top - (char *)ouro__frames.start);
}
OURO_INLINE struct ouro__owned *ouro__frames_at(size_t depth)
{
    return (struct ouro__owned *)(void *)((char *)ouro__frames.start + depth);
}

/* Begins a frame. Runs nothing; O(1), inlined. */
OURO_INLINE struct ouro_frame ouro_frame_begin(void)
{
    struct ouro_frame frame = {ouro__frames_depth()};
    return frame;
}

/* Gives `object` (owned; may be NULL) to the newest frame. OURO_NO_MEMORY: it stays the caller's.
 * May allocate and ask the memory callback; O(1) amortized, inlined but for growth. */
OURO_INLINE ouro_status ouro_frame_own(void *object)
{
    if (OURO_UNLIKELY(ouro__frames.top == ouro__frames.end))
        return ouro__frame_own_out(object);
    ouro__frames.top->at = object;
    ouro__frames.top++->type = NULL;
    return OURO_OK;
}

/* Gives the value at `value` (not NULL), of `type` (borrowed, not NULL), to the newest frame. It
 * stays where it is, and must stay there until it is destroyed. Otherwise as ouro_frame_own. */
OURO_API ouro_status ouro_frame_own_value(void *value, const struct ouro_type *type);

/* Puts `object` (owned; may be NULL) in the place of the i-th reference of the frame, from 0, and
 * returns what was there (owned). It must be a reference. Runs nothing; O(1), inlined. */
OURO_INLINE void *ouro_frame_exchange(struct ouro_frame frame, size_t i, void *object)
{
    struct ouro__owned *owned = ouro__frames_at(frame.depth) + i;
    void *old = owned->at;
    owned->at = object;
    return old;
}

/* Ends the frame: what it owns is released, newest first. Runs destroy hooks. A frame that has
 * ended already is none: undefined if others began since. O(what it owns), inlined. */
OURO_INLINE void ouro_frame_end(struct ouro_frame frame)
{
    while (ouro__frames_depth() > frame.depth) {
        struct ouro__owned owned = *--ouro__frames.top; /* off first: a hook may leave */
        if (OURO_LIKELY(owned.type == NULL))
            ouro_decref(owned.at);
        else
            ouro__frame_destroy(&owned);
    }
}

/* Ends the frame without releasing: what it owned is the caller's again. Runs nothing; O(1). */
OURO_INLINE void ouro_frame_cancel(struct ouro_frame frame)
{
    ouro__frames.top = ouro__frames_at(frame.depth);
}

/* Where a thread is: what its frames own, and what the library is at on it. Members are Ouro's. */
struct ouro_mark {
    uint64_t thread;
    size_t depth;
    const void *at_hand;
    uint32_t parks, pauses, must_return, flags;
};

/* A mark to unwind to, good until the calling function returns or unwinds further. Attaches the
 * thread if there is memory for that. Runs nothing; O(1). */
OURO_API struct ouro_mark ouro_frame_mark(void);

/* Releases what frames came to own since the mark (borrowed, not NULL) was made, newest first,
 * after the library has put right what it was at since then: an object whose hook was left counts
 * as destroyed, and its memory goes; a collection or a release that was under way is finished;
 * parks and pauses since are over. May be called before the jump or after it, and again, to the
 * same mark, where a hook that it runs leaves too. Runs destroy hooks. O(what is released).
 *
 * Programmer's errors (OURO_FAIL_MISUSE): a mark of another thread, or of before a detach, or of a
 * function that has been left, where that shows; a value whose function was jumped over, the bytes
 * of which are gone (it is passed over); a trace or wasMoved hook that left; a hook that left
 * ouro_thread_detach. Reported when all else is done, the first of several only. */
OURO_API void ouro_frame_unwind(const struct ouro_mark *mark);

/* Before a variable that is a pointer to an object: its reference is dropped where its block ends,
 * however it ends: return, goto, break, and with -fexceptions an exception of C++ that passes. Not
 * by longjmp: that takes a frame. The variable must be initialized; NULL is nothing.
 *     OURO_OWNED struct node *n = OURO_NEW(struct node, &node_type); */
#define OURO_OWNED __attribute__((cleanup(ouro__owned_drop)))
OURO_INLINE void ouro__owned_drop(void *variable)
{
    void *object;
    memcpy(&object, variable, sizeof object);
    ouro_decref(object);
}

OURO_EXTERN_C_END

#ifdef __cplusplus
namespace ouro
{
/* A reference that is dropped where its scope ends, by an exception too. A destroy hook that throws
 * meanwhile ends the program, for destructors do not; so it does in `unwinding`. */
template <typename T> class owned
{
  public:
    /* `taken` owned; may be NULL. */
    explicit owned(T *taken = nullptr) : object(taken)
    {
    }
    owned(const owned &other) : object(other.object)
    {
        ouro_incref(object);
    }
    owned(owned &&other) noexcept : object(other.release())
    {
    }
    owned &operator=(owned other) noexcept
    {
        T *old = object;
        object = other.object;
        other.object = old;
        return *this;
    }
    ~owned()
    {
        ouro_decref(object);
    }
    /* Borrowed. */
    T *get() const
    {
        return object;
    }
    T *operator->() const
    {
        return object;
    }
    explicit operator bool() const
    {
        return object != nullptr;
    }
    /* The reference is the caller's; nothing is left here. */
    T *release()
    {
        T *was = object;
        object = nullptr;
        return was;
    }

  private:
    T *object;
};

/* Unwinds where its scope ends: for scopes around C code that has frames, or whose hooks throw. */
class unwinding
{
  public:
    unwinding() : mark(ouro_frame_mark())
    {
    }
    unwinding(const unwinding &) = delete;
    unwinding &operator=(const unwinding &) = delete;
    ~unwinding()
    {
        ouro_frame_unwind(&mark);
    }

  private:
    struct ouro_mark mark;
};
} // namespace ouro
#endif

#endif
