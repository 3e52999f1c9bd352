/* SPDX-License-Identifier: MIT */
#include "alloc/version.h"

const char *ouro_version(void)
{
    return OURO_VERSION;
}

#define STRING_OF(x)  STRING_OF_(x)
#define STRING_OF_(x) #x

const char OURO__ABI_SYMBOL = 0;

unsigned ouro_abi(void)
{
    return OURO_ABI;
}

ouro_status ouro_abi_require(unsigned number, const char **why)
{
    bool same = number == OURO_ABI;
    if (why)
        *why = same ? NULL
                    : "ouro " OURO_VERSION
                      " has ABI " STRING_OF(OURO_ABI) ", not the one asked for";
    return same ? OURO_OK : OURO_WRONG_ABI;
}
