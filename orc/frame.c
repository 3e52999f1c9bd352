/* SPDX-License-Identifier: MIT */
/* frame.c: what a thread's C functions own.
 *
 * Problem: after a longjmp the frames that it left are overwritten by the next call, so nothing
 * that is linked through them can be followed then (docs/adr/0013). So what they own stands in an
 * array:
 *  F1  start <= top <= end; what is below top is owned, oldest first. Only its thread touches it.
 *  F2  An entry is taken off before it is released: whatever runs then may leave, and unwind again.
 *  F3  The array is there only while the thread is attached, and goes when it is detached. */
#include "orc/frame.h"
#include "alloc/pool.h"
#include "alloc/runtime.h"
#include "hooks/value.h"
#include "orc/state.h"

OURO_TLS struct ouro__frames ouro__frames;

size_t ouro__frames_open(void)
{
    return (size_t)(ouro__frames.top - ouro__frames.start);
}

/* Room for one more, in the default runtime: frames are the thread's. */
static ouro_status grow_here(void)
{
    struct ouro__frames *f = &ouro__frames;
    if (!ouro__me())
        return OURO_NO_MEMORY;
    size_t room = (size_t)(f->end - f->start);
    size_t more = room ? room * 2 : 64;
    struct ouro__owned *fresh = ouro_malloc(more * sizeof *fresh);
    if (!fresh)
        return OURO_NO_MEMORY;
    size_t count = ouro__frames_open();
    if (f->top < f->end || count >= more) { /* the memory callback used frames, too */
        ouro_free(fresh);
        return f->top < f->end ? OURO_OK : grow_here();
    }
    if (count > 0)
        memcpy(fresh, f->start, count * sizeof *fresh);
    ouro_free(f->start);
    *f = (struct ouro__frames){fresh, fresh + count, fresh + more};
    return OURO_OK;
}

static ouro_status grow(void)
{
    ouro_status status = ouro_runtime_enter(ouro_runtime_default());
    if (status == OURO_OK) {
        status = grow_here();
        ouro_runtime_leave(ouro_runtime_default());
    }
    return status;
}

ouro_status ouro__frame_own_out(void *object)
{
    ouro_status status = grow();
    return status == OURO_OK ? ouro_frame_own(object) : status;
}

ouro_status ouro_frame_own_value(void *value, const struct ouro_type *type)
{
    struct ouro__frames *f = &ouro__frames;
    ouro_status status = f->top == f->end ? grow() : OURO_OK;
    if (status != OURO_OK)
        return status;
    *f->top++ = (struct ouro__owned){value, type, (uintptr_t)__builtin_frame_address(0)};
    return OURO_OK;
}

void ouro__frame_destroy(const struct ouro__owned *owned)
{
    ouro_destroy_value(owned->at, owned->type);
}

void ouro__frames_end(void)
{
    ouro_free(ouro__frames.start);
    ouro__frames = (struct ouro__frames){NULL, NULL, NULL};
}
