/* SPDX-License-Identifier: MIT */
/* stack.c: what the system tells of the calling thread's stack. It belongs to os.h, and has a file
 * of its own because libc declares all of it for _GNU_SOURCE alone. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "alloc/os.h"

#if OURO_THREADS
#include <link.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* The first stack ends where the kernel wrote the program's name, and may grow to its limit. libc
 * would read a file for that, with all of its scanning: 110 KiB of pages that a small program has
 * no other use for. false: this is another stack, or it has no limit. */
static bool first_stack(uintptr_t *low, uintptr_t *high)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    uintptr_t name = (uintptr_t)getauxval(AT_EXECFN);
    struct rlimit limit;
    if (!name || getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= name)
        return false;
    *high = (name | (OURO__OS_PAGE - 1)) + 1;
    *low = *high - (uintptr_t)limit.rlim_cur;
    /* Under a limit that was raised since, others' may lie in that range. */
    return frame >= *low && frame < *high && syscall(SYS_gettid) == getpid();
}

bool ouro__os_stack(uintptr_t *low, uintptr_t *high)
{
    int was = errno;
    if (first_stack(low, high)) {
        errno = was;
        return true;
    }
    pthread_attr_t about;
    void *start = NULL;
    size_t size = 0;
    bool told = pthread_getattr_np(pthread_self(), &about) == 0;
    if (told) {
        told = pthread_attr_getstack(&about, &start, &size) == 0;
        pthread_attr_destroy(&about);
    }
    errno = was;
    *low = (uintptr_t)start;
    *high = (uintptr_t)start + size;
    return told;
}

static int is_in_tls_of(struct dl_phdr_info *module, size_t size, void *p)
{
    (void)size;
    if (!module->dlpi_tls_data)
        return 0; /* the thread has not touched it */
    size_t at = (uintptr_t)p - (uintptr_t)module->dlpi_tls_data;
    for (size_t i = 0; i < module->dlpi_phnum; i++) {
        if (module->dlpi_phdr[i].p_type == PT_TLS && at < module->dlpi_phdr[i].p_memsz)
            return 1;
    }
    return 0;
}

struct sought {
    uintptr_t code, offset;
    const char *module;
};

static int is_code_of(struct dl_phdr_info *module, size_t size, void *arg)
{
    struct sought *sought = arg;
    (void)size;
    for (size_t i = 0; i < module->dlpi_phnum; i++) {
        uintptr_t at = sought->code - module->dlpi_addr - module->dlpi_phdr[i].p_vaddr;
        if (module->dlpi_phdr[i].p_type != PT_LOAD || at >= module->dlpi_phdr[i].p_memsz)
            continue;
        sought->offset = sought->code - module->dlpi_addr;
        sought->module = module->dlpi_name;
        return 1;
    }
    return 0;
}

const char *ouro__os_module_of(const void *code, uintptr_t *offset)
{
    struct sought sought = {(uintptr_t)code, (uintptr_t)code, ""};
    dl_iterate_phdr(is_code_of, &sought);
    *offset = sought.offset;
    return sought.module;
}

bool ouro__os_is_thread_local(void *p)
{
    return dl_iterate_phdr(is_in_tls_of, p) != 0;
}
#else
const char *ouro__os_module_of(const void *code, uintptr_t *offset)
{
    *offset = (uintptr_t)code;
    return "";
}

bool ouro__os_stack(uintptr_t *low, uintptr_t *high)
{
    *low = *high = 0;
    return false;
}

bool ouro__os_is_thread_local(void *p)
{
    (void)p;
    return false;
}
#endif
