/* SPDX-License-Identifier: MIT */
/* words.h: what all workloads that count words do alike: how a text is split into words, and a hash
 * table of references. A word object holds its text, its count, the next word of its bucket, and
 * references back to the files that it stands in. Who has a table holds its lock, if it has one. */
#ifndef OURO_BENCH_WORDS_H
#define OURO_BENCH_WORDS_H

#include "bench/ops.h"
#include "bench/workloads/corpus.h"

#define WORDS_STRIPES    64 /* a power of two: so many tables where threads share them */
#define WORDS_LOOK_BACK  8  /* so many files back, where threads count in several at a time */
#define WORDS_BUCKETS    256
#define WORDS_MULTIPLIER 0x9E3779B97F4A7C15u

struct file {
    const unsigned char *text;
    size_t words;
};
OPS_LEAF(file)

struct word {
    struct word *next;
    ops_string text;
    ops_seq files;
    uint64_t hash;
    uint64_t count;
};
#define WORD_FIELDS(X)                                                                             \
    X(chain, struct word, next, word)                                                              \
    X(string, struct word, text, none) X(refs, struct word, files, file)
OPS_TYPE(word, WORD_FIELDS, OPS_ACYCLIC)

struct table {
    ops_seq buckets;
    size_t used;
};
#define TABLE_FIELDS(X) X(refs, struct table, buckets, word)
OPS_TYPE(table, TABLE_FIELDS, OPS_ACYCLIC)

/* The texts of run->dir, read by the first call; what is wrong with them is told in run->error. */
const struct corpus *words_corpus(struct bench_run *run);

/* What a run computes: how many words there are, and how many different ones. */
static inline uint64_t words_check(uint64_t total, uint64_t distinct)
{
    return total * 1000003 + distinct;
}

/* words and words-mt: one thread and one table; threads, and stripes behind mutexes. */
extern const struct bench_workload work_words, work_words_mt;

/* -- a text ------------------------------------------------------------------------------------ */

struct spelling {
    const unsigned char *text;
    size_t len;
    uint64_t hash;
};

extern bool words_letters[256]; /* since words_corpus */

/* The next word of a text that goes on at *at; false: there is none. */
static inline bool words_next(const unsigned char **at, const unsigned char *end,
                              struct spelling *s)
{
    const unsigned char *p = *at;
    uint64_t h = 0;
    while (p < end && !words_letters[*p])
        p++;
    s->text = p;
    for (; p < end && words_letters[*p]; p++)
        h = (h ^ *p) * WORDS_MULTIPLIER;
    s->len = (size_t)(p - s->text);
    s->hash = h ^ h >> 29;
    *at = p;
    return s->len > 0;
}

/* Which of `count` tables (a power of two) a word belongs to. */
static inline size_t words_stripe(const struct spelling *s, size_t count)
{
    return (s->hash >> 48) & (count - 1);
}

/* -- a table ----------------------------------------------------------------------------------- */

static inline void words_fill(struct table *t, size_t buckets)
{
    memset(&t->buckets, 0, sizeof t->buckets);
    for (size_t i = 0; i < buckets; i++)
        word_push(&t->buckets, NULL);
}

static inline struct table *words_table(void)
{
    struct table *t = table_new();
    t->used = 0;
    words_fill(t, WORDS_BUCKETS);
    return t;
}

static inline struct word **words_bucket(const struct table *t, uint64_t hash)
{
    return word_at(&t->buckets, hash & (t->buckets.len - 1));
}

/* Twice as many buckets; words move, no count changes. */
static inline void words_grow(struct table *t)
{
    ops_seq old = t->buckets;
    words_fill(t, old.len * 2);
    for (size_t i = 0; i < old.len; i++) {
        struct word *w = word_take(t, word_at(&old, i));
        while (w) {
            struct word *next = word_take(w, &w->next), **to = words_bucket(t, w->hash);
            word_put(w, &w->next, word_take(t, to));
            word_put(t, to, w);
            w = next;
        }
    }
    word_seq_end(&old);
}

/* The word (a new reference), which is made if it is not there. */
static inline struct word *words_look_up(struct table *t, const struct spelling *s)
{
    for (struct word *w = *words_bucket(t, s->hash); w; w = w->next)
        if (w->hash == s->hash && w->text.len == s->len &&
            memcmp(ops_string_data(&w->text), s->text, s->len) == 0) {
            word_keep(w);
            return w;
        }
    if (t->used++ == t->buckets.len)
        words_grow(t);
    struct word *w = word_new();
    memset(w, 0, sizeof *w);
    w->hash = s->hash;
    ops_string_make(&w->text, (const char *)s->text, s->len);
    struct word **to = words_bucket(t, s->hash);
    word_put(w, &w->next, word_take(t, to));
    word_copy(t, to, w);
    return w;
}

/* Whether one of the last few files that `w` was found in is `f`. */
static inline bool words_stands_in(const struct word *w, const struct file *f, unsigned look_back)
{
    for (size_t i = w->files.len; i > 0 && look_back > 0; i--, look_back--)
        if (*file_at(&w->files, i - 1) == f)
            return true;
    return false;
}

/* Counts one more of a word, which stands in `f`. */
static inline void words_count(struct table *t, struct file *f, const struct spelling *s,
                               unsigned look_back)
{
    struct word *w = words_look_up(t, s);
    w->count++;
    if (!words_stands_in(w, f, look_back)) {
        file_keep(f);
        file_push(&w->files, f);
    }
    word_drop(w);
}

#endif
