/* SPDX-License-Identifier: MIT */
/* words-tasks: the words of `words-mt`, counted by Ouro's own means. One task reads: it sends each
 * text with its file, an isolated graph, through a channel with few places to the counting tasks of
 * its scope, which own what they receive. The tables are guarded: each opens with a lock of its
 * own. A word refers back to its files, which outlive their texts. Beside it, by turns in one
 * process:
 *   words-mt  as many threads take texts by turns where they lie; mutexes      (base)
 *   words     one thread, one table, no lock                                   (part)
 * All count the same words with the same table. */
#include "bench/turns.h"
#include "bench/workloads/words.h"
#include "isolate/channel.h"
#include "isolate/guard.h"
#include "isolate/task.h"

#define PLACES 16
#define TURNS  3

/* What a counting task receives. */
struct parcel {
    struct file *file;
    ops_string text;
};
#define PARCEL_FIELDS(X)                                                                           \
    X(ref, struct parcel, file, file)                                                              \
    X(string, struct parcel, text, none)
OPS_TYPE(parcel, PARCEL_FIELDS, OPS_ACYCLIC)

/* A task takes the lock of one stripe at a time, or that of the total: they have one level. */
enum { LEVEL = 1 };

struct stripe {
    _Alignas(128) struct ouro_lock lock;
    struct ouro_guarded table;
};

static struct {
    const struct corpus *corpus;
    struct ouro_channel *channel;
    struct stripe stripes[WORDS_STRIPES];
    unsigned counters;
    struct bench_run one, striped; /* of words, of words-mt */
} job;

static uint64_t total_words;
static struct ouro_lock total_lock = OURO_LOCK_INIT("total", LEVEL);
static struct ouro_guarded total = OURO_GUARDED_INIT(&total_lock, &total_words);

static void done(ouro_status status, const char *what)
{
    if (status != OURO_OK)
        bench_die(what);
}

/* -- tasks ------------------------------------------------------------------------------------- */

static void count_parcel(struct parcel *p)
{
    const unsigned char *at = (const unsigned char *)ops_string_data(&p->text);
    const unsigned char *end = at + p->text.len;
    struct spelling s;
    while (words_next(&at, end, &s)) {
        struct ouro_guarded *table = &job.stripes[words_stripe(&s, WORDS_STRIPES)].table;
        ouro_lock_take(table->lock, OURO_HERE);
        words_count(ouro_guard_open(table, NULL, OURO_HERE), p->file, &s, WORDS_LOOK_BACK);
        ouro_lock_release(table->lock, OURO_HERE);
        p->file->words++;
    }
}

static ouro_status count_parcels(struct ouro_task *task, struct ouro_isolated **result)
{
    struct ouro_isolated *graph;
    uint64_t words = 0;
    (void)task, (void)result;
    while (ouro_channel_receive(job.channel, &graph) == OURO_OK) {
        struct parcel *p = ops_checked(ouro_extract(graph));
        count_parcel(p);
        words += p->file->words;
        parcel_drop(p);
    }
    ouro_lock_take(total.lock, OURO_HERE);
    *(uint64_t *)ouro_guard_open(&total, NULL, OURO_HERE) += words;
    ouro_lock_release(total.lock, OURO_HERE);
    return OURO_OK;
}

static void send(const struct corpus_file *from)
{
    struct ouro_isolated *graph;
    struct parcel *p = parcel_new();
    p->file = file_new();
    *p->file = (struct file){from->text, 0};
    ops_string_make(&p->text, (const char *)from->text, from->len);
    done(ouro_isolate(p, &graph, NULL), "a text is not isolated");
    done(ouro_channel_send(job.channel, graph), "a text cannot be sent");
}

/* It spawns who receives: so, whatever thread waits in the channel, this one runs. */
static ouro_status read_texts(struct ouro_task *task, struct ouro_isolated **result)
{
    (void)result;
    for (unsigned i = 0; i < job.counters; i++)
        done(ouro_spawn(ouro_task_scope(task), count_parcels, NULL, NULL), "no task");
    for (size_t i = 0; i < job.corpus->count; i++)
        send(&job.corpus->files[i]);
    ouro_channel_close(job.channel);
    return OURO_OK;
}

/* -- turns ------------------------------------------------------------------------------------- */

/* Puts a table (owned, may be NULL) into a stripe; what was there is the caller's. */
static struct table *exchange(struct ouro_guarded *guarded, struct table *table)
{
    ouro_lock_take(guarded->lock, OURO_HERE);
    struct table *old = ouro_guard_exchange(guarded, table, OURO_HERE);
    ouro_lock_release(guarded->lock, OURO_HERE);
    return old;
}

static void run_tasks(void)
{
    struct ouro_scope *scope;
    done(ouro_channel_new(PLACES, &job.channel), "no channel");
    done(ouro_scope_open(job.counters + 1, &scope), "no scope");
    if (ouro_workers() == 0)
        bench_die("no workers: nobody would receive (OURO_WORKERS)");
    done(ouro_spawn(scope, read_texts, NULL, NULL), "no task");
    done(ouro_scope_close(scope), "a task failed");
    ouro_channel_drop(job.channel);
}

/* Workers begin and end in it, as the threads of words-mt do: else what they made would be
 * destroyed by them, later, in another's turn. */
static double by_tasks(size_t n, uint64_t *check)
{
    uint64_t distinct = 0;
    (void)n;
    total_words = 0; /* nobody else is there */
    double start = bench_now();
    for (unsigned i = 0; i < WORDS_STRIPES; i++)
        exchange(&job.stripes[i].table, words_table());
    run_tasks();
    ouro_workers_end();
    for (unsigned i = 0; i < WORDS_STRIPES; i++) {
        struct table *t = exchange(&job.stripes[i].table, NULL);
        distinct += t->used;
        table_drop(t);
    }
    ops_poll();
    double end = bench_now();
    *check = words_check(total_words, distinct);
    return end - start;
}

static double by_mutexes(size_t n, uint64_t *check)
{
    (void)n;
    double ns = work_words_mt.repeat(&job.striped);
    *check = job.striped.check;
    return ns;
}
static double by_one(size_t n, uint64_t *check)
{
    (void)n;
    double ns = work_words.repeat(&job.one);
    *check = job.one.check;
    return ns;
}

static void setup(struct bench_run *run)
{
    job.one = job.striped = *run;
    work_words.setup(&job.one);
    work_words_mt.setup(&job.striped);
    job.corpus = words_corpus(run);
    job.counters = run->threads;
    for (unsigned i = 0; i < WORDS_STRIPES; i++) {
        ouro_lock_init(&job.stripes[i].lock, "stripe", LEVEL);
        job.stripes[i].table.lock = &job.stripes[i].lock;
    }
}

/* How many words there are is known when they were counted once. */
static double repeat(struct bench_run *run)
{
    static bench_turn *const part[BENCH_PARTS] = {by_one};
    uint64_t check;
    by_one(0, &check);
    return bench_few_by_turns(run, by_tasks, by_mutexes, part, job.one.ops, TURNS);
}

const struct bench_workload work_words_tasks = {"words-tasks", setup, repeat, NULL, true};
