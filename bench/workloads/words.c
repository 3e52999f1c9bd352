/* SPDX-License-Identifier: MIT */
/* words, words-mt: counts all words of all text files under a directory into hash tables of
 * references. A word object holds its text, its count, the next word of its bucket, and references
 * back to the files that it stands in. `words` has one table and one thread; `words-mt` has
 * stripes, each a table behind a lock, and as many threads as there are cores, which take files by
 * turns. Where threads are off, words-mt is the same work on one thread, without locks. */
#include "bench/ops.h"
#include "bench/workloads/corpus.h"

#include <pthread.h>
#include <stdatomic.h>

#define STRIPES       64 /* a power of two */
#define MAX_THREADS   64
#define QUICK_BYTES   ((size_t)4 << 20)
#define FIRST_BUCKETS 256

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

struct stripe {
    _Alignas(128) pthread_mutex_t lock;
    struct table *table;
};

struct job {
    struct corpus corpus;
    struct stripe stripes[STRIPES];
    unsigned stripe_count, threads, look_back;
    _Atomic size_t next_file;
    _Atomic uint64_t total;
};

static void fill_buckets(struct table *t, size_t count)
{
    memset(&t->buckets, 0, sizeof t->buckets);
    for (size_t i = 0; i < count; i++)
        word_push(&t->buckets, NULL);
}

static struct word **bucket(const struct table *t, uint64_t hash)
{
    return word_at(&t->buckets, hash & (t->buckets.len - 1));
}

/* Twice as many buckets; words move, no count changes. */
static void grow(struct table *t)
{
    ops_seq old = t->buckets;
    fill_buckets(t, old.len * 2);
    for (size_t i = 0; i < old.len; i++) {
        struct word *w = word_take(t, word_at(&old, i));
        while (w) {
            struct word *next = word_take(w, &w->next), **to = bucket(t, w->hash);
            word_put(w, &w->next, word_take(t, to));
            word_put(t, to, w);
            w = next;
        }
    }
    word_seq_end(&old);
}

/* The word (a new reference), which is made if it is not there. */
static struct word *look_up(struct table *t, const unsigned char *text, size_t len, uint64_t hash)
{
    for (struct word *w = *bucket(t, hash); w; w = w->next)
        if (w->hash == hash && w->text.len == len &&
            memcmp(ops_string_data(&w->text), text, len) == 0) {
            word_keep(w);
            return w;
        }
    if (t->used++ == t->buckets.len)
        grow(t);
    struct word *w = word_new();
    memset(w, 0, sizeof *w);
    w->hash = hash;
    ops_string_make(&w->text, (const char *)text, len);
    struct word **to = bucket(t, hash);
    word_put(w, &w->next, word_take(t, to));
    word_copy(t, to, w);
    return w;
}

/* Whether one of the last few files that `w` was found in is `f`. */
static bool stands_in(const struct word *w, const struct file *f, unsigned look_back)
{
    for (size_t i = w->files.len; i > 0 && look_back > 0; i--, look_back--)
        if (*file_at(&w->files, i - 1) == f)
            return true;
    return false;
}

static void count_word(struct job *job, struct file *f, const unsigned char *text, size_t len,
                       uint64_t hash)
{
    struct stripe *s = &job->stripes[(hash >> 48) & (job->stripe_count - 1)];
    if (job->threads > 1)
        pthread_mutex_lock(&s->lock);
    struct word *w = look_up(s->table, text, len, hash);
    w->count++;
    if (!stands_in(w, f, job->look_back)) {
        file_keep(f);
        file_push(&w->files, f);
    }
    word_drop(w);
    if (job->threads > 1)
        pthread_mutex_unlock(&s->lock);
    f->words++;
}

static bool is_letter[256];

static void count_file(struct job *job, const struct corpus_file *from)
{
    struct file *f = file_new();
    *f = (struct file){from->text, 0};
    const unsigned char *at = from->text, *end = at + from->len;
    while (at < end) {
        while (at < end && !is_letter[*at])
            at++;
        const unsigned char *start = at;
        uint64_t h = 0;
        for (; at < end && is_letter[*at]; at++)
            h = (h ^ *at) * 0x9E3779B97F4A7C15u;
        if (at > start)
            count_word(job, f, start, (size_t)(at - start), h ^ h >> 29);
    }
    atomic_fetch_add(&job->total, f->words);
    file_drop(f);
}

static void *count_files(void *arg)
{
    struct job *job = arg;
    size_t i;
    while ((i = atomic_fetch_add(&job->next_file, 1)) < job->corpus.count)
        count_file(job, &job->corpus.files[i]);
    return NULL;
}

static void setup(struct bench_run *run, bool striped)
{
    static struct job job;
    for (int c = 0; c < 256; c++)
        is_letter[c] =
            (unsigned)(c | 32) - 'a' < 26 || (unsigned)c - '0' < 10 || c == '_' || c >= 128;
    run->error = corpus_read(&job.corpus, run->dir, run->quick ? QUICK_BYTES : 0);
    job.threads = striped && run->threads > 1 ? run->threads : 1;
    if (job.threads > MAX_THREADS)
        job.threads = MAX_THREADS;
    job.stripe_count = job.threads > 1 ? STRIPES : 1;
    job.look_back = job.threads > 1 ? 8 : 1;
    for (unsigned i = 0; i < STRIPES; i++)
        pthread_mutex_init(&job.stripes[i].lock, NULL);
    run->state = &job;
}
static void setup_one(struct bench_run *run)
{
    setup(run, false);
}
static void setup_striped(struct bench_run *run)
{
    setup(run, true);
}

static double repeat(struct bench_run *run)
{
    struct job *job = run->state;
    pthread_t thread[MAX_THREADS];
    uint64_t distinct = 0;
    job->next_file = 0;
    job->total = 0;
    double start = bench_now();
    for (unsigned i = 0; i < job->stripe_count; i++) {
        struct table *t = job->stripes[i].table = table_new();
        t->used = 0;
        fill_buckets(t, FIRST_BUCKETS);
    }
    for (unsigned i = 1; i < job->threads; i++)
        if (pthread_create(&thread[i], NULL, count_files, job) != 0)
            bench_die("no thread");
    count_files(job);
    for (unsigned i = 1; i < job->threads; i++)
        pthread_join(thread[i], NULL);
    for (unsigned i = 0; i < job->stripe_count; i++) {
        distinct += job->stripes[i].table->used;
        table_drop(job->stripes[i].table);
    }
    ops_poll();
    double end = bench_now();
    run->ops = job->total;
    run->check = job->total * 1000003 + distinct;
    return end - start;
}

const struct bench_workload work_words = {"words", setup_one, repeat, NULL, true};
const struct bench_workload work_words_mt = {"words-mt", setup_striped, repeat, NULL, true};
