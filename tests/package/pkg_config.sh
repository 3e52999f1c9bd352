#!/bin/sh
# SPDX-License-Identifier: MIT
# An installed and moved Ouro is found by pkg-config, for shared and for static linking.
. "$OURO_SOURCE/tests/package/common.sh"
command -v pkg-config >/dev/null || skip "no pkg-config"
install_and_move
pc=$(find "$prefix" -name ouro.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
libdir=$(dirname "$PKG_CONFIG_PATH")

# The flags are words to be split.
# shellcheck disable=SC2046
"$CC" "$here/consumer.c" -o shared $(pkg-config --cflags --libs ouro)
LD_LIBRARY_PATH=$libdir ./shared
# The guide's blocks, one after the other, are a program.
if [ "$OURO_THREADS" = ON ]; then
    awk '/^```c /{ on = 1; next } /^```/{ on = 0 } on' "$OURO_SOURCE/docs/guide.md" >guide.c
    # shellcheck disable=SC2046
    "$CC" -Wall -Wextra -Werror -pthread guide.c -o guide $(pkg-config --cflags --libs ouro)
    LD_LIBRARY_PATH=$libdir ./guide
fi
# shellcheck disable=SC2046
"$CC" -static "$here/consumer.c" -o static $(pkg-config --static --cflags --libs ouro)
./static
[ "$(pkg-config --modversion ouro)" = "$(./static | sed 's/linked \([^,]*\),.*/\1/')" ]
if pkg-config --exists ouro-malloc; then
    # shellcheck disable=SC2046
    "$CC" -O1 -fno-builtin "$here/malloc_use.c" -o use $(pkg-config --libs ouro-malloc) -ldl
    LD_LIBRARY_PATH=$libdir ./use
fi
