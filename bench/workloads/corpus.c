/* SPDX-License-Identifier: MIT */
/* Reading of corpus.h: files go one behind the other into one reserved mapping. */
#define _GNU_SOURCE /* nftw */
#include "bench/workloads/corpus.h"

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_ROOM  ((size_t)1 << 36) /* address space only */
#define FILES_ROOM ((size_t)1 << 22)
#define HEAD       8192

/* nftw takes no argument for its callback. */
static struct {
    struct corpus *corpus;
    unsigned char *text;
    size_t limit;
} into;

static void *reserve(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static size_t read_all(int fd, unsigned char *to, size_t len)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = read(fd, to + got, len - got);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    return got;
}

static int visit(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    struct corpus *c = into.corpus;
    (void)where;
    if (kind != FTW_F || !S_ISREG(st->st_mode) || st->st_size == 0)
        return 0;
    size_t room = (into.limit ? into.limit : TEXT_ROOM) - c->bytes, len = (size_t)st->st_size;
    if (len > room || c->count == FILES_ROOM)
        return into.limit ? 0 : 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0; /* not ours to read */
    unsigned char *to = into.text + c->bytes;
    size_t head = read_all(fd, to, len < HEAD ? len : HEAD);
    if (head > 0 && memchr(to, 0, head) == NULL) {
        len = head + read_all(fd, to + head, len - head);
        c->files[c->count++] = (struct corpus_file){to, len};
        c->bytes += len;
    }
    close(fd);
    return 0;
}

const char *corpus_read(struct corpus *corpus, const char *dir, size_t limit)
{
    *corpus = (struct corpus){reserve(FILES_ROOM * sizeof(struct corpus_file)), 0, 0};
    into.corpus = corpus;
    into.text = reserve(TEXT_ROOM);
    into.limit = limit;
    if (corpus->files == NULL || into.text == NULL)
        return "no address space for the texts";
    int failed = nftw(dir, visit, 32, FTW_PHYS);
    if (failed < 0)
        return "the directory cannot be read";
    if (failed > 0)
        return "the directory holds too much";
    return corpus->count ? NULL : "the directory holds no text files";
}
