# SPDX-License-Identifier: MIT
set(hash "")
if(OURO_XXHASH_INCLUDE)
    set(hash hash.c)
endif()
ouro_layer(hooks
    SOURCES
        ${hash}
        builtin.c
        check.c
        deepcopy.c
        dup.c
        fields.c
        lift.c
        memo.c
        outside.c
        overlap.c
        payload.c
        refops.c
        registry.c
        relink.c
        seals.c
        seq.c
        states.c
        string.c
        tables.c
        trace.c
        twins.c
        unregister.c
    PUBLIC
        closure.h
        filter.h
        payload.h
        seq.h
        strings.h
        type.h
        value.h
)
