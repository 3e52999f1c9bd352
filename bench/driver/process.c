/* SPDX-License-Identifier: MIT */
/* Processes of process.h. */
#include "bench/driver/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double process_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static volatile sig_atomic_t stopped; /* the signal, or 0 */

static void stop(int signal)
{
    stopped = signal;
}

void process_stop_in_order(void)
{
    struct sigaction action = {.sa_handler = stop};
    const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

/* Reads until the other end closes or the time is over; false: it is over. */
static bool read_output(struct process *p, int fd)
{
    static char part[65536];
    double end = process_now() + PROCESS_LIMIT_S;
    size_t len = 0;
    p->sum = 14695981039346656037u;
    for (;;) {
        struct pollfd ready = {fd, POLLIN, 0};
        if (stopped || process_now() >= end)
            return false;
        if (poll(&ready, 1, 500) <= 0) /* a signal may come before it */
            continue;
        ssize_t n = read(fd, part, sizeof part);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            p->sum = (p->sum ^ (unsigned char)part[i]) * 1099511628211u;
        size_t room = sizeof p->text - 1 - len;
        size_t keep = (size_t)n < room ? (size_t)n : room;
        memcpy(p->text + len, part, keep);
        len += keep;
    }
    while (len > 0 && p->text[len - 1] == '\n')
        len--;
    p->text[len] = '\0';
    return true;
}

void process_run(struct process *p, void (*become)(void *arg), void *arg)
{
    int out[2];
    memset(p, 0, sizeof *p);
    if (pipe2(out, O_CLOEXEC) != 0) {
        snprintf(p->error, sizeof p->error, "no pipe: %s", strerror(errno));
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(out[1], STDERR_FILENO);
        become(arg);
        _exit(127);
    }
    close(out[1]);
    if (pid < 0) {
        snprintf(p->error, sizeof p->error, "no process: %s", strerror(errno));
    } else {
        if (!read_output(p, out[0])) {
            snprintf(p->error, sizeof p->error, "not finished after %d s", PROCESS_LIMIT_S);
            kill(pid, SIGKILL);
        }
        while (wait4(pid, &p->status, 0, &p->usage) < 0 && errno == EINTR)
            continue;
    }
    close(out[0]);
    if (stopped)
        exit(128 + stopped);
}

bool process_failed(const struct process *p, char *why, size_t room)
{
    if (p->error[0])
        snprintf(why, room, "%s", p->error);
    else if (WIFSIGNALED(p->status))
        snprintf(why, room, "killed by signal %d (%s)", WTERMSIG(p->status),
                 strsignal(WTERMSIG(p->status)));
    else if (WEXITSTATUS(p->status) != 0)
        snprintf(why, room, "exit status %d: %.160s", WEXITSTATUS(p->status), p->text);
    else
        return false;
    return true;
}

bool process_find(const char *name, char *path, size_t room)
{
    const char *dirs = getenv("PATH");
    while (dirs && *dirs) {
        size_t n = strcspn(dirs, ":");
        snprintf(path, room, "%.*s/%s", (int)n, dirs, name);
        if (access(path, X_OK) == 0)
            return true;
        dirs += n + (dirs[n] == ':');
    }
    return false;
}
