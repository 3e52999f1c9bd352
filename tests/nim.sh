#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs of tests/nim on Ouro. What each prints is compared with PROGRAM.out, which Nim's own ORC
# printed (tests/nim/peers.sh); "# options: " and the like in their comments are explained there. A
# program with "# leaks: N" runs with OURO_LEAKS=N: what it then tells is compared with PROGRAM.err.
#
# nim.sh run NIM OURO_NIMS INCLUDES LIBRARY DIRECTORY PROGRAM.nim: compiles for release and runs.
# nim.sh also NIM OURO_NIMS INCLUDES LIBRARY DIRECTORY 'BACKEND OPTIONS' PROGRAM.nim...: compiles
#   for debugging, with those options, and runs; then once with each "# also: " alone. One that says
#   "# not: cpp" stays with C: Nim's own does not print the same there.
# nim.sh memcheck DIRECTORY PROGRAM.nim: runs what `run` compiled under memcheck: no leak, nothing
#   invalid, the same output. "# few: " is the argument of who takes too long for that.
set -u

fail() {
    echo "FAILED: $1"
    exit 1
}

# said WHAT PROGRAM.nim: in its comments "# WHAT: ".
said() {
    sed -n "s/^# $1: //p" "$2"
}

# want SUFFIX: the file that PROGRAM's output is compared with.
want() {
    file=${program%.nim}.$1
    [ "$(cat "$dir/major")" -lt 2 ] || [ ! -e "${file}2" ] || file=${file}2
    echo "$file"
}

begin() {
    nim=$1 nims=$2 includes=$3 library=$4 dir=$5
    rm -rf "$dir"
    mkdir -p "$dir/config/nim" || exit 2
    major=$("$nim" --version | sed -n 's/.*Version \([0-9]*\)\..*/\1/p' | head -n 1)
    echo "$major" >"$dir/major"
    echo "include \"$nims\"" >"$dir/config/nim/config.nims" # what a project would have of its own
}

# compile CACHE BACKEND [OPTIONS]: $program.
compile() {
    cache=$dir/$1
    shift
    # Options are words to be split.
    # shellcheck disable=SC2046
    XDG_CONFIG_HOME=$dir/config "$nim" "$@" --hints:off --warnings:off --verbosity:0 \
        -d:ouroInclude="$includes" -d:ouroLib="$library" --nimcache:"$cache" -o:"$dir/program" \
        $(said "options\(-$major\|-ouro\)\{0,1\}" "$program") "$program" \
        </dev/null >"$dir/log" 2>&1 || { cat "$dir/log" && fail "$program does not compile: $*"; }
}

# Runs it.
check() {
    leaks=$(said leaks "$program")
    OURO_LEAKS=${leaks:--1} timeout 120 "$dir/program" </dev/null >"$dir/out" 2>"$dir/err" ||
        { cat "$dir/err" && fail "$program does not end well: $*"; }
    diff -u "$(want out)" "$dir/out" || fail "$program: other output than Nim's own: $*"
    [ -n "$leaks" ] || return 0
    told >"$dir/told"
    diff -u "$(want err)" "$dir/told" || fail "$program: other leaks: $*"
}

# What was told, sorted: the place of a birth as the proc that it is in, the hash of a generic type
# as the name in the C files.
told() {
    while read -r line; do
        at=$(echo "$line" | sed -n 's/.*, born at .*\(0x[0-9a-f]*\),.*/\1/p')
        if [ -n "$at" ]; then
            proc=$(addr2line -Cfe "$dir/program" "$at" | sed -n '1s/__.*//; 1p')
            line=$(echo "$line" | sed "s/born at .*$at/born in $proc/")
        fi
        hash=$(echo "$line" | sed -n 's/.* of type \(__[A-Za-z0-9]*\),.*/\1/p')
        if [ -n "$hash" ]; then
            name=$(cat "$cache"/*.nim.c* | sed -n "s/.*tyObject_\([A-Za-z]*\)_*$hash.*/\1/p" |
                sed '1q')
            line=$(echo "$line" | sed "s/$hash/generic ${name%colonObjectType}/")
        fi
        echo "$line"
    done <"$dir/err" | LC_ALL=C sort
}

case $1 in
run)
    shift
    begin "$@"
    program=$6
    compile cache c -d:release
    check
    rm -rf "$dir/cache"
    ;;
also)
    shift
    begin "$@"
    row=$6
    shift 6
    for program; do
        way=$row
        [ "$(said not "$program")" != "${way%% *}" ] || way=c
        # shellcheck disable=SC2086
        compile cache $way --threads:on
        check "$way"
        said also "$program" >"$dir/also"
        while read -r options; do
            # shellcheck disable=SC2086
            compile "cache $options" c $options
            check "$options"
        done <"$dir/also"
    done
    rm -rf "$dir"/cache*
    ;;
memcheck)
    dir=$2 program=$3
    command -v valgrind >/dev/null || { echo "skipped: valgrind is absent" && exit 77; }
    # An object is known to memcheck from the address that the program has, so to lose all but what
    # points inside is an error as well ("possible").
    # shellcheck disable=SC2046
    valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,possible \
        --errors-for-leak-kinds=definite,possible --log-file="$dir/memcheck" \
        "$dir/program" $(said few "$program") >"$dir/out" ||
        { cat "$dir/memcheck" && fail "memcheck"; }
    diff -u "$(want out)" "$dir/out" || fail "other output under memcheck"
    ;;
esac
