/* SPDX-License-Identifier: MIT */
/* The inlined paths, one a function, for fastpath.sh to disassemble: compiled as a program's code,
 * never run. Each says how many instructions its fast path may have, the return included. */
#include "ouro.h"

#define PATH(name, most, result, parameter, act)                                                   \
    result path_##name##_##most(parameter);                                                        \
    result path_##name##_##most(parameter)                                                         \
    {                                                                                              \
        act;                                                                                       \
    }

PATH(alloc_sized, 8, void *, void, return ouro_alloc_sized(32))
PATH(free_sized, 20, void, void *p, ouro_free_sized(p, 32))
PATH(incref_biased, 10, void, void *p, ouro_incref_biased(p))
PATH(decref_biased, 13, void, void *p, ouro_decref_biased(p))
PATH(decref_acyclic_biased, 10, void, void *p, ouro_decref_acyclic_biased(p))
PATH(incref_local, 7, void, void *p, ouro_incref_local(p))
PATH(decref_local, 10, void, void *p, ouro_decref_local(p))
PATH(decref_acyclic_local, 7, void, void *p, ouro_decref_acyclic_local(p))
