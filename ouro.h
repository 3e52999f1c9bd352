/* SPDX-License-Identifier: MIT */
/* ouro.h: the usual headers of Ouro in one. Each can also be included alone. */
#ifndef OURO_H
#define OURO_H

#include "alloc/version.h"

#endif
