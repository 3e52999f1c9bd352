/* SPDX-License-Identifier: MIT */
/* doc_words.c: the program of docs/words.md, literally, run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
/* [types] */
#include <ouro.h>

struct text { char words[240]; };
static struct ouro_type text_type = {.name = "text", .size = sizeof(struct text), .align = 8,
                                     .flags = OURO_ACYCLIC};

struct entry { struct entry *next; int64_t count; char word[24]; };
extern struct ouro_type entry_type;
static const struct ouro_field entry_fields[] = {OURO_REF(struct entry, next, &entry_type)};
struct ouro_type entry_type = OURO_TYPE(struct entry, entry_fields);

struct table { struct entry *first; };
static const struct ouro_field table_fields[] = {OURO_REF(struct table, first, &entry_type)};
static struct ouro_type table_type = OURO_TYPE(struct table, table_fields);

/* What all tasks count into: it opens only with its lock. */
static struct ouro_lock total_lock = OURO_LOCK_INIT("total", 1);
static struct ouro_guarded total = OURO_GUARDED_INIT(&total_lock, NULL);
/* [types] */

/* [table] */
static struct entry *find(const struct table *table, const char *word, size_t length)
{
    struct entry *entry = table->first;
    while (entry && (strncmp(entry->word, word, length) != 0 || entry->word[length] != '\0'))
        entry = entry->next;
    return entry;
}

/* `times` of a word more. False: no memory, and nothing has changed. */
static bool add(struct table *table, const char *word, size_t length, int64_t times)
{
    const size_t most = sizeof ((struct entry *)0)->word - 1;
    length = length < most ? length : most;
    struct entry *entry = find(table, word, length);
    if (!entry) {
        if (!(entry = OURO_NEW(struct entry, &entry_type)))
            return false;
        memcpy(entry->word, word, length);
        ouro_slot_init(entry, (void **)&entry->next, ouro_slot_move(table, (void **)&table->first));
        ouro_slot_store(table, (void **)&table->first, entry);
    }
    entry->count += times;
    return true;
}
/* [table] */

/* [task] */
/* Counts the words of a text, its argument, by itself; then adds them to the total. */
static ouro_status count_words(struct ouro_task *task, struct ouro_isolated **result)
{
    struct text *text = ouro_extract(ouro_task_argument(task)); /* this thread's now */
    struct table *mine = OURO_NEW(struct table, &table_type);
    bool ok = mine != NULL;
    (void)result; /* there is none */
    for (const char *at = text->words; ok && *at;) {
        size_t length = strcspn(at, " ");
        ok = length == 0 || add(mine, at, length, 1);
        at += length + (at[length] == ' ');
    }
    ouro_lock_take(&total_lock, OURO_HERE);
    struct table *all = ouro_guard_open(&total, NULL, OURO_HERE);
    for (const struct entry *entry = mine ? mine->first : NULL; ok && entry; entry = entry->next)
        ok = add(all, entry->word, strlen(entry->word), entry->count);
    ouro_lock_release(&total_lock, OURO_HERE);
    ouro_decref(mine);
    ouro_decref(text); /* made by another thread: its memory goes back there */
    return ok ? OURO_OK : OURO_NO_MEMORY;
}
/* [task] */

/* [reader] */
struct reader { const char *const *texts; size_t count; struct ouro_channel *channel; };

/* Reads texts, and hands each on whole: nothing is copied, and at most four are on their way. */
static void *read_texts(void *arg)
{
    const struct reader *reader = arg;
    for (size_t i = 0; i < reader->count; i++) {
        struct ouro_isolated *graph;
        struct text *text = OURO_NEW(struct text, &text_type);
        if (!text)
            break;
        snprintf(text->words, sizeof text->words, "%s", reader->texts[i]);
        if (ouro_isolate(text, &graph, NULL) != OURO_OK)
            ouro_decref(text);
        else if (ouro_channel_send(reader->channel, graph) != OURO_OK)
            ouro_isolated_drop(graph); /* nobody receives any more */
    }
    ouro_channel_close(reader->channel); /* what is in it can still be received */
    return NULL;
}
/* [reader] */

/* [run] */
/* Counts the words of all texts into the total. */
static ouro_status count_all(const char *const *texts, size_t count)
{
    struct reader reader = {texts, count, NULL};
    struct ouro_scope *scope = NULL;
    struct ouro_isolated *graph;
    pthread_t thread;
    ouro_guard_set(&total, OURO_NEW(struct table, &table_type), OURO_HERE); /* one thread so far */
    ouro_status status = ouro_channel_new(4, &reader.channel);
    if (status == OURO_OK)
        status = ouro_scope_open(8, &scope);
    if (status == OURO_OK && pthread_create(&thread, NULL, read_texts, &reader) == 0) {
        while (ouro_channel_receive(reader.channel, &graph) == OURO_OK)
            if (ouro_spawn(scope, count_words, graph, NULL) != OURO_OK)
                ouro_isolated_drop(graph); /* it is still the caller's */
        pthread_join(thread, NULL);
    }
    if (scope) /* waits for all tasks; the first error of one of them */
        status = ouro_scope_close(scope);
    ouro_channel_drop(reader.channel);
    return status;
}

static int64_t times(const char *word)
{
    ouro_lock_take(&total_lock, OURO_HERE);
    const struct entry *entry = find(ouro_guard_open(&total, NULL, OURO_HERE), word, strlen(word));
    int64_t count = entry ? entry->count : 0;
    ouro_lock_release(&total_lock, OURO_HERE);
    return count;
}
/* [run] */
/* clang-format on */

static void all_words_are_counted(void **state)
{
    static const char *const texts[] = {"the snake that closes the cycle", "the cycle",
                                        "a graph  and a graph", "", "the end"};
    const char *many[500];
    (void)state;
    for (size_t i = 0; i < 500; i++)
        many[i] = texts[i % 5];
    assert_int_equal(count_all(many, 500), OURO_OK);
    assert_int_equal(times("the"), 400);
    assert_int_equal(times("cycle"), 200);
    assert_int_equal(times("graph"), 200);
    assert_int_equal(times("a"), 200);
    assert_int_equal(times("cycles"), 0);
    ouro_lock_take(&total_lock, OURO_HERE);
    ouro_guard_set(&total, NULL, OURO_HERE);
    ouro_lock_release(&total_lock, OURO_HERE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_words_are_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
