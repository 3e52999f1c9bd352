/* SPDX-License-Identifier: MIT */
#include "hooks/refops.h"

const struct ouro_refops *ouro__refops = &ouro__orc_refops;

void ouro__refops_install(const struct ouro_refops *ops)
{
    ouro__refops = ops;
}
