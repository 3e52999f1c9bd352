/* SPDX-License-Identifier: MIT */
/* builtin.c: the types of values that are one reference, closure, interior pointer or string. */
#include "hooks/closure.h"
#include "hooks/value.h"

static const struct ouro_field ref_fields[] = {{.name = "ref", .kind = OURO_FIELD_REF}};
struct ouro_type ouro_ref_type = {.size = sizeof(void *),
                                  .align = sizeof(void *),
                                  .name = "reference",
                                  .fields = ref_fields,
                                  .field_count = 1};

static const struct ouro_field closure_fields[] = {{.name = "env", .kind = OURO_FIELD_CLOSURE}};
struct ouro_type ouro_closure_type = {.size = sizeof(ouro_closure),
                                      .align = sizeof(void *),
                                      .name = "closure",
                                      .fields = closure_fields,
                                      .field_count = 1};

static const struct ouro_field interior_fields[] = {
    {.name = "object", .kind = OURO_FIELD_INTERIOR}};
struct ouro_type ouro_interior_type = {.size = sizeof(ouro_interior),
                                       .align = sizeof(void *),
                                       .name = "interior pointer",
                                       .fields = interior_fields,
                                       .field_count = 1};

static const struct ouro_field string_fields[] = {{.name = "string", .kind = OURO_FIELD_STRING}};
struct ouro_type ouro_string_type = {.size = sizeof(ouro_string),
                                     .align = sizeof(void *),
                                     .name = "string",
                                     .fields = string_fields,
                                     .field_count = 1};
