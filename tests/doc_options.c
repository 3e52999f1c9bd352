/* SPDX-License-Identifier: MIT */
/* docs/options.md is what the options table says: this program prints the page, and without the
 * argument --print compares it with the file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/options.h"

static char page[65536];
static size_t len;

static void add(const char *text)
{
    size_t n = strlen(text);
    if (len + n < sizeof page) {
        memcpy(page + len, text, n + 1);
        len += n;
    }
}

/* A number as it may be written in the environment. */
static void add_number(int64_t n)
{
    char room[32];
    if (n == INT64_MAX)
        snprintf(room, sizeof room, "2^63-1");
    else if (n > 0 && n % (1 << 20) == 0)
        snprintf(room, sizeof room, "%" PRId64 "M", n >> 20);
    else
        snprintf(room, sizeof room, "%" PRId64, n);
    add(room);
}

static void add_variable(const char *name)
{
    add("`OURO_");
    for (const char *s = name; *s; s++) {
        char upper[2] = {(char)(*s >= 'a' && *s <= 'z' ? *s - 32 : *s), '\0'};
        add(upper);
    }
    add("` | ");
}

static void add_text(const char *name, const char *unit, const char *help)
{
    add("| ");
    add_variable(name);
    add(unit);
    add(" | ");
    add(help);
    add(" |\n");
}

static void add_row(const struct ouro_option_info *row)
{
    add("| `");
    add(row->name);
    add("` | ");
    add_variable(row->name);
    add_number(row->initial);
    add(" | ");
    add_number(row->least);
    add(" .. ");
    add_number(row->greatest);
    add(" | ");
    add(row->unit);
    add(" | ");
    add(row->help);
    add(" |\n");
}

static void make_page(void)
{
    add("# Options\n\n"
        "Made from the table in `alloc/options.h` (`doc_options --print`); a test compares the "
        "two.\n\n"
        "Each option is set by its environment variable before the program starts, or by\n"
        "`ouro_option_set(\"name\", value)`. Numbers are decimal; K, M and G behind one multiply "
        "by "
        "2^10,\n2^20 and 2^30. A value that is no number, or out of range, is reported on the "
        "standard "
        "error once\nand ignored. `supply` can be set before first use only.\n\n"
        "| option | variable | default | range | unit | meaning |\n|---|---|---|---|---|---|\n");
    for (int i = 0; i < OURO_OPTION_COUNT; i++)
        add_row(ouro_option_describe((ouro_option)i));
    add("\nThese are text, which only the environment says, when the program starts:\n\n"
        "| variable | unit | meaning |\n|---|---|---|\n");
#define ADD_TEXT(name, unit, help) add_text(#name, unit, help);
    OURO__TEXT_OPTIONS(ADD_TEXT)
#undef ADD_TEXT
    add("\nIn a program that has more rights than who started it (set-user-ID) no variable is "
        "looked at.\n");
}

int main(int argc, char **argv)
{
    static char there[sizeof page];
    make_page();
    if (argc > 1 && strcmp(argv[1], "--print") == 0) {
        fputs(page, stdout);
        return 0;
    }
    FILE *file = fopen(OURO_OPTIONS_PAGE, "r");
    if (!file) {
        perror(OURO_OPTIONS_PAGE);
        return 1;
    }
    size_t n = fread(there, 1, sizeof there - 1, file);
    fclose(file);
    there[n] = '\0';
    if (strcmp(there, page) == 0)
        return 0;
    printf("docs/options.md is not what the table says; replace it by the output of %s --print\n",
           argv[0]);
    return 1;
}
