#!/bin/sh
# SPDX-License-Identifier: MIT
# layers.sh SOURCE_DIR PUBLIC_HEADERS_LIST: the rules of the tree, checked by reading it.
#
#   1. Includes point only leftwards: alloc < hooks < orc < isolate.
#   2. A public header includes only public headers.
#   3. A header that is not public says "Internal to <layers>." in its first comment.
#   4. It is included in those layers alone.
#   5. Every file of ours has an SPDX line at its top.
set -u
cd "$1" || exit 2
public=$2
bad=0

complain() {
    echo "$*"
    bad=$((bad + 1))
}

level() {
    case $1 in
    alloc) echo 1 ;;
    hooks) echo 2 ;;
    orc) echo 3 ;;
    isolate) echo 4 ;;
    *) echo 0 ;;
    esac
}

# "path" of every #include "path" in a file.
includes() {
    sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]\([^">]*\)[">].*/\1/p' "$1"
}

# internal_to LAYER HEADER: the header's first comment names the layer.
internal_to() {
    head -n 3 "$2" | grep -q "Internal to \([a-z, ]* \)*$1[, .]"
}

for layer in alloc hooks orc isolate; do
    [ -d "$layer" ] || continue
    own=$(level "$layer")
    for file in $(find "$layer" -name '*.[ch]' -o -name '*.h.in' | sort); do
        for included in $(includes "$file"); do
            other=$(level "${included%%/*}")
            case $included in */*) ;; *) [ -e "$layer/$included" ] &&
                complain "$file: write \"$layer/$included\", not \"$included\"" ;;
            esac
            if [ "$other" -gt 0 ] && [ -e "$included" ] && ! grep -qxF "$included" "$public"; then
                internal_to "$layer" "$included" || complain "$file: $included is not for $layer"
            fi
            [ "$included" = ouro.h ] && complain "$file: a layer does not include ouro.h"
            [ "$other" -gt "$own" ] && complain "$file: includes $included, to the right of $layer"
            [ "$other" -gt 0 ] && grep -qxF "$file" "$public" && ! grep -qxF "$included" "$public" &&
                complain "$file: public, but includes $included, which is not"
        done
        case $file in
        *.h)
            grep -qxF "$file" "$public" || internal_to "$layer" "$file" ||
                complain "$file: neither in a PUBLIC list nor \"Internal to $layer.\""
            ;;
        esac
    done
done

while read -r header; do
    [ "$header" = alloc/config.h ] || [ -e "$header" ] || complain "$header: listed, but not there"
done <"$public"

for file in $(find . \( -name build -o -name out -o -name '.?*' \) -prune -o -type f \
    \( -name '*.[ch]' -o -name '*.h.in' -o -name '*.cpp' -o -name '*.cc' -o -name '*.sh' -o \
    -name '*.cmake' -o -name '*.cmake.in' -o -name CMakeLists.txt -o -name '*.py' -o -name '*.nim' \
    -o -name '*.pml' -o -name '*.map' -o -name dev \) -print | sort) .ci/run; do
    [ -e "$file" ] || continue
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || complain "$file: no SPDX line"
done

echo "$bad complaints"
[ "$bad" -eq 0 ]
