#!/bin/sh
# SPDX-License-Identifier: MIT
# checked.sh LIBOURO_SO LIBOURO_CHECKED_SO: a program that was compiled and linked once, against the
# release headers and libouro, is started on libouro-checked, preloaded and in the place of libouro:
# every misuse of every inlined path is named, with its type. On libouro itself it runs as well.
. "$OURO_SOURCE/tests/package/common.sh"
library=$1 checked=$2
soname=$(basename "$(readlink "${library%.so*}.so")")
ulimit -c 0
mkdir release replaced
cp "$library" "release/$soname"
cp "$checked" "replaced/$soname"
"$CC" -O2 -Wall -Wextra -Werror -I"$OURO_SOURCE" -I"$OURO_BUILD/include/ouro" "$here/checked.c" \
    -o program "release/$soname" -lpthread

# on HOW [CASE]: runs it.
on() {
    case $1 in
    release) LD_LIBRARY_PATH=release ./program ${2:+"$2"} ;;
    preloaded) LD_LIBRARY_PATH=release LD_PRELOAD="$checked" ./program ${2:+"$2"} ;;
    replaced) LD_LIBRARY_PATH=replaced ./program ${2:+"$2"} ;;
    esac
}

for how in release preloaded replaced; do
    OURO_LEAKS=1 on $how >said 2>&1 || { echo "$how: failed" && cat said && exit 1; }
    [ ! -s said ] || { echo "$how: it said something" && cat said && exit 1; }
done
missed=0
for how in preloaded replaced; do
    n=0
    while status=0 && { on $how $n >expected 2>said || status=$?; } && [ "$status" -ne 9 ]; do
        kind=$(sed -n 1p expected) type=$(sed -n 2p expected)
        if ! grep -q "^ouro: $kind: .*${type:+ of type $type: }" said; then
            echo "$how, case $n: expected $kind, $type; status $status, said: $(cat said)"
            missed=$((missed + 1))
        fi
        n=$((n + 1))
    done
    echo "$how: $n misuses"
done
[ "$n" -ge 200 ] && [ "$missed" -eq 0 ]
