/* SPDX-License-Identifier: MIT */
/* The inlined paths, one a function, for fastpath.sh to disassemble: compiled as a program's code,
 * never run. Each says how many instructions its fast path may have, the return included. */
#include "ouro.h"

#define PATH(name, most, result, parameters, act)                                                  \
    result path_##name##_##most parameters;                                                        \
    result path_##name##_##most parameters                                                         \
    {                                                                                              \
        act;                                                                                       \
    }

PATH(alloc_sized, 8, void *, (void), return ouro_alloc_sized(32))
PATH(free_sized, 20, void, (void *p), ouro_free_sized(p, 32))
PATH(incref_biased, 10, void, (void *p), ouro_incref_biased(p))
PATH(decref_biased, 13, void, (void *p), ouro_decref_biased(p))
PATH(decref_acyclic_biased, 10, void, (void *p), ouro_decref_acyclic_biased(p))
PATH(incref_local, 7, void, (void *p), ouro_incref_local(p))
PATH(decref_local, 10, void, (void *p), ouro_decref_local(p))
PATH(decref_acyclic_local, 7, void, (void *p), ouro_decref_acyclic_local(p))
PATH(slot_move, 8, void *, (void *o, void **slot), return ouro_slot_move(o, slot))
PATH(frame_begin, 4, struct ouro_frame, (void), return ouro_frame_begin())
PATH(frame_own, 10, ouro_status, (void *p), return ouro_frame_own(p))
PATH(frame_exchange, 11, void *, (struct ouro_frame f, void *p),
     return ouro_frame_exchange(f, 1, p))

/* With a context: never more than without. */
#define IN struct ouro_context *in
PATH(alloc_sized_in, 7, void *, (IN), return ouro_alloc_sized_in(in, 32))
PATH(free_sized_in, 19, void, (IN, void *p), ouro_free_sized_in(in, p, 32))
PATH(incref_in_biased, 9, void, (IN, void *p), ouro_incref_in_biased(in, p))
PATH(decref_in_biased, 12, void, (IN, void *p), ouro_decref_in_biased(in, p))
PATH(decref_acyclic_in_biased, 9, void, (IN, void *p), ouro_decref_acyclic_in_biased(in, p))
PATH(slot_move_in, 7, void *, (IN, void *o, void **slot), return ouro_slot_move_in(in, o, slot))
#ifndef __clang__ /* it puts the rare case first */
PATH(new_uninit, 17, void *, (struct ouro_type * type), return ouro_new_uninit_biased(type, 32))
PATH(new_uninit_in, 16, void *, (IN, struct ouro_type *type),
     return ouro_new_uninit_in_biased(in, type, 32))
#endif
