/* SPDX-License-Identifier: MIT */
/* Running a plan: rounds, processes, and what they print. */
#include "bench/driver/plan.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIME_LIMIT_S 300 /* of one process */

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

__attribute__((format(printf, 2, 3))) static void fail(struct cell *cell, const char *format, ...)
{
    va_list args;
    if (cell->failure[0])
        return; /* the first reason counts */
    va_start(args, format);
    vsnprintf(cell->failure, sizeof cell->failure, format, args);
    va_end(args);
}

/* In the child: becomes the worker, with both outputs in the pipe. */
static _Noreturn void become_worker(const struct plan *plan, const struct cell *cell, int out)
{
    const struct options *o = plan->options;
    char path[4096], workload[128], repetitions[64], threads[64], dir[4096];
    snprintf(path, sizeof path, "%s/%s", o->workers, cell->worker);
    snprintf(workload, sizeof workload, "--workload=%s", cell->workload->name);
    snprintf(repetitions, sizeof repetitions, "--repetitions=%u", cell->workload->repetitions);
    snprintf(threads, sizeof threads, "--threads=%u", cell->workers);
    snprintf(dir, sizeof dir, "--dir=%s", o->dir);
    char *args[] = {path, workload, repetitions, threads, dir, o->quick ? "--quick" : NULL, NULL};
    if (cell->preload)
        setenv("LD_PRELOAD", cell->preload, 1);
    else
        unsetenv("LD_PRELOAD");
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(path, args);
    printf("%s: %s", path, strerror(errno));
    fflush(stdout);
    _exit(127);
}

/* Reads until the other end closes or the time is over; false: it is over. */
static bool read_output(int fd, char *text, size_t room)
{
    double end = now_s() + TIME_LIMIT_S;
    size_t len = 0;
    text[0] = '\0';
    for (;;) {
        struct pollfd p = {fd, POLLIN, 0};
        int left = (int)((end - now_s()) * 1000);
        if (left <= 0 || poll(&p, 1, left) == 0)
            return false;
        char part[512];
        ssize_t n = read(fd, part, sizeof part);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return true;
        size_t keep = (size_t)n < room - 1 - len ? (size_t)n : room - 1 - len;
        memcpy(text + len, part, keep);
        len += keep;
        text[len] = '\0';
    }
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}
static const char *text_of(const cJSON *object, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return s ? s : "";
}

/* Every variant of a workload must compute the same; "0" tells nothing. */
static void compare_check(const struct plan *plan, struct cell *cell, const char *check)
{
    snprintf(cell->check, sizeof cell->check, "%s", check);
    for (size_t i = 0; i < plan->count; i++) {
        const struct cell *other = &plan->cells[i];
        if (other->workload == cell->workload && other->check[0] && strcmp(check, "0") != 0 &&
            strcmp(other->check, "0") != 0 && strcmp(other->check, check) != 0)
            fail(cell, "computed %s where %s/%s on %s computed %s", check, other->counts,
                 other->threads, other->allocator, other->check);
    }
}

static void take_result(struct plan *plan, struct cell *cell, unsigned round, const cJSON *line)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(line, "ns_per_op"), *item;
    double ns[64];
    size_t n = 0;
    cJSON_ArrayForEach(item, list) if (n < 64 && cJSON_IsNumber(item)) ns[n++] = item->valuedouble;
    if (text_of(line, "error")[0])
        fail(cell, "%s", text_of(line, "error"));
    if (cell->preload && strcmp(text_of(line, "malloc"), cell->preload) != 0)
        fail(cell, "malloc came from %s", text_of(line, "malloc"));
    compare_check(plan, cell, text_of(line, "check"));
    if (n == 0)
        fail(cell, "the worker measured nothing");
    if (cell->failure[0])
        return;
    cell->ns[round] = stats_median(ns, n);
    cell->rss[round] = number(line, "peak_rss_kib");
    cell->idle_rss = number(line, "idle_rss_kib");
    for (size_t i = 0; i < plan->count; i++)
        if (plan->cells[i].base_of == (size_t)(cell - plan->cells) + 1)
            plan->cells[i].ns[round] = number(line, "base_ns_per_op");
}

/* The last line is the result; whatever else was said is the reason of a failure. */
static void judge(struct plan *plan, struct cell *cell, unsigned round, char *text, int status)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    char *last = strrchr(text, '\n');
    cJSON *line = cJSON_Parse(last ? last + 1 : text);
    if (line)
        take_result(plan, cell, round, line);
    if (WIFSIGNALED(status))
        fail(cell, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0 || line == NULL)
        fail(cell, "exit status %d: %.160s", WEXITSTATUS(status), text);
    cJSON_Delete(line);
}

static void run_cell(struct plan *plan, struct cell *cell, unsigned round)
{
    char text[4096];
    int out[2], status = 0;
    if (pipe2(out, O_CLOEXEC) != 0) {
        fail(cell, "no pipe: %s", strerror(errno));
        return;
    }
    pid_t pid = fork();
    if (pid == 0)
        become_worker(plan, cell, out[1]);
    close(out[1]);
    if (pid < 0) {
        fail(cell, "no process: %s", strerror(errno));
    } else {
        if (!read_output(out[0], text, sizeof text)) {
            fail(cell, "not finished after %d s", TIME_LIMIT_S);
            kill(pid, SIGKILL);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
        judge(plan, cell, round, text, status);
    }
    close(out[0]);
}

static void tell(const struct plan *plan, const struct cell *cell, size_t done, double begun)
{
    const struct options *o = plan->options;
    size_t all = 0;
    if (!o->progress)
        return;
    for (size_t i = 0; i < plan->count; i++)
        all += plan->cells[i].worker != NULL;
    all *= o->rounds;
    double left = done ? (now_s() - begun) / (double)done * (double)(all - done) : 0;
    fprintf(stderr, "\r\033[K[%zu/%zu] %s, %s counts, %s", done, all, cell->workload->name,
            cell->counts, cell->allocator);
    if (done)
        fprintf(stderr, "; about %d:%02d left", (int)left / 60, (int)left % 60);
    fflush(stderr);
}

size_t plan_run(struct plan *plan)
{
    double begun = now_s();
    size_t done = 0, failed = 0;
    for (unsigned round = 0; round < plan->options->rounds; round++)
        for (size_t first = 0, end; first < plan->count; first = end) {
            for (end = first; end < plan->count; end++)
                if (plan->cells[end].workload != plan->cells[first].workload)
                    break;
            for (size_t i = 0; i < end - first; i++) {
                /* Every other round backwards, so that drift favours nobody. */
                struct cell *cell = &plan->cells[round & 1 ? end - 1 - i : first + i];
                if (cell->worker == NULL || cell->failure[0])
                    continue;
                tell(plan, cell, done, begun);
                run_cell(plan, cell, round);
                done++;
            }
        }
    if (plan->options->progress)
        fputs("\r\033[K", stderr);
    for (size_t i = 0; i < plan->count; i++)
        failed += plan->cells[i].failure[0] != '\0';
    return failed;
}
