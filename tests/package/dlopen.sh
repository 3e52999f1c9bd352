#!/bin/sh
# SPDX-License-Identifier: MIT
# dlopen.sh LIBOURO_SO: the library can be opened at run time by a program that knows nothing of it.
. "$OURO_SOURCE/tests/package/common.sh"
"$CC" "$here/dlopen.c" -o program -ldl -lpthread
./program "$1"
