#!/bin/sh
# SPDX-License-Identifier: MIT
# peers.sh NIM [PROGRAM.nim ...]: what the programs here expect is what Nim's own ORC does. Compiles
# each with that unmodified compiler, runs it and compares its stdout with PROGRAM.out (from 2.0 on
# with PROGRAM.out2 where that exists). A program's own options stand in its comments: "# options: "
# for every version, "# options-1: " and "# options-2: " for one. Not run here: "# options-ouro: ",
# which switches on what only another runtime survives.
set -u
nim=${1:?usage: peers.sh NIM [PROGRAM.nim ...]}
shift
here=$(cd "$(dirname "$0")" && pwd) || exit 2
[ $# -gt 0 ] || set -- "$here"/*.nim

major=$("$nim" --version | sed -n 's/.*Version \([0-9]*\)\..*/\1/p' | head -n 1)
case $major in 1 | 2) ;; *) echo "peers.sh: not a Nim 1 or 2: $nim" >&2 && exit 2 ;; esac
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
passed=0
failed=0

fail() {
    failed=$((failed + 1))
    echo "FAILED $1: $2"
}

check() {
    name=$(basename "$1" .nim)
    want=$here/$name.out
    [ "$major" -lt 2 ] || [ ! -e "$here/$name.out2" ] || want=$here/$name.out2
    options=$(sed -n "s/^# options\(-$major\)\{0,1\}: //p" "$1")
    # The options are words to be split.
    # shellcheck disable=SC2086
    if ! "$nim" c -d:release --mm:orc --hints:off --warnings:off --verbosity:0 \
        $options --nimcache:"$dir/cache" -o:"$dir/program" "$1" >"$dir/log" 2>&1; then
        cat "$dir/log"
        fail "$name" "does not compile"
    elif ! timeout 60 "$dir/program" >"$dir/out" 2>"$dir/err"; then
        tail -n 5 "$dir/err"
        fail "$name" "does not end well"
    elif ! diff -u "$want" "$dir/out"; then
        fail "$name" "other output"
    else
        passed=$((passed + 1))
    fi
    rm -rf "$dir/cache"
}

for program; do check "$program"; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
