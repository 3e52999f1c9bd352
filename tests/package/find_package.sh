#!/bin/sh
# SPDX-License-Identifier: MIT
# An installed and moved Ouro is found by find_package, and every target of it works.
. "$OURO_SOURCE/tests/package/common.sh"
install_and_move
configure_and_build "$here/find_package" -DCMAKE_PREFIX_PATH="$prefix"
count=0
for program in build/use-*; do
    "./$program"
    count=$((count + 1))
done
[ "$count" -ge 4 ]
