#!/bin/sh
# SPDX-License-Identifier: MIT
# malloc_symbols.sh NM MAP LIBRARY: the library exports what the map names, all of it and no more,
# and wants nothing of libc that allocates.
set -u
nm=$1 map=$2 library=$3
named=$(sed -n '/^global:/,/^local:/p' "$map" | grep -v ':' | tr -d ' \n' | tr ';' '\n' | sort)
shown=$($nm -D --defined-only -f posix "$library" | awk '{ print $1 }' | sort) || exit 2
wanted=$($nm -D --undefined-only -f posix "$library" | sed 's/[ @].*//' | sort)
bad=0
if [ "$named" != "$shown" ]; then
    echo "the map names:" $named
    echo "the library shows:" $shown
    bad=1
fi
for name in malloc free calloc realloc posix_memalign aligned_alloc printf fprintf snprintf fopen \
    strdup pthread_create __cxa_thread_atexit_impl __tls_get_addr sbrk brk; do
    if printf '%s\n' "$wanted" | grep -qx "$name"; then
        echo "the library calls $name"
        bad=1
    fi
done
exit $bad
