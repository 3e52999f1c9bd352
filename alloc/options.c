/* SPDX-License-Identifier: MIT */
/* options.c: the values in force, of each runtime. Each is a relaxed word of its own: any that was
 * ever set is right. `loaded` orders what the environment said before its first use (once.h). */
#include "alloc/options.h"
#include "alloc/arena.h"
#include "alloc/once.h"
#include "alloc/text.h"

static const struct ouro_option_info table[OURO_OPTION_COUNT] = {
#define ROW(name, def, lo, hi, unit, help) {#name, def, lo, hi, unit, help},
    OURO__OPTIONS(ROW)
#undef ROW
};

static ouro_word initial[OURO_OPTION_COUNT]; /* what the environment says */
static ouro_word loaded;                     /* whether the environment was read */

/* An optional minus, decimal digits, an optional K, M or G. */
static bool parse(const char *s, int64_t *value)
{
    int64_t n = 0;
    bool minus = *s == '-';
    s += minus;
    if (*s < '0' || *s > '9')
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *s - '0', &n))
            return false;
    }
    unsigned shift = *s == 'K' ? 10 : *s == 'M' ? 20 : *s == 'G' ? 30 : 0;
    if (shift && (++s, __builtin_mul_overflow(n, (int64_t)1 << shift, &n)))
        return false;
    *value = minus ? -n : n;
    return *s == '\0';
}

static void report_bad(const char *variable, const struct ouro_option_info *info, const char *text)
{
    char room[256], range[96];
    struct ouro__text t = {room, sizeof room, 0}, r = {range, sizeof range, 0};
    ouro__text_add(&r, info->least < 0 ? ": not a number from -" : ": not a number from ");
    ouro__text_decimal(&r, (uint64_t)(info->least < 0 ? -info->least : info->least));
    ouro__text_add(&r, " to ");
    ouro__text_decimal(&r, (uint64_t)info->greatest);
    ouro__text_add(&r, " (K, M or G may follow)\n");
    ouro__text_add(&t, "ouro: ignored ");
    ouro__text_add(&t, variable);
    ouro__text_add(&t, "=");
    ouro__text_add(&t, text);
    ouro__text_end(&t, range);
    ouro__os_say(room, t.len);
}

static void name_variable(char *room, size_t size, const char *name)
{
    struct ouro__text t = {room, size, 0};
    ouro__text_add(&t, "OURO_");
    for (; *name; name++) {
        char one[2] = {(char)(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name), '\0'};
        ouro__text_add(&t, one);
    }
}

static void load_one(ouro_option option)
{
    const struct ouro_option_info *info = &table[option];
    char name[64];
    name_variable(name, sizeof name, info->name);
    const char *text = ouro__os_getenv(name);
    int64_t value = info->initial;
    if (text && (!parse(text, &value) || value < info->least || value > info->greatest)) {
        report_bad(name, info, text);
        value = info->initial;
    }
    ouro__store(&initial[option], (ouro_word)value);
}

void ouro__options_begin(struct ouro_runtime *runtime)
{
    ouro__tool_words(runtime->options, sizeof runtime->options);
    for (unsigned i = 0; i < OURO_OPTION_COUNT; i++)
        ouro__store(&runtime->options[i], ouro__load(&initial[i]));
}

#define TEXT_MOST 1024
static char texts[OURO__TEXT_COUNT][TEXT_MOST];

const char *ouro__option_text(ouro__text_option option)
{
    ouro_option_get(0);
    return texts[option][0] ? texts[option] : NULL;
}

static OURO_COLD void report_long(const char *variable)
{
    char room[160];
    struct ouro__text t = {room, sizeof room, 0};
    ouro__text_add(&t, "ouro: ignored ");
    ouro__text_add(&t, variable);
    ouro__text_add(&t, ": longer than ");
    ouro__text_decimal(&t, TEXT_MOST - 1);
    ouro__text_end(&t, " bytes\n");
    ouro__os_say(room, t.len);
}

static void load_text(ouro__text_option option)
{
    static const char *const names[] = {
#define NAME(name, unit, help) #name,
        OURO__TEXT_OPTIONS(NAME)
#undef NAME
    };
    char variable[64];
    name_variable(variable, sizeof variable, names[option]);
    const char *text = ouro__os_getenv(variable);
    if (!text)
        return;
    if (strlen(text) < TEXT_MOST)
        memcpy(texts[option], text, strlen(text) + 1);
    else
        report_long(variable);
}

static void load_all(void)
{
    if (!ouro__once_enter(&loaded))
        return;
    ouro__tool_words(initial, sizeof initial);
    ouro__tool_words(&loaded, sizeof loaded);
    for (unsigned i = 0; i < OURO_OPTION_COUNT; i++)
        load_one((ouro_option)i);
    for (unsigned i = 0; OURO_FRONT && i < OURO__TEXT_COUNT; i++)
        load_text((ouro__text_option)i);
    ouro__options_begin(&ouro__default_runtime);
    ouro__once_done(&loaded);
}

int64_t ouro_option_get(ouro_option option)
{
    if ((unsigned)option >= OURO_OPTION_COUNT)
        return 0;
    if (OURO_UNLIKELY(ouro__load_acquire(&loaded) != OURO__ONCE_DONE))
        load_all();
    return (int64_t)ouro__load(&ouro__own.runtime->options[option]);
}

ouro_status ouro__option_set_in(struct ouro_runtime *runtime, const char *name, int64_t value)
{
    if (!name)
        return OURO_BAD_ARGUMENT;
    ouro_option_get(0);
    for (unsigned i = 0; i < OURO_OPTION_COUNT; i++) {
        if (strcmp(name, table[i].name) != 0)
            continue;
        if (value < table[i].least || value > table[i].greatest)
            return OURO_BAD_ARGUMENT;
        if (i == OURO_OPTION_supply && ouro__heaps_exist())
            return OURO_TOO_LATE;
        ouro__store(&runtime->options[i], (ouro_word)value);
        if (i == OURO_OPTION_limit)
            ouro__arena_limit_changed(runtime);
        return OURO_OK;
    }
    return OURO_UNKNOWN_NAME;
}

ouro_status ouro_option_set(const char *name, int64_t value)
{
    return ouro__option_set_in(ouro__own.runtime, name, value);
}

const struct ouro_option_info *ouro_option_describe(ouro_option option)
{
    return (unsigned)option < OURO_OPTION_COUNT ? &table[option] : NULL;
}
