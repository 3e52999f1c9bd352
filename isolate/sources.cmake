# SPDX-License-Identifier: MIT
ouro_layer(isolate
    SOURCES
        escape.c
        extract.c
        isolate.c
    PUBLIC
        isolated.h
)
