# SPDX-License-Identifier: MIT
ouro_layer(alloc
    SOURCES
        version.c
    PUBLIC
        atomic.h
        platform.h
        version.h
)
