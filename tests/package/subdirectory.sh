#!/bin/sh
# SPDX-License-Identifier: MIT
# subdirectory.sh ON|OFF: Ouro inside another project, shared or static.
. "$OURO_SOURCE/tests/package/common.sh"
configure_and_build "$here/subdirectory" -DOURO_SOURCE="$OURO_SOURCE" \
    -DBUILD_SHARED_LIBS="$1" -DOURO_THREADS="$OURO_THREADS"
build/use

# Only what was asked for was built.
libraries=$(find build -name 'libouro*' ! -type l | sed 's,.*/,,' | sort | tr '\n' ' ')
case $1:$libraries in
ON:"libouro.so.0.1.0 " | OFF:"libouro.a ") ;;
*)
    echo "built: $libraries"
    exit 1
    ;;
esac
