/* SPDX-License-Identifier: MIT */
/* concat: three short strings become one, a thousand of which live; beside one malloc and three
 * memcpy (kernels.c). */
#include "bench/ops.h"
#include "bench/workloads/kernels.h"

#define WORD(text)                                                                                 \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }
const struct word concat_words[WORDS] = {
    WORD("/"),         WORD("value"),    WORD("a"),        WORD("continuation"),
    WORD("of"),        WORD("closures"), WORD("reuse"),    WORD("environment"),
    WORD("0x7fff"),    WORD("tail"),     WORD(", "),       WORD("a longer piece of text"),
    WORD("reference"), WORD("x"),        WORD("sequence"), WORD("NaN")};

static void join(ouro_string *s, const struct word *a, const struct word *b, const struct word *c)
{
    *s = (ouro_string){0, NULL};
    ops_done(ouro_string_reserve(s, a->len + b->len + c->len));
    ops_done(ouro_string_append(s, a->bytes, a->len));
    ops_done(ouro_string_append(s, b->bytes, b->len));
    ops_done(ouro_string_append(s, c->bytes, c->len));
}

static double concat(size_t n, uint64_t *check)
{
    static ouro_string live[CONCAT_LIVE];
    double start = bench_now();
    for (size_t batch = n / CONCAT_LIVE; batch > 0; batch--) {
        for (size_t i = 0; i < CONCAT_LIVE; i++)
            join(&live[i], &concat_words[i % WORDS], &concat_words[(i ^ batch) % WORDS],
                 &concat_words[(i / WORDS) % WORDS]);
        for (size_t i = 0; i < CONCAT_LIVE; i++) {
            *check += (unsigned char)ouro_string_data(&live[i])[live[i].len / 2] + live[i].len;
            ouro_string_destroy(&live[i]);
        }
    }
    return bench_now() - start;
}

static double repeat(struct bench_run *run)
{
    return bench_by_turns(run, concat, kernel_concat, run->quick ? 20000 : 100000);
}

const struct bench_workload work_concat = {.name = "concat", .repeat = repeat};
