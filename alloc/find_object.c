/* SPDX-License-Identifier: MIT */
/* find_object.c: what the compiler's unwinder asks of glibc, for a libc that has it not: a gcc that
 * was built for glibc may link for musl too. In libouro-malloc.so alone, and not shown. It belongs
 * to os.h. glibc's <dlfcn.h> declares it; this is what it says. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <link.h>
#include <stddef.h>
#include <stdint.h>

struct dl_find_object {
    unsigned long long flags;
    void *map_start, *map_end;
    struct link_map *map;
    void *eh_frame; /* the table of PT_GNU_EH_FRAME */
    unsigned long long reserved[7];
};

struct sought {
    uintptr_t code;
    struct dl_find_object *found;
};

static int look_in(struct dl_phdr_info *module, size_t size, void *arg)
{
    struct sought *sought = arg;
    char *table = NULL, *start = NULL, *end = NULL;
    (void)size;
    for (size_t i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &module->dlpi_phdr[i];
        char *at = (char *)(module->dlpi_addr + part->p_vaddr);
        if (part->p_type == PT_GNU_EH_FRAME)
            table = at;
        if (part->p_type == PT_LOAD && sought->code - (uintptr_t)at < part->p_memsz)
            start = at, end = at + part->p_memsz;
    }
    if (!start || !table)
        return 0;
    *sought->found = (struct dl_find_object){.map_start = start, .map_end = end, .eh_frame = table};
    return 1;
}

int _dl_find_object(void *code, struct dl_find_object *found);
int _dl_find_object(void *code, struct dl_find_object *found)
{
    struct sought sought = {(uintptr_t)code, found};
    return dl_iterate_phdr(look_in, &sought) ? 0 : -1;
}
