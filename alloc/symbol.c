/* SPDX-License-Identifier: MIT */
/* symbol.c: what other libraries of the process have, and who calls. It belongs to os.h, and has a
 * file of its own because libc declares RTLD_NEXT for _GNU_SOURCE alone, and only libouro-malloc.so
 * asks. The unwinder is the compiler's, linked into the library: a program may have another. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "alloc/os.h"

#include <dlfcn.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <unwind.h>

void *ouro__os_symbol(const char *library, const char *name)
{
    void *handle = library ? dlopen(library, RTLD_LAZY | RTLD_NOLOAD) : RTLD_NEXT;
    return handle ? dlsym(handle, name) : NULL;
}

/* -- callers ----------------------------------------------------------------------------------- */

/* Where this library begins, and its code ends: the linker's. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char etext[] __attribute__((visibility("hidden")));

struct callers {
    void **at, **end;
    void **first;
};

static _Unwind_Reason_Code note_caller(struct _Unwind_Context *context, void *arg)
{
    struct callers *callers = arg;
    const char *code = (const char *)_Unwind_GetIP(context);
    bool ours = code >= __ehdr_start && code < etext;
    if (!code || callers->at == callers->end)
        return _URC_END_OF_STACK;
    if (!ours || callers->at != callers->first)
        *callers->at++ = (void *)code;
    return _URC_NO_REASON;
}

size_t ouro__os_callers(void **callers, size_t most)
{
    struct callers found = {callers, callers + most, callers};
    _Unwind_Backtrace(note_caller, &found);
    return (size_t)(found.at - callers);
}

const char *ouro__os_function_of(const void *code)
{
    Dl_info info;
    return dladdr(code, &info) ? info.dli_sname : NULL;
}

const char *ouro__os_program(void)
{
    return program_invocation_short_name;
}

/* -- secrets ----------------------------------------------------------------------------------- */

/* Early at boot the system has none to give; it gave each program some when that was started. */
void ouro__os_secret(uint64_t secret[2])
{
    int was = errno;
    if (getrandom(secret, 2 * sizeof *secret, GRND_NONBLOCK) != 2 * sizeof *secret) {
        memset(secret, 0, 2 * sizeof *secret);
        const void *given = (const void *)getauxval(AT_RANDOM);
        if (given)
            memcpy(secret, given, 2 * sizeof *secret);
        secret[0] = ouro__mix(secret[0] ^ ouro__os_nanoseconds());
        secret[1] = ouro__mix(secret[1] ^ (uintptr_t)&secret);
    }
    errno = was;
}

void ouro__os_at_quick_exit(void (*report)(void))
{
    at_quick_exit(report);
}
