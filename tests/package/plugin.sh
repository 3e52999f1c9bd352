#!/bin/sh
# SPDX-License-Identifier: MIT
# plugin.sh LIBOURO_A: a plugin that links the static library may be closed while threads that used
# it run. It is unloaded then, which the shared library never is.
. "$OURO_SOURCE/tests/package/common.sh"
"$CC" "$here/dlopen.c" -o program -ldl -lpthread
"$CC" -shared -o plugin.so -Wl,--whole-archive "$1" -Wl,--no-whole-archive -latomic_ops -lpthread
./program ./plugin.so
