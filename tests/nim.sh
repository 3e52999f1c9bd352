#!/bin/sh
# SPDX-License-Identifier: MIT
# nim.sh NIM OURO_NIMS INCLUDES LIBRARY PROGRAM.nim DIRECTORY: compiles a program of tests/nim on Ouro,
# runs it and compares its stdout with PROGRAM.out, which Nim's own ORC printed (tests/nim/peers.sh).
# nim.sh memcheck PROGRAM.nim DIRECTORY: runs what was compiled under memcheck: no leak, no invalid
# access, the same output.
set -u

fail() {
    echo "FAILED: $1"
    exit 1
}

# expected PROGRAM.nim DIRECTORY
expected() {
    major=$(cat "$2/major")
    want=${1%.nim}.out
    [ "$major" -lt 2 ] || [ ! -e "${want}2" ] || want=${want}2
}

if [ "$1" = memcheck ]; then
    program=$2 dir=$3
    command -v valgrind >/dev/null || { echo "skipped: valgrind is absent" && exit 77; }
    expected "$program" "$dir"
    valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
        --log-file="$dir/memcheck" "$dir/program" >"$dir/out" || { cat "$dir/memcheck" && fail "memcheck"; }
    diff -u "$want" "$dir/out" || fail "other output under memcheck"
    exit 0
fi

nim=$1 nims=$2 includes=$3 library=$4 program=$5 dir=$6
mkdir -p "$dir/config/nim" || exit 2
major=$("$nim" --version | sed -n 's/.*Version \([0-9]*\)\..*/\1/p' | head -n 1)
echo "$major" >"$dir/major"
echo "include \"$nims\"" >"$dir/config/nim/config.nims" # what a project would have of its own
options=$(sed -n "s/^# options\(-$major\|-ouro\)\{0,1\}: //p" "$program")
# The options are words to be split.
# shellcheck disable=SC2086
XDG_CONFIG_HOME=$dir/config "$nim" c -f -d:release --hints:off --warnings:off --verbosity:0 \
    -d:ouroInclude="$includes" -d:ouroLib="$library" --nimcache:"$dir/cache" -o:"$dir/program" \
    $options "$program" >"$dir/log" 2>&1 || { cat "$dir/log" && fail "does not compile"; }
rm -rf "$dir/cache"
expected "$program" "$dir"
timeout 120 "$dir/program" >"$dir/out" || fail "does not end well"
diff -u "$want" "$dir/out" || fail "other output than Nim's own"
