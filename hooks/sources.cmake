# SPDX-License-Identifier: MIT
ouro_layer(hooks
    SOURCES
    PUBLIC
        type.h
        value.h
)
