/* SPDX-License-Identifier: MIT */
/* strings: records with a name built in three steps, references to shared tags in a sequence, kept
 * in a sequence of records, copied, joined into one long string, and dropped. */
#include "bench/ops.h"

#define BATCH 1000
#define TAGS  16

struct tag {
    uint64_t number, uses;
};
OPS_LEAF(tag)

struct record {
    ops_string name;
    ops_seq tags;
    uint64_t hash;
};
#define RECORD_FIELDS(X) X(string, struct record, name, none) X(refs, struct record, tags, tag)
OPS_TYPE(record, RECORD_FIELDS, OPS_ACYCLIC)

static const char tail[] = "/a tail that makes the name grow";

static uint64_t hash_of(const char *bytes, size_t len)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)bytes[i]) * 1099511628211u;
    return h;
}

static size_t digits(char *to, uint32_t number)
{
    size_t len = 0;
    do {
        to[len++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return len;
}

static struct record *new_record(uint32_t number, struct tag **tags)
{
    char text[16];
    struct record *r = record_new();
    memset(r, 0, sizeof *r);
    ops_string_make(&r->name, "record-", 7);
    ops_string_append(&r->name, text, digits(text, number));
    ops_string_append(&r->name, tail, number % sizeof tail);
    for (uint32_t i = 0; i < 3; i++) {
        struct tag *t = tags[(number + i * 5) % TAGS];
        tag_keep(t);
        tag_push(&r->tags, t);
    }
    return r;
}

/* A record of its own with the same name and the same tags. */
static struct record *copy_record(const struct record *from)
{
    struct record *r = record_new();
    memset(r, 0, sizeof *r);
    ops_string_make(&r->name, ops_string_data(&from->name), from->name.len);
    for (size_t i = 0; i < from->tags.len; i++) {
        struct tag *t = *tag_at(&from->tags, i);
        tag_keep(t);
        tag_push(&r->tags, t);
    }
    return r;
}

static uint64_t batch(uint32_t first, struct tag **tags)
{
    ops_seq records, copies;
    ops_string joined;
    memset(&records, 0, sizeof records);
    memset(&copies, 0, sizeof copies);
    memset(&joined, 0, sizeof joined);
    for (uint32_t i = 0; i < BATCH; i++)
        record_push(&records, new_record(first + i, tags));
    for (size_t i = 0; i < records.len; i++)
        record_push(&copies, copy_record(*record_at(&records, i)));
    record_seq_end(&records);
    uint64_t check = 0;
    for (size_t i = 0; i < copies.len; i++) {
        struct record *r = *record_at(&copies, i);
        ops_string_append(&joined, ops_string_data(&r->name), r->name.len);
        check += (*tag_at(&r->tags, 1))->number;
    }
    check += hash_of(ops_string_data(&joined), joined.len);
    record_seq_end(&copies);
    ops_string_end(&joined);
    return check;
}

static double repeat(struct bench_run *run)
{
    uint32_t batches = run->quick ? 40 : 300;
    struct tag *tags[TAGS];
    for (uint32_t i = 0; i < TAGS; i++) {
        tags[i] = tag_new();
        *tags[i] = (struct tag){i, 0};
    }
    double start = bench_now();
    for (uint32_t b = 0; b < batches; b++)
        run->check += batch(b * BATCH, tags);
    double end = bench_now();
    for (uint32_t i = 0; i < TAGS; i++)
        tag_drop(tags[i]);
    run->ops = (size_t)batches * BATCH * 2;
    return end - start;
}

const struct bench_workload work_strings = {.name = "strings", .repeat = repeat};
