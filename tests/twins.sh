#!/bin/sh
# SPDX-License-Identifier: MIT
# twins.sh NM SOURCE_DIR PUBLIC_HEADERS LIBRARY...: each public inline function has an exported twin
# of its name (alloc/twin.h) in every library. Static ones must have them too.
set -u
nm=$1 source=$2 headers=$3
shift 3
bad=0
list=$(mktemp) || exit 2
cd "$source" || exit 2
# shellcheck disable=SC2046
names=$(cat $(grep -v '^alloc/config\.h$' "$headers") | tr '\n' ' ' |
    grep -o 'OURO_INLINE [^(;{]*(' | sed 's/ *($//; s/.*[ *]//' | grep '^ouro_[^_]' | sort -u)
[ "$(printf '%s\n' "$names" | wc -l)" -ge 50 ] || { echo "too few names: $names" && exit 1; }
for library; do
    case $library in
    *.a) flags=-g ;;
    *) flags='-D' ;;
    esac
    "$nm" $flags --defined-only -f posix "$library" >"$list" || exit 2
    for name in $names; do
        grep -q "^$name T " "$list" || { echo "$library: no twin of the inline $name" && bad=1; }
    done
done
rm -f "$list"
echo "$(printf '%s\n' "$names" | wc -l) inline functions"
exit $bad
