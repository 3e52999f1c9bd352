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
OURO__TWIN(void *, seq_add, (ouro_seq * seq, const struct ouro_type *type, size_t size),
           (seq, type, size))
OURO__TWIN(void, seq_destroy, (ouro_seq * seq, const struct ouro_type *type), (seq, type))
OURO__TWIN(ouro_view, seq_view, (const ouro_seq *seq, size_t from, size_t count, size_t size),
           (seq, from, count, size))
OURO__TWIN(ouro_status, string_add, (ouro_string * s, char byte), (s, byte))
OURO__TWIN(ouro_status, string_add_bytes, (ouro_string * s, const char *bytes, size_t len),
           (s, bytes, len))
OURO__TWIN(void, string_destroy, (ouro_string * s), (s))
OURO__TWIN(ouro_view, string_view, (const ouro_string *s, size_t from, size_t len), (s, from, len))
OURO__TWIN(ouro_view, view_of, (const void *data, size_t len), (data, len))
OURO__TWIN(void, view_end, (ouro_view * view), (view))
