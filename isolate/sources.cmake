# SPDX-License-Identifier: MIT
ouro_layer(isolate
    SOURCES
        escape.c
        extract.c
        isolate.c
        links.c
        list.c
        walk.c
    PUBLIC
        isolated.h
)
