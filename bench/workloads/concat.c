/* SPDX-License-Identifier: MIT */
/* concat: three short strings become one, a thousand of which live; beside one malloc and three
 * memcpy. slice: parts of strings are looked at, as borrowed views; beside a pointer and a length
 * (kernels.c). */
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
    const ouro_view pieces[] = {ouro_view_of(a->bytes, a->len), ouro_view_of(b->bytes, b->len),
                                ouro_view_of(c->bytes, c->len)};
    ops_done(ouro_string_concat(s, pieces, 3));
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

static double slice(size_t n, uint64_t *check)
{
    ouro_string text[WORDS];
    for (size_t i = 0; i < WORDS; i++)
        ops_done(ouro_string_make(&text[i], concat_words[i].bytes, concat_words[i].len));
    uint64_t sum = 0;
    double start = bench_now();
    for (size_t batch = n / SLICES; batch > 0; batch--)
        for (size_t i = 0; i < SLICES; i++) {
            const struct slice *s = &slices[i];
            ouro_view view = ouro_string_view(&text[s->word], s->from, s->len);
            const char *bytes = view.data;
            sum += (unsigned char)bytes[0] + view.len + (unsigned char)bytes[view.len - 1];
            ouro_view_end(&view);
        }
    double ns = bench_now() - start;
    for (size_t i = 0; i < WORDS; i++)
        ouro_string_destroy(&text[i]);
    *check = sum;
    return ns;
}

static double repeat_slice(struct bench_run *run)
{
    uint64_t seed = 11;
    for (size_t i = 0; i < SLICES; i++) {
        uint32_t word = bench_below(&seed, WORDS), len = (uint32_t)concat_words[word].len;
        uint32_t from = bench_below(&seed, len);
        slices[i] = (struct slice){word, from, 1 + bench_below(&seed, len - from)};
    }
    return bench_by_turns(run, slice, kernel_slice, run->quick ? 100000 : 500000);
}

const struct bench_workload work_slice = {.name = "slice", .repeat = repeat_slice};
const struct bench_workload work_concat = {.name = "concat", .repeat = repeat};
