/* SPDX-License-Identifier: MIT */
/* plugin.h: what runtime_types.c and its plug-in know of each other. */
#ifndef OURO_TESTS_PLUGIN_H
#define OURO_TESTS_PLUGIN_H

#include "ouro.h"

struct plugin_host {
    int *destroyed;
};

struct plugin_inner {
    void *ref;
};
struct plugin_plugged {
    struct plugin_plugged *next;
    struct plugin_inner inner;
    int64_t number;
};

typedef void plugin_begin_function(const struct plugin_host *host, struct ouro_type *types[3]);
OURO_API void plugin_begin(const struct plugin_host *with, struct ouro_type *types[3]);

#endif
