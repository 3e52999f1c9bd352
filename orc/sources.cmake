# SPDX-License-Identifier: MIT
ouro_layer(orc
    SOURCES
    PUBLIC
        cycle.h
        header.h
        object.h
        rc.h
        rc_atomic.h
        rc_biased.h
        rc_local.h
        release.h
        slot.h
        thread.h
        weak.h
)
