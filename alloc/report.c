/* SPDX-License-Identifier: MIT */
/* report.c: what libouro-malloc.so tells when the program ends: by exit or a return from main,
 * after all exit handlers, and by quick_exit. _exit, abort and a signal end it without a word.
 *
 * Nothing is allocated: all text is composed on the stack. */
#include "alloc/front.h"
#include "alloc/arena.h"
#include "alloc/profile.h"
#include "alloc/stats.h"
#include "alloc/text.h"

#define NAME_MOST 1024

static bool prints; /* OURO_STATS */

/* The file's name, with the number of the process where it says %p: a fork's child has one too. */
static void make_name(char *room, const char *name)
{
    struct ouro__text t = {room, NAME_MOST, 0};
    for (; *name; name++) {
        char one[2] = {*name, '\0'};
        if (name[0] == '%' && name[1] == 'p') {
            ouro__text_decimal(&t, ouro__os_process());
            name++;
        } else {
            ouro__text_add(&t, one);
        }
    }
}

static bool name_of(char *room, ouro__text_option option)
{
    const char *name = ouro__option_text(option);
    if (!name)
        return false;
    make_name(room, name);
    return true;
}

static void print_stats(void)
{
    char room[8192];
    struct ouro__text t = {room, sizeof room, 0};
    int errors = ouro__os_kept_errors();
    if (errors < 0)
        return;
    ouro__front_describe(&t, true);
    ouro__os_write(errors, room, t.len);
}

int ouro__report_file(const char *name)
{
    int file = ouro__os_create(name), errors = file < 0 ? ouro__os_kept_errors() : -1;
    if (errors >= 0) {
        char room[NAME_MOST + 64];
        struct ouro__text t = {room, sizeof room, 0};
        ouro__text_add(&t, "ouro: cannot write to ");
        ouro__text_add(&t, name);
        ouro__text_end(&t, "\n");
        ouro__os_write(errors, room, t.len);
    }
    return file;
}

static void write_json(const char *name)
{
    char room[16384];
    int file = ouro__report_file(name);
    if (file < 0)
        return;
    size_t len = ouro_stats_json(room, sizeof room - 1);
    room[len++] = '\n';
    ouro__os_write(file, room, len);
    ouro__os_close(file);
}

static void tell(void)
{
    char name[NAME_MOST];
    int was = ouro__os_errno();
    if (name_of(name, OURO__TEXT_stats_json))
        write_json(name);
    if (ouro__profiled && name_of(name, OURO__TEXT_profile))
        ouro__profile_write(name);
    if (prints)
        print_stats();
    ouro__os_set_errno(was);
}

/* The environment may have been changed by then: what it said at the start holds. */
void ouro__report_begin(void)
{
    prints = ouro_option_get(OURO_OPTION_stats) != 0;
    if (!prints && !ouro__profiled && !ouro__option_text(OURO__TEXT_stats_json))
        return;
    ouro__os_keep_errors();
    ouro__os_at_quick_exit(tell);
}

OURO__OS_AT_EXIT static void at_exit(void)
{
    tell();
}
