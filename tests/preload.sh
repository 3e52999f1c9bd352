#!/bin/sh
# SPDX-License-Identifier: MIT
# preload.sh LIBRARY WORK SUITE ...: test suites of other programs pass with the library preloaded, as
# far as they do without it.
#   python INTERPRETER MODULE    a module of CPython's tests, on malloc
#   numpy INTERPRETER MODULE ... modules of NumPy's tests, on malloc
#   glib DIRECTORY               GLib's tests of its own data, threads and processes, each a program
set -u
library=$1 work=$2 suite=$3
shift 3
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 2
export HOME="$work" PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1 G_SLICE=always-malloc LC_ALL=C.UTF-8
unset LD_PRELOAD OURO_HARDEN

# What cannot be loaded is passed over without much ado.
LD_PRELOAD=$library OURO_STATS=1 env true 2>&1 | grep -q '^ouro' || exit 2

# What failed, a line each, in what a suite wrote.
failed() {
    grep -E '^(FAIL|ERROR|FAILED|not ok)[: ]' "$1" | sort -u
}

# compare COMMAND ...: 0 if all that fails with the library fails without it too.
compare() {
    LD_PRELOAD=$library "$@" >with.log 2>&1 </dev/null
    with=$?
    [ $with -eq 0 ] && return 0
    "$@" >without.log 2>&1 </dev/null
    without=$?
    failed with.log >with.names
    failed without.log >without.names
    comm -23 with.names without.names >only.names
    if [ $with -eq $without ] && [ -s without.names ] && [ ! -s only.names ]; then
        echo "fails without the library too:"
        cat without.names
        return 0
    fi
    echo "with the library $with, without $without: $*"
    cat only.names
    tail -n 60 with.log
    return 1
}

# passed PATTERN COUNT: so many lines of the run with the library tell of a test that passed.
passed() {
    n=$(grep -c "$1" with.log)
    echo "$n tests passed"
    [ "$n" -ge "$2" ]
}

glib_programs='array-test asyncqueue atomic autoptr base64 basic-signals basics-gobject binding bitlock
    bookmarkfile boxed bytes cache cancellable charset checksum closure collate contexts convert
    credentials data-input-stream data-output-stream dataset date defaultvalue deftype dir
    dynamictests dynamictype enums environment error filter-streams flags g-file-info gdbus-addresses
    gdbus-message gdbus-peer-object-manager guuid hash hmac hook hostutils inet-address io-stream
    keyfile list logging mappedfile mapping markup markup-collect markup-parse mem-overflow memchunk
    memory-input-stream memory-output-stream node object once onceinit option-context overflow
    override param pattern pollable private protocol qdata queue rand rcbox readwrite reference
    references refstring regex relation search-utils shell signal-handler signalgroup signals
    simple-async-result singleton slist sort spawn-multithreaded spawn-singlethread spawn-test
    srvtarget strfuncs string strvbuilder task test-printf thread thread-pool threadtests timer tree
    type type-flags uri utf8-misc utf8-validate utils'

glib() {
    ran=0 bad=0
    for name in $glib_programs; do
        [ -x "$1/$name" ] || continue
        ran=$((ran + 1))
        compare "$1/$name" || bad=$((bad + 1))
    done
    echo "$ran programs, $bad of them failed"
    [ $ran -ge 100 ] && [ $bad -eq 0 ] # a later GLib may have others
}

case $suite in
    python) compare "$1" -m test -v "$2" && passed 'ok$' 10 ;;
    numpy)
        python=$1
        shift
        compare "$python" -m pytest -v -p no:cacheprovider --pyargs "$@" && passed ' PASSED ' 1000
        ;;
    glib) glib "$1" ;;
    *) exit 2 ;;
esac
