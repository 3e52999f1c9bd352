# SPDX-License-Identifier: MIT
ouro_layer(alloc
    SOURCES
        version.c
    PUBLIC
        atomic.h
        layout.h
        platform.h
        pool.h
        sizeclass.h
        status.h
        version.h
)
