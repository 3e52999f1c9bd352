/* SPDX-License-Identifier: MIT */
/* words, words-mt: counts all words of all text files under a directory (words.h). `words` has one
 * table and one thread; `words-mt` has stripes, each a table behind a lock, and as many threads as
 * there are cores, which take files by turns. Where threads are off, words-mt is the same work on
 * one thread, without locks. */
#include "bench/workloads/words.h"

#include <pthread.h>
#include <stdatomic.h>

#define MAX_THREADS 64
#define QUICK_BYTES ((size_t)4 << 20)

struct stripe {
    _Alignas(128) pthread_mutex_t lock;
    struct table *table;
};

struct job {
    const struct corpus *corpus;
    struct stripe stripes[WORDS_STRIPES];
    unsigned stripe_count, threads, look_back;
    _Atomic size_t next_file;
    _Atomic uint64_t total;
};

bool words_letters[256];

const struct corpus *words_corpus(struct bench_run *run)
{
    static struct corpus corpus;
    for (int c = 0; c < 256; c++)
        words_letters[c] =
            (unsigned)(c | 32) - 'a' < 26 || (unsigned)c - '0' < 10 || c == '_' || c >= 128;
    if (corpus.count == 0)
        run->error = corpus_read(&corpus, run->dir, run->quick ? QUICK_BYTES : 0);
    return &corpus;
}

static void count_word(struct job *job, struct file *f, const struct spelling *s)
{
    struct stripe *stripe = &job->stripes[words_stripe(s, job->stripe_count)];
    if (job->threads > 1)
        pthread_mutex_lock(&stripe->lock);
    words_count(stripe->table, f, s, job->look_back);
    if (job->threads > 1)
        pthread_mutex_unlock(&stripe->lock);
    f->words++;
}

static void count_file(struct job *job, const struct corpus_file *from)
{
    struct file *f = file_new();
    *f = (struct file){from->text, 0};
    const unsigned char *at = from->text, *end = at + from->len;
    struct spelling s;
    while (words_next(&at, end, &s))
        count_word(job, f, &s);
    atomic_fetch_add(&job->total, f->words);
    file_drop(f);
}

static void *count_files(void *arg)
{
    struct job *job = arg;
    size_t i;
    while ((i = atomic_fetch_add(&job->next_file, 1)) < job->corpus->count)
        count_file(job, &job->corpus->files[i]);
    return NULL;
}

static void setup(struct bench_run *run, struct job *job, unsigned threads)
{
    job->corpus = words_corpus(run);
    job->threads = threads > 1 ? threads : 1;
    if (job->threads > MAX_THREADS)
        job->threads = MAX_THREADS;
    job->stripe_count = job->threads > 1 ? WORDS_STRIPES : 1;
    job->look_back = job->threads > 1 ? WORDS_LOOK_BACK : 1;
    for (unsigned i = 0; i < WORDS_STRIPES; i++)
        pthread_mutex_init(&job->stripes[i].lock, NULL);
    run->state = job;
}
static void setup_one(struct bench_run *run)
{
    static struct job job;
    setup(run, &job, 1);
}
static void setup_striped(struct bench_run *run)
{
    static struct job job;
    setup(run, &job, run->threads);
}

static double repeat(struct bench_run *run)
{
    struct job *job = run->state;
    pthread_t thread[MAX_THREADS];
    uint64_t distinct = 0;
    job->next_file = 0;
    job->total = 0;
    double start = bench_now();
    for (unsigned i = 0; i < job->stripe_count; i++)
        job->stripes[i].table = words_table();
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
    run->check = words_check(job->total, distinct);
    return end - start;
}

const struct bench_workload work_words = {"words", setup_one, repeat, NULL, true};
const struct bench_workload work_words_mt = {"words-mt", setup_striped, repeat, NULL, true};
