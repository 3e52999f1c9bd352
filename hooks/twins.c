/* SPDX-License-Identifier: MIT */
/* twins.c: the inline functions of hooks, exported. */
#include "alloc/twin.h"
#include "hooks/value.h"

OURO__TWIN(void *, seq_data, (const ouro_seq *seq), (seq))
OURO__TWIN(const char *, string_data, (const ouro_string *s), (s))
