/* SPDX-License-Identifier: MIT */
/* append, append-long, append-char: sequences and strings that one owner fills element by element,
 * beside vectors that double (kernels.c). */
#include "bench/ops.h"
#include "bench/workloads/kernels.h"

static struct ouro_type number_type = OURO_PLAIN_TYPE(int64_t);

static double sequences(size_t n, size_t len, uint64_t *check)
{
    double start = bench_now();
    for (size_t batch = n / len; batch > 0; batch--) {
        ouro_seq s = {0, NULL};
        for (size_t i = 0; i < len; i++) {
            int64_t *place = ops_checked(ouro_seq_add(&s, &number_type, sizeof *place));
            *place = (int64_t)(i ^ batch);
        }
        *check += (uint64_t)((const int64_t *)ouro_seq_data(&s))[len / 2] + s.len;
        ouro_seq_destroy(&s, &number_type);
    }
    return bench_now() - start;
}

static double append(size_t n, uint64_t *check)
{
    return sequences(n, APPEND_SHORT, check);
}
static double append_long(size_t n, uint64_t *check)
{
    return sequences(n, n, check);
}

static double append_char(size_t n, uint64_t *check)
{
    double start = bench_now();
    for (size_t batch = n / APPEND_SHORT; batch > 0; batch--) {
        ouro_string s = {0, NULL};
        for (size_t i = 0; i < APPEND_SHORT; i++) {
            ops_done(ouro_string_add(&s, (char)('a' + (i ^ batch) % 16)));
        }
        *check += (unsigned char)ouro_string_data(&s)[s.len / 2] + s.len;
        ouro_string_destroy(&s);
    }
    return bench_now() - start;
}

static double repeat(struct bench_run *run)
{
    return bench_by_turns(run, append, kernel_append, run->quick ? 100000 : 400000);
}
static double repeat_long(struct bench_run *run)
{
    return bench_by_turns(run, append_long, kernel_append_long, run->quick ? 100000 : 1000000);
}
static double repeat_char(struct bench_run *run)
{
    return bench_by_turns(run, append_char, kernel_append_char, run->quick ? 100000 : 400000);
}

const struct bench_workload work_append = {.name = "append", .repeat = repeat};
const struct bench_workload work_append_long = {.name = "append-long", .repeat = repeat_long};
const struct bench_workload work_append_char = {.name = "append-char", .repeat = repeat_char};
