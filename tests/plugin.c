/* SPDX-License-Identifier: MIT */
/* A plug-in for runtime_types.c: descriptors and a hook, in memory that goes with dlclose. */
#include "ouro.h"
#include "plugin.h"

static const struct plugin_host *host;

static void plugged_destroy(void *value, const struct ouro_type *type)
{
    ++*host->destroyed;
    ouro_lifted_destroy(value, type);
}

static const struct ouro_field inner_fields[] = {OURO_REF(struct plugin_inner, ref, NULL)};
static struct ouro_type inner = OURO_TYPE(struct plugin_inner, inner_fields);
static const struct ouro_field plugged_fields[] = {
    OURO_REF(struct plugin_plugged, next, NULL),
    OURO_VALUE(struct plugin_plugged, inner, &inner),
};
static struct ouro_type plugged = {.size = sizeof(struct plugin_plugged),
                                   .name = "plugged",
                                   .fields = plugged_fields,
                                   .field_count = OURO_COUNT_OF(plugged_fields),
                                   .hooks = {.destroy = plugged_destroy}};
static struct ouro_type ring = {.size = sizeof(struct plugin_plugged),
                                .name = "ring",
                                .fields = plugged_fields,
                                .field_count = OURO_COUNT_OF(plugged_fields)};

OURO_API void plugin_begin(const struct plugin_host *with, struct ouro_type *types[3])
{
    host = with;
    types[0] = &plugged;
    types[1] = &inner;
    types[2] = &ring;
}
