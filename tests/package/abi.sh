#!/bin/sh
# SPDX-License-Identifier: MIT
# abi.sh LIBOURO_SO LIBOURO_A: what was compiled against another ABI is refused, by name: by the
# linker, by the loader and by dlopen. In C and C++, optimised, with unused sections collected, by a
# unit that includes but one header.
. "$OURO_SOURCE/tests/package/common.sh"
library=$1 archive=$2
suffix=_single libraries=
if [ "$OURO_THREADS" = ON ]; then
    suffix='' libraries='-lpthread -latomic_ops'
fi
soname=$(basename "$(readlink "${library%.so*}.so")")
headers="-I$OURO_SOURCE -I$OURO_BUILD/include/ouro"
mkdir -p right wrong
cp "$library" "right/$soname"
"$CC" -shared -fPIC -DSYMBOL=ouro_abi_2$suffix "$here/stub.c" -Wl,-soname,"$soname" -o "wrong/$soname"
cp "$here/abi.c" abi.cpp

# refused FILE COMMAND...: it fails, and names the symbol in FILE.
refused() {
    said=$1
    shift
    if "$@" >"$said" 2>&1; then
        echo "not refused: $*" && cat "$said" && exit 1
    fi
    grep -q "ouro_abi_2$suffix" "$said" || { echo "the symbol is not named: $*" && cat "$said" && exit 1; }
}

compilers="$CC:$here/abi.c"
[ -z "${CXX:-}" ] || compilers="$compilers $CXX:abi.cpp"
for header in ouro.h alloc/status.h orc/rc.h hooks/type.h; do
    for compiler in $compilers; do
        for how in "-O0" "-O2 -fPIE -pie -ffunction-sections -fdata-sections -Wl,--gc-sections" \
            "-O2 -fno-pie -no-pie -fdata-sections -Wl,--gc-sections" "-O2 -flto -Wl,--gc-sections"; do
            compile="${compiler%%:*} ${compiler#*:} $headers -DUNIT=\"$header\" $how"
            # The flags are words to be split.
            # shellcheck disable=SC2086
            refused link.log $compile -DOURO_ABI=2 -o program "right/$soname"
            # shellcheck disable=SC2086
            refused link.log $compile -DOURO_ABI=2 -o program "$archive" $libraries
            # shellcheck disable=SC2086
            $compile -DOURO_ABI=2 -o program "wrong/$soname"
            LD_LIBRARY_PATH=wrong ./program >run.log
            LD_LIBRARY_PATH=right refused load.log ./program
            if grep -q "it ran" load.log; then exit 1; fi
            # shellcheck disable=SC2086
            $compile -o program "right/$soname"
            LD_LIBRARY_PATH=right ./program >run.log
        done
    done
done
cat load.log

# A plug-in of another ABI.
# shellcheck disable=SC2086
"$CC" -O2 -shared -fPIC $headers -DUNIT='"ouro.h"' -DOURO_ABI=2 "$here/abi.c" -o plugin.so \
    -Wl,--gc-sections "wrong/$soname"
cat >host.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(void)
{
    void *plugin = dlopen("./plugin.so", RTLD_LAZY);
    puts(plugin ? "it was opened" : dlerror());
    return plugin == NULL;
}
END
"$CC" host.c -o host -ldl
LD_LIBRARY_PATH=right refused open.log ./host
LD_LIBRARY_PATH=wrong ./host >run.log

# What the reference costs: at most a pointer a unit.
# shellcheck disable=SC2086
"$CC" -O2 -c $headers -DUNIT='"ouro.h"' "$here/abi.c" -o abi.o
size -A abi.o | awk '$1 ~ /^\.(data|bss|rodata$|tbss|tdata)/ { sum += $2 } END { print sum + 0 " bytes"; exit sum > 8 }'
