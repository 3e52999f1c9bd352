#!/bin/sh
# SPDX-License-Identifier: MIT
# peers.sh NIM [PROGRAM.nim ...]: what the programs here expect is what Nim's own ORC does. Compiles
# each with that unmodified compiler, runs it and compares its stdout with PROGRAM.out (from 2.0 on
# with PROGRAM.out2 where that exists). A program's own options stand in its comments: "# options: "
# for every version, "# options-1: " and "# options-2: " for one. Not run here: "# options-ouro: ",
# which switches on what only another runtime survives. "# few: " is its argument here: without it
# the program does more than that runtime survives. It is run once more with each "# also: ".
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

# compare PROGRAM.nim OPTIONS
compare() {
    name=$(basename "$1" .nim)
    program=$1
    shift
    want=$here/$name.out
    [ "$major" -lt 2 ] || [ ! -e "$here/$name.out2" ] || want=$here/$name.out2
    options=$(sed -n "s/^# options\(-$major\)\{0,1\}: //p" "$program")
    few=$(sed -n "s/^# few: //p" "$program")
    # The options are words to be split.
    # shellcheck disable=SC2086
    if ! "$nim" c --hints:off --warnings:off --verbosity:0 "$@" $options \
        --nimcache:"$dir/cache" -o:"$dir/program" "$program" </dev/null >"$dir/log" 2>&1; then
        cat "$dir/log"
        fail "$name" "does not compile: $*"
    elif ! timeout 60 "$dir/program" $few </dev/null >"$dir/out" 2>"$dir/err"; then
        tail -n 5 "$dir/err"
        fail "$name" "does not end well: $*"
    elif ! diff -u "$want" "$dir/out"; then
        fail "$name" "other output: $*"
    else
        passed=$((passed + 1))
    fi
    rm -rf "$dir/cache"
}

for one; do
    compare "$one" -d:release --mm:orc
    sed -n "s/^# also: //p" "$one" >"$dir/also"
    while read -r options; do
        case " $options" in
        *" --mm:"* | *" --gc:"* | *" --newruntime"*) ;;
        *) options="$options --mm:orc" ;;
        esac
        # shellcheck disable=SC2086
        compare "$one" $options
    done <"$dir/also"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
