#!/bin/sh
# SPDX-License-Identifier: MIT
# valgrind.sh memory|threads PROGRAM: runs each of the program's acts under memcheck, or under
# helgrind and DRD, on libc's blocks and on Ouro's pages, and looks at the report.
# valgrind.sh quiet PROGRAM: a test that passes under helgrind and DRD, which find nothing.
set -u

what=$1
program=$2
if ! command -v valgrind >/dev/null; then
    echo "skipped: valgrind is absent (package valgrind)"
    exit 77
fi
report=$(mktemp)
trap 'rm -f "$report"' EXIT
failed=0

# run SUPPLY ACT VALGRIND-ARGUMENTS: the report into $report; 9 where there was an error.
run() {
    supply=$1 act=$2
    shift 2
    OURO_SUPPLY=$supply OURO_LEAKS=0 valgrind --error-exitcode=9 --log-file="$report" "$@" \
        "$program" ${act:+"$act"} >/dev/null 2>&1
}

complain() {
    echo "FAILED: $1"
    cat "$report"
    failed=1
}

# finds SUPPLY ACT PATTERN ..: memcheck reports an error that has all the patterns.
finds() {
    supply=$1 act=$2
    shift 2
    run "$supply" "$act" --leak-check=full --errors-for-leak-kinds=definite,possible
    status=$?
    [ $status -eq 9 ] || complain "memcheck, supply $supply, $act: exit status $status, not 9"
    for pattern; do
        grep -q -e "$pattern" "$report" ||
            complain "memcheck, supply $supply, $act: no \"$pattern\""
    done
}

is_clean() {
    tool=$1 supply=$2 act=$3
    shift 3
    run "$supply" "$act" --tool="$tool" "$@"
    status=$?
    [ $status -eq 0 ] || complain "$tool, supply $supply, $act: exit status $status, not 0"
}

memory() {
    for supply in 1 2; do
        finds $supply read_freed_object "Invalid read of size 8" "at 0x[0-9A-F]*: read_freed_object" \
            "Address 0x[0-9a-f]* is [0-9]* bytes \(inside\|before\)"
        finds $supply read_freed_block "Invalid read of size 8" "at 0x[0-9A-F]*: read_freed_block" \
            "is 24 bytes inside a block of size [0-9]* free'd"
        finds $supply read_behind_object "Invalid read of size 8" \
            "at 0x[0-9A-F]*: read_behind_object"
        finds $supply use_unwritten_object "depends on uninitialised" \
            "at 0x[0-9A-F]*: use_unwritten_object"
        finds $supply use_unwritten_block "depends on uninitialised" \
            "at 0x[0-9A-F]*: use_unwritten_block"
        finds $supply lose_object "24 bytes in 1 blocks are definitely lost" "by 0x[0-9A-F]*: lose_object"
        finds $supply lose_block "are definitely lost" "by 0x[0-9A-F]*: lose_block"
        is_clean memcheck $supply keep_all --leak-check=full --errors-for-leak-kinds=definite,possible
        is_clean memcheck $supply end_runtimes --leak-check=full \
            --errors-for-leak-kinds=definite,possible
        is_clean memcheck $supply nothing_wrong --leak-check=full \
            --errors-for-leak-kinds=definite,possible
    done
}

threads() {
    for supply in 1 2; do
        for tool in helgrind drd; do
            for act in queue shared parked remote adopted taken_over; do
                [ $act$supply != remote2 ] || continue # libc's blocks do not come back for sure
                is_clean $tool $supply $act
            done
            run $supply race --tool=$tool
            status=$?
            [ $status -eq 9 ] || complain "$tool, supply $supply: the seeded race is not found"
            grep -q -e "vg_threads.c" "$report" || complain "$tool, supply $supply: no line"
        done
    done
}

quiet() {
    for tool in helgrind drd; do
        for supply in 1 2; do
            run $supply '' --tool=$tool || complain "$tool, supply $supply: $program"
        done
    done
}

$what
exit $failed
