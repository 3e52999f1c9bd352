/* SPDX-License-Identifier: MIT */
/* A program that uses Ouro as an installed or embedded library. Compiled as C and as C++. */
#include <ouro.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    printf("linked %s, compiled against %s\n", ouro_version(), OURO_VERSION);
    return strcmp(ouro_version(), OURO_VERSION) == 0 ? 0 : 1;
}
