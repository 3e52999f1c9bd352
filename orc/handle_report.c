/* SPDX-License-Identifier: MIT */
/* handle_report.c: open handles in the list of what is alive, a line for each site and type. It
 * allocates nothing: it is printed when a program ends, too. */
#include "alloc/text.h"
#include "orc/handle.h"
#include "orc/state.h"

#define ROWS 256 /* lines at most; what has no line is counted as one */

static struct {
    ouro_word busy; /* one report at a time: another thread's is left out */
    struct row {
        const char *type_name, *site;
        const void *address;
        size_t count; /* 0: unused */
    } rows[ROWS];
    size_t others;
} report;

static void count_handle(const struct ouro_open_handle *open, void *arg)
{
    (void)arg;
    uintptr_t key = (uintptr_t)open->type_name ^ (uintptr_t)open->site ^ (uintptr_t)open->address;
    size_t at = key * 0x9E3779B97F4A7C15u >> 56;
    OURO_STATIC_ASSERT(ROWS == 1 << 8, "eight bits");
    for (size_t i = 0; i < ROWS; i++) {
        struct row *row = &report.rows[(at + i) % ROWS];
        if (row->count == 0)
            *row = (struct row){open->type_name, open->site, open->address, 0};
        if (row->type_name != open->type_name || row->site != open->site ||
            row->address != open->address)
            continue;
        row->count++;
        return;
    }
    report.others++;
}

static void say_row(const struct row *row)
{
    char room[256];
    struct ouro__text t = {room, sizeof room, 0};
    ouro__text_add(&t, "ouro: open: ");
    ouro__text_decimal(&t, row->count);
    ouro__text_add(&t, row->count == 1 ? " handle" : " handles");
    if (row->type_name) {
        ouro__text_add(&t, " of type ");
        ouro__text_add(&t, row->type_name);
    }
    if (row->site) {
        ouro__text_add(&t, ", made at ");
        ouro__text_add(&t, row->site);
    } else if (row->address) {
        ouro__text_add(&t, ", made before ");
        ouro__text_hex(&t, (uintptr_t)row->address);
    }
    ouro__text_end(&t, "\n");
    ouro__os_say(room, t.len);
}

void ouro__handles_report(void)
{
    ouro_word idle = 0;
    if (!ouro__cas_full(&report.busy, &idle, 1))
        return;
    memset(report.rows, 0, sizeof report.rows);
    report.others = 0;
    ouro_list_handles(count_handle, NULL);
    for (size_t i = 0; i < ROWS; i++) {
        if (report.rows[i].count)
            say_row(&report.rows[i]);
    }
    if (report.others)
        say_row(&(struct row){NULL, "(other sites)", NULL, report.others});
    ouro__exchange_full(&report.busy, 0);
}

/* In the child of a fork: a thread that is not there reports nothing any more. */
void ouro__handles_report_reset(void)
{
    ouro__store(&report.busy, 0);
}
