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
for suite in threads values malloc isolate; do
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
"$bench" malloc --list >"$dir/out" || complain "malloc --list failed"
for word in lifo fifo random remote larson startup lua python random_vs_libc random_vs_tcmalloc \
    fifo_vs_libc lifo_vs_libc remote_vs_mimalloc remote_spread startup_rss_kib lua_vs_libc \
    python_vs_libc lua_rss_vs_libc python_rss_vs_libc; do
    grep -q "  $word" "$dir/out" || complain "malloc --list does not name $word"
done

"$bench" isolate --list >"$dir/out" || complain "isolate --list failed"
for word in graph tree list handover-1 handover-100 received ping-pong continuations \
    words-tasks region isolate_vs_traversal receiver_counts_plain region_move_ns channel_vs_ck \
    continuations_grown_kib; do
    grep -q "  $word" "$dir/out" || complain "isolate --list does not name $word"
done

refuses "no such suite: thread" thread
refuses "which suite" --quick
refuses "bad filter" threads --filter '('
refuses "no such allocator: nedmalloc" threads --allocators ouro,nedmalloc
refuses "no such kind of counts: fast" threads --counts fast
refuses "not a number from" threads --rounds many
refuses "threads --list names" threads --filter '^nothing$'
refuses "append measures is not installed" values --filter '^append$' --allocators nim
refuses "values has one kind" values --counts biased
refuses "isolate has one kind" isolate --counts biased
refuses "malloc has one kind" malloc --counts plain
refuses "draws a FILE.png" malloc --plot "$dir/x.jpg"
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
"$bench" isolate --quick --rounds 1 --dir "$dir/texts" --json "$dir/json" \
    >"$dir/out" 2>"$dir/err" ||
    complain "isolate: status $?: $(cat "$dir/out" "$dir/err")"
"$shape" "$dir/json" isolate || complain "isolate: the JSON has another shape"
for row in graph tree list handover-1 handover-10 handover-100 received; do
    grep -q "^$row: " "$dir/out" || complain "isolate did not measure $row"
done
# What stands in one of these lines does not in the other: channels are measured, or are left out.
have_ck=yes
grep -q 'left out: Concurrency Kit: ' "$dir/out" && have_ck=no
for row in ping-pong continuations continuations-both words-tasks; do
    grep -q "^$row: " "$dir/out" && was=yes || was=no
    [ $was = $have_ck ] || complain "isolate: $row measured: $was; Concurrency Kit: $have_ck"
done
# What tasks count is what one thread does, and what is there: of the texts above, and of more texts
# than a channel holds, with more words than the tables have room for at first.
computes() { # computes KIND WORKLOAD WORDS DIFFERENT
    "$(dirname "$bench")/ouro-bench-worker-$1" --workload "$2" --repetitions 1 --dir "$dir/texts" \
        >"$dir/out" 2>&1 || complain "$2: status $?: $(cat "$dir/out")"
    grep -q "\"check\":\"$(($3 * 1000003 + $4))\"" "$dir/out" ||
        complain "$2: not $3 words, $4 different: $(cat "$dir/out")"
}
all_compute() { # the same without KIND and WORKLOAD
    computes biased words "$1" "$2"
    [ $have_ck = no ] || computes isolate words-tasks "$1" "$2"
}
all_compute 5 3
seq 20000 >"$dir/texts/numbers"
for i in $(seq 40); do
    { echo "all w$i" && seq 500; } >"$dir/texts/$i"
done
all_compute $((5 + 20000 + 40 * 502)) $((3 + 20000 + 1 + 40))
# Kernels, programs that are found, one that is brought along; nothing is left behind.
mkdir "$dir/tmp"
TMPDIR=$dir/tmp "$bench" malloc --quick --rounds 1 --allocators ouro,libc --json "$dir/json" \
    >"$dir/out" 2>"$dir/err" || complain "malloc: status $?: $(cat "$dir/out" "$dir/err")"
"$shape" "$dir/json" malloc || complain "malloc: the JSON has another shape"
for row in lifo fifo random remote remote-both larson random-mt startup maps; do
    grep -q "^$row: " "$dir/out" || complain "malloc did not measure $row"
done
[ -z "$(ls "$dir/tmp")" ] || complain "malloc leaves behind: $(ls "$dir/tmp")"
have_malloc=yes
grep -q 'left out: ouro: ' "$dir/out" && have_malloc=no

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

# What a worker measures beside ours: the base, and parts in their order; and what memory rose by.
isolate_says() { # isolate_says NS BASE PARTS KIB
    fake ouro-bench-worker-isolate "$(result "$1" 7 |
        sed "s/\"base_ns_per_op\":0/\"base_ns_per_op\":$2,\"part_ns_per_op\":[$3],\"grown_kib\":$4/")"
}
isolates() { # the same
    isolate_says "$@"
    "$bench" isolate --workers "$dir/workers" --filter '^(graph|received|ping-pong|continuations)$' \
        --rounds 6 --json "$dir/json" >"$dir/out" 2>&1 ||
        complain "isolate, known results: status $?: $(cat "$dir/out")"
    "$shape" "$dir/json" isolate || complain "isolate, known results: another shape"
}
claims() { # claims NAME VALUE VERDICT
    grep -q "^$1  *$2  *[0-9.]*  *$3" "$dir/out" || complain "$1 is not $2, $3: $(cat "$dir/out")"
}
isolates 12 10 8,4,60 100
"$shape" "$dir/json" isolate graph biased 1.2 || complain "graph is not 1.2 of the traversal"
grep -q 'ouro, isolate.* 8\.00 .* 0\.800' "$dir/out" || complain "no row of isolate: $(cat "$dir/out")"
grep -q 'ouro, extract.* 4\.00 .* 0\.400' "$dir/out" || complain "no row of extract"
grep -q 'ouro, deepcopy.* 60\.00 .* 6\.000' "$dir/out" || complain "no row of deepcopy"
grep -q 'traversal.* 10\.00  *100\.00 ' "$dir/out" || complain "10 ns are not 100 millions a second"
claims isolate_vs_traversal '1\.200' met
claims receiver_counts_plain '1\.200' 'NOT met'
if [ $have_ck = yes ]; then
    claims channel_vs_ck '1\.200' 'met (over mpmc 1\.50)'
    claims continuations_grown_kib '100\.000' met
