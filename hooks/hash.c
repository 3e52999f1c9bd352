/* SPDX-License-Identifier: MIT */
/* hash.c: the hash of a string. xxHash is compiled in here, from its header: nothing is linked. */
#include "hooks/strings.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

OURO_STATIC_ASSERT(XXH_VERSION_NUMBER >= 800, "XXH3 is final from xxHash 0.8.0 on");

uint64_t ouro_string_hash(const ouro_string *s, uint64_t seed)
{
    return XXH3_64bits_withSeed(ouro_string_data(s), s->len, seed);
}
