#!/bin/sh
# SPDX-License-Identifier: MIT
# A Nim project finds an installed and moved Ouro by one include; the code of docs/nim.md, run.
. "$OURO_SOURCE/tests/package/common.sh"
command -v nim >/dev/null || skip "no nim"
install_and_move
mv "$prefix" "$OURO_WORK/it's moved" # what a shell would take for more than a path
prefix="$OURO_WORK/it's moved"

# block FILE: the block of the page that has this name.
block() {
    awk -v name="$1" '$1 ~ /^```/ && on { exit } on { print } $1 ~ /^```/ && $2 == name { on = 1 }' \
        "$OURO_SOURCE/docs/nim.md"
}
rm -rf project
mkdir project
cd project
for file in config.nims tree.nim tree.out; do
    block $file | sed "s|PREFIX|$prefix|" >$file
    [ -s $file ]
done
for options in "" "-d:release --threads:on" "-d:danger -d:useMalloc"; do
    # The options are words to be split.
    # shellcheck disable=SC2086
    nim c --hints:off --verbosity:0 --nimcache:cache $options -o:tree tree.nim
    ./tree | diff -u tree.out -
done
sed /GC_prepareOrc/d tree.nim >arc.nim # no roots there
nim c --hints:off --verbosity:0 --nimcache:cache-arc -d:release --mm:arc -o:arc arc.nim
./arc | grep -q "all gone: false" # the cycle stays
