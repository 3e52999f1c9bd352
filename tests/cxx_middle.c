/* SPDX-License-Identifier: MIT */
/* C functions that an exception passes: compiled with -fexceptions, and written for a jump. */
#include "ouro.h"

void middle_owned(void *object, void (*next)(void *), void *arg);
void middle_frame(void *object, void (*next)(void *), void *arg);

void middle_owned(void *object, void (*next)(void *), void *arg)
{
    OURO_OWNED void *mine = object;
    next(arg);
    (void)mine;
}

void middle_frame(void *object, void (*next)(void *), void *arg)
{
    struct ouro_frame frame = ouro_frame_begin();
    if (ouro_frame_own(object) == OURO_OK)
        next(arg);
    ouro_frame_end(frame);
}
