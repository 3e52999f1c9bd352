#!/bin/sh
# SPDX-License-Identifier: MIT
# static_malloc.sh LIBOURO_A: libouro.a links into a static program and leaves its malloc alone.
. "$OURO_SOURCE/tests/package/common.sh"
"$CC" -static -O1 -fno-builtin-malloc -I "$OURO_SOURCE" -I "$OURO_BUILD/include/ouro" \
    "$here/static_malloc.c" "$1" -o program
./program
