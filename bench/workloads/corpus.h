/* SPDX-License-Identifier: MIT */
/* corpus.h: the text files under a directory, read into memory once. */
#ifndef OURO_BENCH_CORPUS_H
#define OURO_BENCH_CORPUS_H

#include <stddef.h>
#include <stdint.h>

struct corpus_file {
    const unsigned char *text;
    size_t len;
};
struct corpus {
    struct corpus_file *files;
    size_t count;
    size_t bytes;
};

/* Reads every regular file under `dir` that has no NUL byte in its first 8 KiB (as grep tells
 * text), links not followed, at most `limit` bytes in all (0: no limit). Texts lie in mappings, not
 * in the allocator under test. Returns NULL, or what went wrong. */
const char *corpus_read(struct corpus *corpus, const char *dir, size_t limit);

#endif
