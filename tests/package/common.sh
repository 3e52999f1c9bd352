# SPDX-License-Identifier: MIT
# Read by the other scripts. From ctest: OURO_SOURCE and OURO_BUILD (directories), OURO_WORK (a
# directory to be made anew), OURO_CMAKE, OURO_GENERATOR, OURO_THREADS, CC, CXX.
set -eu
here=$OURO_SOURCE/tests/package
rm -rf "$OURO_WORK"
mkdir -p "$OURO_WORK"
cd "$OURO_WORK"

skip() {
    echo "skipped: $*"
    exit 77
}

# Installs the build to one place and moves it to $prefix, so that a path left behind is found out.
install_and_move() {
    "$OURO_CMAKE" --install "$OURO_BUILD" --prefix "$OURO_WORK/first" >install.log
    prefix=$OURO_WORK/moved
    mv first moved
    if grep -rIl -e "$OURO_SOURCE" -e "$OURO_WORK" "$prefix"; then
        echo "these installed files name a place on this machine"
        exit 1
    fi
    if grep -rl "Internal to" "$prefix/include"; then
        echo "these installed headers are internal"
        exit 1
    fi
}

# configure_and_build SOURCE_DIR [cmake argument ...]: a consumer, in ./build
configure_and_build() {
    consumer=$1
    shift
    "$OURO_CMAKE" -G "$OURO_GENERATOR" -S "$consumer" -B build -DCMAKE_C_COMPILER="$CC" "$@"
    "$OURO_CMAKE" --build build -j 2
}
