#!/bin/sh
# SPDX-License-Identifier: MIT
# dev.sh SOURCE_DIR: ./dev explains itself, refuses what it does not know, and its package list is
# well formed. It installs and builds nothing.
set -eu
cd "$1"
for verb in bench test nim stress asan tsan memcheck aarch64 musl docs install help; do
    ./dev help | grep -q "^  $verb " || { echo "help lacks $verb"; exit 1; }
done
if ./dev no-such-verb >/dev/null 2>&1; then
    echo "an unknown verb is accepted"
    exit 1
fi
if ./dev test some >/dev/null 2>&1; then
    echo "an argument that test does not take is passed over"
    exit 1
fi
# A compiler that is not there leaves its preset out, by name; one that is there does not.
said=$(
    say() { echo "$*"; }
    run_tests() { echo "run $1"; }
    eval "$(sed -n '/^run_foreign() {/,/^}/p' dev)"
    run_foreign here sh sh
    run_foreign there sh no-such-compiler
)
if [ "$said" != "run here
preset there skipped: there is no no-such-compiler" ]; then
    echo "run_foreign says: $said"
    exit 1
fi
awk '/^#/ || NF == 0 { next }
     NF < 4 || ($2 != "required" && $2 != "optional") { print "packages.txt: " $0; bad = 1 }
     END { exit bad }' packages.txt
[ -x .ci/run ]
