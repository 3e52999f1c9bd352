/* SPDX-License-Identifier: MIT */
/* peak.h: the largest resident set this program ever had, in KiB; 0: the system does not tell.
 *
 * Not by getrusage: what the process was before it became this program stands in that, and a driver
 * is larger than a small program. No stdio, which would allocate. */
#ifndef OURO_BENCH_PEAK_H
#define OURO_BENCH_PEAK_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline long bench_peak_kib(void)
{
    char text[4096];
    int f = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = f < 0 ? 0 : read(f, text, sizeof text - 1);
    if (f >= 0)
        close(f);
    text[n > 0 ? n : 0] = '\0';
    const char *line = strstr(text, "VmHWM:");
    return line ? strtol(line + strlen("VmHWM:"), NULL, 10) : 0;
}

#endif
