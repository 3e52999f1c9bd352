/* SPDX-License-Identifier: MIT */
/* twins.c: the inline functions of hooks, exported. */
#include "alloc/twin.h"
#include "hooks/value.h"

OURO__TWIN(void *, seq_data, (const ouro_seq *seq), (seq))
OURO__TWIN(const char *, string_data, (const ouro_string *s), (s))
OURO__TWIN(bool, is_subtype, (const struct ouro_type *type, const struct ouro_type *of), (type, of))
OURO__TWIN(void *, filter_object, (const struct ouro_filter *filter, uint64_t word), (filter, word))
OURO__TWIN(uint64_t, filter_word, (const struct ouro_filter *filter, uint64_t word, void *object),
           (filter, word, object))
