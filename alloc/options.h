/* SPDX-License-Identifier: MIT */
/* options.h: everything that can be set, in one table.
 *
 * Each runtime has values of its own (alloc/runtime.h): the functions act on those of the runtime
 * that the calling thread is in. A new runtime has what the environment says.
 *
 * An option is set by the environment (OURO_ and its name in capitals) or by ouro_option_set. An
 * invalid value in the environment is reported on the standard error, once, and ignored. */
#ifndef OURO_ALLOC_OPTIONS_H
#define OURO_ALLOC_OPTIONS_H

#include "alloc/status.h"

OURO_EXTERN_C_BEGIN

/* X(name, default, least, greatest, unit, help) */
#define OURO__OPTIONS(X)                                                                           \
    X(supply, 0, 0, 2, "0 auto, 1 mmap, 2 system",                                                 \
      "where blocks come from; auto: system under Valgrind and ASan, else mmap")                   \
    X(purge_delay, 100, 0, 3600000, "ms", "how long empty pages are kept for reuse")               \
    X(limit, 0, 0, INT64_MAX, "bytes", "most to take from the supply; 0: no limit")                \
    X(collect_candidates, 10000, 1, INT64_MAX, "objects",                                          \
      "candidate roots at which a collection starts; adapts upwards")                              \
    X(collect_bytes, 64 << 20, 0, INT64_MAX, "bytes",                                              \
      "bytes allocated since the last collection at which one starts; 0: never")                   \
    X(leaks, -1, -1, 2, "flag",                                                                    \
      "list what is alive when the runtime, or the program, ends; -1: if checked; 2: with the "    \
      "site of each birth without a type")                                                         \
    X(workers, -1, -1, 256, "threads",                                                             \
      "that run tasks; -1: as many as processors; read when they are made")                        \
    X(harden, 1, 0, 3, "level",                                                                    \
      "libouro-malloc.so: 0 tells misuse and goes on, 1 stops the program, 2 and 3 look for more") \
    X(quarantine, 1 << 20, 0, 1 << 30, "bytes",                                                    \
      "libouro-malloc.so at harden 3: what each thread keeps back of the blocks that it freed")    \
    X(stats, 0, 0, 1, "flag", "libouro-malloc.so: figures on the standard error at the end")       \
    X(profile_rate, 512 << 10, 1, INT64_MAX, "bytes",                                              \
      "libouro-malloc.so: how far apart the allocations lie that the profile looks at, on "        \
      "average")                                                                                   \
    X(profile_seed, 0, 0, INT64_MAX, "number",                                                     \
      "libouro-malloc.so: which ones these are; 0: others in each run")

/* X(name, unit, help): text, which the environment alone says, as the program starts. */
#define OURO__TEXT_OPTIONS(X)                                                                      \
    X(stats_json, "file", "libouro-malloc.so: where the figures go at the end, as JSON")           \
    X(profile, "file",                                                                             \
      "libouro-malloc.so: where the heap profile goes at the end; its form goes by the name's "    \
      "end")

typedef enum ouro_option {
#define OURO__OPTION_ENUM(name, def, lo, hi, unit, help) OURO_OPTION_##name,
    OURO__OPTIONS(OURO__OPTION_ENUM) OURO_OPTION_COUNT
#undef OURO__OPTION_ENUM
} ouro_option;

struct ouro_option_info {
    const char *name;
    int64_t initial, least, greatest;
    const char *unit, *help;
};

/* The value in force, in the table's unit. `option` out of range gives 0. Any thread; the first
 * call reads the environment, and may write to the standard error; then O(1). Allocates nothing. */
OURO_API int64_t ouro_option_get(ouro_option option);
/* Sets an option by name ("purge_delay"; borrowed) to `value`, in the table's unit.
 * OURO_BAD_ARGUMENT: the name is NULL, or the value out of range; OURO_UNKNOWN_NAME; OURO_TOO_LATE:
 * `supply` after first use. Then nothing has changed. Any thread; allocates nothing; O(options). */
OURO_API ouro_status ouro_option_set(const char *name, int64_t value);
/* The table's row (static storage); NULL when out of range. Any thread; O(1). */
OURO_API const struct ouro_option_info *ouro_option_describe(ouro_option option);

OURO_EXTERN_C_END

#endif