fi
isolates 14 10 1,1,1 1025
claims isolate_vs_traversal '1\.400' 'NOT met'
if [ $have_ck = yes ]; then
    claims channel_vs_ck '1\.400' 'NOT met'
    claims continuations_grown_kib '1025\.000' 'NOT met'
fi
isolate_says 12 10 8,4 100
"$bench" isolate --workers "$dir/workers" --filter '^graph$' --rounds 6 >"$dir/out" 2>&1 &&
    complain "a part that is not told does not make the status 1"
grep -q 'ouro, deepcopy.* failed: its worker did not tell it' "$dir/out" ||
    complain "a part that is not told is not named: $(cat "$dir/out")"

# Nim stock beside Nim on Ouro.
nims() {
    fake ouro-bench-nim-ouro-on "$(result "$1" 7)"
    "$bench" threads --workers "$dir/workers" --filter '^(trees|seqs|graph)$' --allocators nim \
        --rounds 6 --json "$dir/json" >"$dir/out" 2>&1 || complain "Nim, known results: status $?"
    "$shape" "$dir/json" threads || complain "Nim: the JSON has another shape"
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

# Known results of malloc: libc's, and others', which are preloaded.
fake_malloc() { # fake_malloc WORKER LIBC_NS OURS_NS LIBC_KIB OURS_KIB
    fake "$1" "ns=$2 kib=$4; [ -z \"\$LD_PRELOAD\" ] || ns=$3 kib=$5
    echo \"{\\\"ns_per_op\\\":[\$ns],\\\"check\\\":\\\"7\\\",\\\"peak_rss_kib\\\":\$kib,\\\"malloc\\\":\\\"\$LD_PRELOAD\\\"}\""
}
fake_program() { # fake_program COMMANDS: in the place of C++
    mkdir -p "$dir/workers/programs"
    printf '#!/bin/sh\n%s\n' "$1" >"$dir/workers/programs/maps"
    chmod +x "$dir/workers/programs/maps"
}
mallocs() {
    "$bench" malloc --workers "$dir/workers" --filter "$1" --allocators ouro,libc --rounds 6 \
        --json "$dir/json" >"$dir/out" 2>&1
}
if [ $have_malloc = yes ]; then
    fake_malloc ouro-bench-worker-pairs 10 3 1000 1000
    fake_malloc ouro-bench-worker-startup 10 3 1000 1900
    mallocs '^(lifo|fifo|random|remote|startup)$' || complain "malloc, known results: status $?"
    "$shape" "$dir/json" malloc || complain "malloc: the JSON of known results has another shape"
    claims random_vs_libc '0\.300' met
    claims lifo_vs_libc '0\.300' met
    claims remote_spread '0\.000' met
    claims startup_rss_kib '900\.000' met
    fake_malloc ouro-bench-worker-pairs 10 3.7 1000 1000
    fake_malloc ouro-bench-worker-startup 10 3 1000 2100
    mallocs '^(fifo|startup)$' || complain "malloc, known results: status $?"
    claims fifo_vs_libc '0\.370' 'NOT met'
    claims startup_rss_kib '1100\.000' 'NOT met'
    # shellcheck disable=SC2016 # the program expands it
    fake_program 'echo "$1"'
    mallocs '^maps$' || complain "malloc, a known program: status $?: $(cat "$dir/out")"
    # shellcheck disable=SC2016
    fake_program '[ -z "$LD_PRELOAD" ] || exit 9'
    mallocs '^maps$' && complain "a program that fails does not make the status 1"
    grep -q 'failed: exit status 9' "$dir/out" || complain "its status is not named"
    # shellcheck disable=SC2016
    fake_program 'echo "other $LD_PRELOAD"'
    mallocs '^maps$' && complain "a program that prints something else does not make the status 1"
    grep -q 'failed: computed' "$dir/out" || complain "another output is not named"
    # Who is stopped leaves nothing behind.
    fake_program "touch '$dir/begun'; exec sleep 60"
    mkdir "$dir/tmp"
    TMPDIR="$dir/tmp" "$bench" malloc --workers "$dir/workers" --filter '^maps$' --rounds 6 \
        >"$dir/out" 2>&1 &
    pid=$!
    for _ in $(seq 100); do
        [ -e "$dir/begun" ] && break
        sleep 0.2
    done
    kill -TERM $pid
    wait $pid
    [ $? -eq 143 ] || complain "SIGTERM does not end it with status 143"
    [ -z "$(ls "$dir/tmp")" ] || complain "who is stopped leaves $(ls "$dir/tmp")"
fi

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
