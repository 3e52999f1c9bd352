#!/bin/sh
# SPDX-License-Identifier: MIT
# fastpath.sh OBJDUMP OBJECT...: the machine code of the inlined paths. Each function path_NAME_N of
# an object must get from its entry to its first return, no branch taken, in N instructions at most,
# without a call, a jump elsewhere or a locked instruction; and it must not call anywhere, so that
# it needs no stack. x86-64 only.
set -u
objdump=$1
shift
bad=0
for object; do
    case $("$objdump" -f "$object") in
    *x86-64*) ;;
    *) echo "$object: not x86-64" && exit 77 ;;
    esac
    "$objdump" -d --no-show-raw-insn "$object" | awk -v object="${object##*/}" '
        function finish() {
            if (name == "") return
            found++
            ok = n <= most && returned && why == ""
            printf "%s %s: %d instructions, at most %d%s\n", ok ? "  " : "* ", name, n, most,
                   returned ? why : why " (no return)"
            if (!ok) bad++
            name = ""
        }
        /^[0-9a-f]+ <path_/ {
            finish()
            name = $2; gsub(/[<>:]/, "", name)
            most = name; sub(/.*_/, "", most); most += 0
            n = 0; returned = 0; why = ""
            next
        }
        /^[0-9a-f]+ </ { finish(); next }
        name != "" && /^ *[0-9a-f]+:\t/ {
            op = $2
            if (op == "endbr64") next
            if (op ~ /^call/) why = why ", a call"
            if (returned) next
            n++
            if (op == "lock" || op ~ /^xchg/) why = why ", a locked instruction"
            if (op ~ /^jmp/) why = why ", a jump"
            if (op ~ /^(ret|repz)/) returned = 1
        }
        END {
            finish()
            print object ": " found + 0 " paths, " bad + 0 " beyond bounds"
            exit bad > 0 || found < 8
        }' || bad=1
done
exit $bad
