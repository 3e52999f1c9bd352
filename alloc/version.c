/* SPDX-License-Identifier: MIT */
#include "alloc/version.h"

const char *ouro_version(void)
{
    return OURO_VERSION;
}
