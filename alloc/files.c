/* SPDX-License-Identifier: MIT */
/* files.c: files that libouro-malloc.so writes when the program ends. It belongs to os.h: no libc
 * stream, which would allocate. */
#include "alloc/os.h"

#include <sys/stat.h>

int ouro__os_create(const char *name)
{
    return open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

int ouro__os_open(const char *name)
{
    return open(name, O_RDONLY | O_CLOEXEC);
}

void ouro__os_close(int file)
{
    close(file);
}

bool ouro__os_write(int file, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(file, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

size_t ouro__os_read(int file, char *room, size_t size)
{
    ssize_t n;
    do
        n = read(file, room, size);
    while (n < 0 && errno == EINTR);
    return n > 0 ? (size_t)n : 0;
}

/* -- the standard error ------------------------------------------------------------------------ */

#define OUT_OF_THE_WAY 200 /* of what programs number themselves */

static struct {
    int copy;
    dev_t device;
    ino_t node;
} errors = {.copy = -1};

/* Whether a descriptor is still what it was: a program may close all, and open others. */
static bool is_same(int file)
{
    struct stat about;
    return file >= 0 && fstat(file, &about) == 0 && about.st_dev == errors.device &&
           about.st_ino == errors.node;
}

void ouro__os_keep_errors(void)
{
    int was = errno;
    struct stat about;
    if (fstat(2, &about) == 0) {
        errors.device = about.st_dev;
        errors.node = about.st_ino;
        errors.copy = fcntl(2, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
        if (errors.copy < 0)
            errors.copy = fcntl(2, F_DUPFD_CLOEXEC, 3);
    }
    errno = was;
}

int ouro__os_kept_errors(void)
{
    return is_same(2) ? 2 : is_same(errors.copy) ? errors.copy : -1;
}
