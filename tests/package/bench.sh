#!/bin/sh
# SPDX-License-Identifier: MIT
# An installed and moved ouro-bench finds its workers.
. "$OURO_SOURCE/tests/package/common.sh"
install_and_move
[ -x "$prefix/bin/ouro-bench" ] || skip "ouro-bench was left out"
"$prefix/bin/ouro-bench" threads --quick --rounds 2 --filter '^list$' --allocators ouro --dir .
