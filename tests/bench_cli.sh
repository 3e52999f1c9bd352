#!/bin/sh
# SPDX-License-Identifier: MIT
# bench_cli.sh OURO_BENCH BENCH_SHAPE: what ouro-bench prints, writes and refuses.
set -u
bench=$1
shape=$2
bad=0
search=$PATH
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT

complain() {
    echo "$*"
    bad=$((bad + 1))
}

# refuses TEXT ARGUMENTS: exit status 2, and a message with TEXT.
refuses() {
    text=$1
    shift
    PATH=$search "$bench" "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    [ "$status" -eq 2 ] || complain "ouro-bench $*: status $status, not 2"
    grep -q -- "$text" "$dir/err" || complain "ouro-bench $*: said: $(cat "$dir/err")"
}

# fake WORKER COMMAND: a worker that is a shell script.
fake() {
    printf '#!/bin/sh\n%s\n' "$2" >"$dir/workers/$1"
    chmod +x "$dir/workers/$1"
}

result() {
    printf 'echo '\''{"workload":"trees","ops":1,"ns_per_op":[%s],"base_ns_per_op":0,' "$1"
    printf '"check":"%s","peak_rss_kib":100,"idle_rss_kib":10,"malloc":""}'\' "$2"
}

"$bench" --list >"$dir/out" || complain "--list failed"
for suite in threads values; do
    grep -q "^$suite " "$dir/out" || complain "--list does not name the suite $suite"
done
"$bench" threads --list >"$dir/out" || complain "threads --list failed"
for word in trees words seqs threads_on_ratio_max nim_threads_on_ratio nim_trees_vs_stock \
    nim_graph_vs_stock nim_worst_vs_stock nim_rss_worst_vs_stock; do
    grep -q "  $word" "$dir/out" || complain "threads --list does not name $word"
done
"$bench" values --list >"$dir/out" || complain "values --list failed"
for word in append concat reuse-map append_vs_kernel string_vs_kernel filter_vs_plain \
    context_vs_tls reuse_vs_fresh; do
    grep -q "  $word" "$dir/out" || complain "values --list does not name $word"
done

refuses "no such suite: thread" thread
refuses "which suite" --quick
refuses "bad filter" threads --filter '('
refuses "no such allocator: nedmalloc" threads --allocators ouro,nedmalloc
refuses "no such kind of counts: fast" threads --counts fast
refuses "not a number from" threads --rounds many
refuses "leave nothing" threads --filter '^nothing$'
refuses "cannot read the directory" threads --dir "$dir/absent"
search=$dir
refuses "needs gnuplot" threads --plot "$dir/x.png"

# A file that cannot be written is told of before anything is measured.
search=$PATH
for option in "--json $dir/absent/x" "--json $dir"; do
    # shellcheck disable=SC2086 # an option and its value
    "$bench" threads --quick --filter '^trees$' $option >"$dir/out" 2>"$dir/err"
    [ $? -eq 1 ] || complain "$option: status is not 1"
    grep -q "cannot write $dir" "$dir/err" || complain "$option: said: $(cat "$dir/err")"
    [ -s "$dir/out" ] && complain "$option: measured first"
done

# Real workers.
"$bench" threads --quick --rounds 2 --filter '^trees$' --allocators ouro,libc --json "$dir/json" \
    >"$dir/out" 2>"$dir/err" || complain "trees: status $?: $(cat "$dir/out" "$dir/err")"
"$shape" "$dir/json" threads || complain "trees: the JSON has another shape"
grep -q 'threads_on_ratio_max' "$dir/out" || complain "the table lacks the claims"
grep -q 'trees_vs_mimalloc' "$dir/out" && complain "the table has claims without a value"
grep -q 'claims have no value' "$dir/out" || complain "the table does not tell of left out claims"
mkdir "$dir/texts" && printf 'one two two\nthree\n' >"$dir/texts/a" && printf 'two' >"$dir/texts/b"
"$bench" threads --quick --rounds 1 --filter '^words' --allocators ouro,libc --json - \
    --dir "$dir/texts" >"$dir/json" 2>"$dir/out" || complain "words: status $?: $(cat "$dir/out")"
"$shape" "$dir/json" threads || complain "words: the JSON has another shape"
"$bench" values --quick --rounds 1 --json "$dir/json" >"$dir/out" 2>"$dir/err" ||
    complain "values: status $?: $(cat "$dir/out" "$dir/err")"
"$shape" "$dir/json" values || complain "values: the JSON has another shape"

# Workers whose results are known.
mkdir "$dir/workers"
run_fakes() {
    "$bench" threads --workers "$dir/workers" --filter '^trees$' --allocators ouro --rounds 6 \
        --json "$dir/json" >"$dir/out" 2>&1
}
fake ouro-bench-worker-off "$(result '8,10,400' 7)"
fake ouro-bench-worker-biased "$(result 11 7)"
fake ouro-bench-worker-atomic "$(result 25 7)"
run_fakes || complain "known results: status $?"
"$shape" "$dir/json" threads trees biased 1.1 || complain "biased is not 1.1 of threads off"
"$shape" "$dir/json" threads trees atomic 2.5 || complain "atomic is not 2.5 of threads off"
# A workload that is measured beside its base, in one process.
values_of() {
    fake ouro-bench-worker-biased "$(result "$1" 7 | sed 's/"base_ns_per_op":0/"base_ns_per_op":10/')"
    "$bench" values --workers "$dir/workers" --filter '^append' --rounds 6 --json "$dir/json" \
        >"$dir/out" 2>&1
}
values_of 12 || complain "values, known results: status $?"
"$shape" "$dir/json" values append biased 1.2 || complain "append is not 1.2 of the kernel"
grep -q 'append_vs_kernel  *1\.200  *1\.30  *met' "$dir/out" || complain "1.2 does not meet 1.3"
values_of 14 || complain "values, known results: status $?"
grep -q 'append_vs_kernel  *1\.400  *1\.30  *NOT met' "$dir/out" || complain "1.4 meets 1.3"
fake ouro-bench-worker-biased "$(result 11 7)"

# Nim stock beside Nim on Ouro.
nims() {
    fake ouro-bench-nim-ouro-on "$(result "$1" 7)"
    "$bench" threads --workers "$dir/workers" --filter '^(trees|seqs|graph)$' --allocators nim \
        --rounds 6 --json "$dir/json" >"$dir/out" 2>&1 || complain "Nim, known results: status $?"
    "$shape" "$dir/json" threads || complain "Nim: the JSON has another shape"
}
claims() { # claims NAME VALUE VERDICT
    grep -q "^$1  *$2  *[0-9.]*  *$3" "$dir/out" || complain "$1 is not $2, $3: $(cat "$dir/out")"
}
fake ouro-bench-nim-off "$(result 20 7)"
fake ouro-bench-nim-on "$(result 40 7)"
fake ouro-bench-nim-ouro-off "$(result 10 7)"
nims 10.2
grep -q 'plain  *off  *Nim stock  *20' "$dir/out" || complain "no row of Nim stock"
grep -q 'biased  *on  *Nim on Ouro  *10.2' "$dir/out" || complain "no row of Nim on Ouro"
claims nim_threads_on_ratio '1\.020' met
claims nim_trees_vs_stock '0\.255' met
claims nim_graph_vs_stock '0\.500' 'met (largest of 2: graph, threads off)'
claims nim_worst_vs_stock '0\.500' met
claims nim_rss_worst_vs_stock '1\.000' met
nims 44
claims nim_threads_on_ratio '4\.400' 'NOT met'
claims nim_worst_vs_stock '1\.100' 'NOT met (largest of 6: trees, threads on)'

# shellcheck disable=SC2016 # the worker expands it
fake ouro-bench-worker-atomic 'kill -SEGV $$'
run_fakes
[ $? -eq 1 ] || complain "a crashed worker does not make the status 1"
"$shape" "$dir/json" threads trees biased 1.1 || complain "a crash spoils the other rows"
grep -q 'failed: killed by signal 11' "$dir/out" || complain "the crash is not named"
fake ouro-bench-worker-atomic "$(result 25 8)"
run_fakes
[ $? -eq 1 ] || complain "a wrong result does not make the status 1"
grep -q 'failed: computed 8 where' "$dir/out" || complain "the wrong result is not named"

echo "$bad complaints"
[ "$bad" -eq 0 ]
