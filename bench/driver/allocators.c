/* SPDX-License-Identifier: MIT */
/* Looking for the libraries of allocators.h where a linker would. */
#include "bench/driver/allocators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct allocator allocators[] = {
    {"libc", "libc6", {NULL}},
    {"jemalloc", "libjemalloc2", {"libjemalloc.so.2", "libjemalloc.so"}},
    {"mimalloc", "libmimalloc2.0", {"libmimalloc.so.2", "libmimalloc.so"}},
    {"tcmalloc", "libtcmalloc-minimal4", {"libtcmalloc_minimal.so.4", "libtcmalloc.so.4"}},
    {NULL, NULL, {NULL}}};

static const char *const directories[] = {"/usr/local/lib",
                                          "/usr/local/lib64",
                                          "/usr/lib/" OURO_BENCH_MULTIARCH,
                                          "/usr/lib64",
                                          "/usr/lib",
                                          "/lib/" OURO_BENCH_MULTIARCH,
                                          "/lib64",
                                          "/lib"};

const char *allocator_library(const struct allocator *allocator)
{
    static char found[sizeof allocators / sizeof allocators[0]][512];
    char *path = found[allocator - allocators];
    for (size_t s = 0; s < 3 && allocator->sonames[s]; s++)
        for (size_t d = 0; d < sizeof directories / sizeof directories[0]; d++) {
            snprintf(path, sizeof found[0], "%s/%s", directories[d], allocator->sonames[s]);
            if (access(path, R_OK) == 0)
                return path;
        }
    return NULL;
}

/* Beside the build's own directory, or where it is installed. */
const char *allocator_ours(void)
{
    static const char *const places[] = {OURO_BENCH_MALLOCS};
    static char found[4096];
    char program[2048], path[4096];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0)
        return NULL;
    program[n] = '\0';
    *strrchr(program, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0] && places[i]; i++) {
        snprintf(path, sizeof path, "%s/%s", program, places[i]);
        if (realpath(path, found))
            return found;
    }
    return NULL;
}

void allocators_tell_absent(struct plan *plan)
{
    char reason[192];
    for (const struct allocator *a = allocators; a->name; a++)
        if (a->sonames[0] && plan_listed(plan->options->allocators, a->name) &&
            allocator_library(a) == NULL) {
            snprintf(reason, sizeof reason, "%s is not installed (package %s)", a->sonames[0],
                     a->package);
            plan_add_absent(plan, a->name, reason);
        }
}
