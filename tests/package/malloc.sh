#!/bin/sh
# SPDX-License-Identifier: MIT
# malloc.sh LIBOURO_MALLOC_SO: preloaded into programs as they are, those that bring a malloc and
# static ones included; opened at run time.
. "$OURO_SOURCE/tests/package/common.sh"
library=$1

preloaded() {
    LD_PRELOAD=$library "$@"
}

"$CC" -O1 -fno-builtin "$here/malloc_use.c" -o use -ldl
preloaded ./use
if ./use; then echo "it needs no library to be on it" && exit 1; fi

"$CC" -O1 -fno-builtin "$here/malloc_own.c" -o own
preloaded ./own

if "$CC" -static -O1 -fno-builtin "$here/malloc_own.c" -o own-static 2>static.log; then
    preloaded ./own-static
fi

"$CC" "$here/malloc_dlopen.c" -o open -ldl -lpthread
./open "$library"
preloaded ./use >/dev/null

# Programs of the system.
preloaded ls -lR "$OURO_SOURCE/alloc" >ls.log
preloaded sh -c 'i=0; while [ $i -lt 50 ]; do i=$((i + 1)); echo $i | cat; done' | tail -n 1 | grep -qx 50
seq 200000 -1 1 >numbers
preloaded sort -n --parallel=4 -S 1M numbers | head -n 1 | grep -qx 1
preloaded grep -c 7 numbers >/dev/null
preloaded "$CC" -O2 -c "$here/malloc_use.c" -o use.o
if command -v python3 >/dev/null; then
    preloaded python3 -c 'import json, threading, subprocess
text = json.dumps([{"n": str(i) * 3} for i in range(20000)])
threads = [threading.Thread(target=json.loads, args=(text,)) for _ in range(8)]
[t.start() for t in threads]
subprocess.run(["true"], check=True)
[t.join() for t in threads]'
fi
if command -v perl >/dev/null; then
    preloaded perl -e 'my %h; $h{$_} = "x" x ($_ % 50) for 1 .. 50000; exit(keys(%h) != 50000)'
fi

# With little address space they work, or say that there is no memory.
(ulimit -v 60000 && preloaded ls -l "$OURO_SOURCE" >/dev/null)
(ulimit -v 60000 && preloaded sort -n numbers | tail -n 1 | grep -qx 200000)
for size in 3000 6000 9000 12000 20000; do
    status=0
    (ulimit -v $size && preloaded ls -l "$OURO_SOURCE" >/dev/null 2>&1) || status=$?
    if [ "$status" -gt 128 ]; then echo "ulimit -v $size ends it by signal $((status - 128))" && exit 1; fi
done
