#!/bin/sh
# SPDX-License-Identifier: MIT
# symbols.sh NM LIBRARY...: every global that a library defines starts with ouro_. What a shared
# library exports starts with ouro_ and, if it is internal (ouro__), is reached by inline code.
set -u
nm=$1
shift
bad=0
for library; do
    case $library in
    *.a) flags=-g ;;
    *) flags='-D' ;;
    esac
    symbols=$($nm $flags --defined-only -f posix "$library" | awk 'NF >= 2 { print $1 }') || exit 2
    count=$(printf '%s\n' "$symbols" | grep -c '^ouro_')
    foreign=$(printf '%s\n' "$symbols" | grep -v -e '^ouro_' -e '^$' -e ':$')
    echo "$library: $count names"
    if [ "$count" -eq 0 ]; then
        echo "  no name at all: wrong file?"
        bad=1
    fi
    if [ -n "$foreign" ]; then
        printf '  not ours: %s\n' $foreign
        bad=1
    fi
done
exit $bad
