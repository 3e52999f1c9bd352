/* SPDX-License-Identifier: MIT */
/* The table for people. */
#include "bench/driver/report.h"
#include "bench/driver/claims.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* Nanoseconds as they are up to a million. */
static void print_time(FILE *to, double ns)
{
    if (ns < 1e6)
        fprintf(to, " %9.2f", ns);
    else
        fprintf(to, " %6.1f ms", ns / 1e6);
}

static void print_ratio(FILE *to, const struct plan *plan, const struct cell *cell, bool with_rss)
{
    const struct cell *off = plan_yardstick(plan, cell->workload);
    if (off == NULL || cell == off) {
        fprintf(to, "%*s", with_rss ? 15 : 8, cell == off ? "1" : "");
        return;
    }
    if (with_rss)
        fprintf(to, "  (%.3f)", cell_ratio(plan, cell, off, true).mid);
    struct stats_ratio r = cell_ratio(plan, cell, off, false);
    if (isfinite(r.mid))
        fprintf(to, "%8.3f  %.3f .. %.3f", r.mid, r.low, r.high);
}

static int name_width(const struct suite *suite)
{
    return suite->rates ? 23 : 16;
}

static void print_cell(FILE *to, const struct suite *suite, const struct plan *plan,
                       const struct cell *cell)
{
    double rss = cell_rss(plan, cell);
    char on[64];
    bool told = strcmp(cell->program, "c") != 0 && strcmp(cell->program, cell->allocator) != 0 &&
                strcmp(cell->allocator, "none") != 0 && cell->command == NULL;
    if (strcmp(cell->program, "nim") == 0)
        snprintf(on, sizeof on, "%s",
                 strcmp(cell->allocator, "nim") == 0 ? "Nim stock" : "Nim on Ouro");
    else
        snprintf(on, sizeof on, "%s%s%s%s", cell->allocator, told ? ", " : "",
                 told ? cell->program : "", cell->workers > 1 ? ", threads" : "");
    fprintf(to, "  %-8s %-4s %-*s", cell->counts, cell->threads, name_width(suite), on);
    if (cell->failure[0]) {
        fprintf(to, " failed: %s\n", cell->failure);
        return;
    }
    print_time(to, cell_median(plan, cell));
    if (suite->rates)
        fprintf(to, " %8.2f", 1e3 / cell_median(plan, cell));
    fprintf(to, "  %5.1f %%", 100 * stats_spread(cell->ns, plan->options->rounds));
    if (isfinite(rss))
        fprintf(to, " %9.1f", rss / 1024);
    else
        fprintf(to, " %9s", "");
    print_ratio(to, plan, cell, suite->rss_ratio);
    fputc('\n', to);
}

/* With a filter, what was not asked for is left out. */
static void print_claims(FILE *to, const struct claims *claims, bool filtered)
{
    static const char *const verdict[] = {"no value", "NOT met", "met"};
    fprintf(to, "\n%-26s %9s %9s   %s\n", "claim", "value", "at most", "");
    size_t left_out = 0;
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *c = &claims->item[i];
        if (filtered && !isfinite(c->value)) {
            left_out++;
            continue;
        }
        fprintf(to, "%-26s ", c->name);
        if (isfinite(c->value))
            fprintf(to, "%9.3f", c->value);
        else
            fprintf(to, "%9s", "-");
        fprintf(to, " %9.2f   %s%s%s%s\n", c->at_most, verdict[claim_holds(c) + 1],
                c->reason[0] ? " (" : "", c->reason, c->reason[0] ? ")" : "");
    }
    if (left_out)
        fprintf(to, "(%zu claims have no value with this filter)\n", left_out);
}

void report_table(FILE *to, const struct suite *suite, const struct plan *plan,
                  const struct claims *claims)
{
    const struct workload *last = NULL;
    fprintf(to,
            "ouro-bench %s: %s\n%s, %ld cores; %u rounds%s; medians; ratios with their 95 %% "
            "interval\n",
            suite->name, suite->what, machine_cpu(), sysconf(_SC_NPROCESSORS_ONLN),
            plan->options->rounds, plan->options->quick ? ", quick" : "");
    if (plan->options->rounds < 6)
        fprintf(to, "(fewer than 6 rounds: the intervals are the extremes and cover less)\n");
    fprintf(to, "\n  %-8s %-4s %-*s %9s%s  %7s %9s%s%8s  %s\n", "counts", "thr.", name_width(suite),
            "on", "ns each", suite->rates ? "      M/s" : "", "spread", "RSS MiB",
            suite->rss_ratio ? "  (ratio)" : "", suite->ratio, "");
    for (size_t i = 0; i < plan->count; i++) {
        const struct cell *c = &plan->cells[i];
        if (c->workload != last)
            fprintf(to, "%s: %s; per %s\n", c->workload->name, c->workload->what,
                    c->workload->unit);
        last = c->workload;
        print_cell(to, suite, plan, c);
    }
    for (size_t i = 0; i < plan->absent_count; i++)
        fprintf(to, "left out: %s: %s\n", plan->absent[i].name, plan->absent[i].reason);
    print_claims(to, claims, plan->options->filtered);
}
