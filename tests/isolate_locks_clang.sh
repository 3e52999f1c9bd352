#!/bin/sh
# SPDX-License-Identifier: MIT
# isolate_locks_clang.sh CLANG FILE INCLUDE_DIR..: clang -Wthread-safety accepts the right uses of
# locks in FILE, and refuses each wrong one with the words that stand beside it.
set -u
clang=$1
file=$2
shift 2
case $clang in '' | *NOTFOUND)
    echo "skipped: clang is absent (package clang)"
    exit 77
    ;;
esac
includes=
for dir; do
    includes="$includes -I$dir"
done
said=$(mktemp)
trap 'rm -f "$said"' EXIT
bad=0

complain() {
    echo "$1"
    cat "$said"
    bad=1
}

for language in c c++; do
    # shellcheck disable=SC2086 # folders are words to be split
    compile() {
        "$clang" -x $language $includes -DWRONG="$1" -fsyntax-only -Wall -Wextra \
            -Wno-unused-function -Wno-unused-variable -Wthread-safety -Werror "$file" >"$said" 2>&1
    }
    compile 0 || complain "$language: the right code is refused"
    n=0
    while n=$((n + 1)) && words=$(sed -n "s,^#.*if WRONG == $n */\* \(.*\) \*/\$,\1,p" "$file") &&
        [ -n "$words" ]; do
        compile $n && complain "$language: wrong code $n is accepted"
        grep -qF "$words" "$said" || complain "$language: of wrong code $n it does not say: $words"
    done
    [ $n -gt 10 ] || complain "$language: only $n"
done
[ $bad -eq 0 ]
