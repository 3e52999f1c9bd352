/* SPDX-License-Identifier: MIT */
/* again.h: a test program that starts itself, or another, under the emulator that it runs on.
 *
 * Not by /proc/self/exe: that may be a tool. emulator.h is made by CMake. */
#ifndef OURO_TESTS_AGAIN_H
#define OURO_TESTS_AGAIN_H

#include "emulator.h" /* OURO_TEST_EMULATOR: string literals, each with a comma behind it */

#include <stddef.h>
#include <unistd.h>

/* In the place of this program: `program` with one argument (may be NULL). Returns where that
 * fails. */
static inline void exec_again(const char *program, const char *argument)
{
    const char *args[] = {OURO_TEST_EMULATOR program, argument, NULL};
    execv(args[0], (char **)(void *)args);
}

#endif
