#!/bin/sh
# SPDX-License-Identifier: MIT
# ctypes.sh LIBOURO_SO: the library can be opened and called from Python.
. "$OURO_SOURCE/tests/package/common.sh"
command -v python3 >/dev/null || skip "no python3"
python3 -c 'import ctypes' 2>/dev/null || skip "python3 has no ctypes (package python3)"
python3 "$here/use_ctypes.py" "$1" "$OURO_SOURCE/orc/abi.json"
