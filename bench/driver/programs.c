/* SPDX-License-Identifier: MIT */
/* Programs of programs.h. */

#include "bench/driver/programs.h"
#include "bench/driver/process.h"
#include "bench/driver/run.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wordexp.h>

static char work[4096]; /* made when it is first needed */

static int remove_one(const char *path, const struct stat *is, int type, struct FTW *at)
{
    (void)is, (void)type, (void)at;
    return remove(path);
}
static void remove_work(void)
{
    nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *work_directory(void)
{
    const char *tmp = getenv("TMPDIR");
    if (work[0])
        return work;
    snprintf(work, sizeof work, "%s/ouro-bench.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (mkdtemp(work) == NULL) {
        work[0] = '\0';
        return NULL;
    }
    atexit(remove_work);
    return work;
}

/* The program's tool, into `path`. What ouro-bench brings along needs none. */
static bool find_tool(const struct program *program, char *path, size_t room)
{
    const char *at = program->tools;
    path[0] = '\0';
    while (at && *at) {
        char name[64];
        size_t n = strcspn(at, " ");
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        if (process_find(name, path, room))
            return true;
        at += n + (at[n] == ' ');
    }
    return program->tools == NULL;
}

/* What commands may refer to; of the driver's own environment, for sh and for programs. */
static void set_environment(const struct options *o, const struct program *program)
{
    char text[4096], size[16];
    find_tool(program, text, sizeof text);
    setenv("TOOL", text, 1);
    snprintf(text, sizeof text, "%s/programs", o->workers);
    setenv("PROGRAMS", text, 1);
    setenv("WORK", work, 1);
    snprintf(size, sizeof size, "%u", program->size[o->quick]);
    setenv("SIZE", size, 1);
    setenv("LC_ALL", "C", 1);
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
}

struct job {
    const struct options *options;
    const struct program *program;
    const char *preload;
};

static void become_shell(void *arg)
{
    struct job *job = arg;
    set_environment(job->options, job->program);
    unsetenv("LD_PRELOAD");
    if (chdir(work) == 0)
        execl("/bin/sh", "sh", "-e", "-c", job->program->prepare, NULL);
    printf("sh: %s", strerror(errno));
    fflush(stdout);
}

static void become_program(void *arg)
{
    struct job *job = arg;
    wordexp_t words;
    size_t i = 0;
    set_environment(job->options, job->program);
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0)
        dup2(nothing, STDIN_FILENO);
    if (wordexp(job->program->command, &words, WRDE_NOCMD | WRDE_UNDEF) != 0 || chdir(work) != 0)
        _exit(126);
    for (; i < words.we_wordc && strchr(words.we_wordv[i], '='); i++)
        putenv(words.we_wordv[i]);
    if (job->preload)
        setenv("LD_PRELOAD", job->preload, 1);
    else
        unsetenv("LD_PRELOAD");
    execv(words.we_wordv[i], words.we_wordv + i);
    printf("%s: %s", words.we_wordv[i], strerror(errno));
    fflush(stdout);
}

bool program_ready(struct plan *plan, const struct program *program)
{
    struct job job = {plan->options, program, NULL};
    struct process p;
    char path[4096], reason[192], why[192];
    if (!find_tool(program, path, sizeof path)) {
        snprintf(reason, sizeof reason, "there is no %s (package %s)", program->tools,
                 program->package);
        plan_add_absent(plan, program->workload, reason);
        return false;
    }
    if (work_directory() == NULL) {
        snprintf(reason, sizeof reason, "no temporary directory: %s", strerror(errno));
        plan_add_absent(plan, program->workload, reason);
        return false;
    }
    if (program->prepare) {
        process_run(&p, become_shell, &job);
        if (process_failed(&p, why, sizeof why)) {
            snprintf(reason, sizeof reason, "what it reads was not made: %.150s", why);
            plan_add_absent(plan, program->workload, reason);
            return false;
        }
    }
    process_run(&p, become_program, &job); /* not counted: what it reads is in memory now */
    return true;
}

static double nanoseconds(struct timeval t)
{
    return (double)t.tv_sec * 1e9 + (double)t.tv_usec * 1e3;
}

void program_run(const struct plan *plan, struct cell *cell, unsigned round)
{
    struct job job = {plan->options, cell->command, cell->preload};
    struct process p;
    char why[192], sum[32];
    process_run(&p, become_program, &job);
    if (process_failed(&p, why, sizeof why))
        run_fail(cell, "%s", why);
    else if (cell->preload && strstr(p.text, "cannot be preloaded"))
        run_fail(cell, "%.160s", p.text);
    snprintf(sum, sizeof sum, "%llu", (unsigned long long)p.sum);
    if (!cell->failure[0])
        run_compare(plan, cell, sum);
    if (cell->failure[0])
        return;
    cell->ns[round] = nanoseconds(p.usage.ru_utime) + nanoseconds(p.usage.ru_stime);
    cell->rss[round] = (double)p.usage.ru_maxrss;
}
