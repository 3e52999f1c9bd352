/* SPDX-License-Identifier: MIT */
/* abi_json PAGE: the committed orc/abi.json says what the library says. abi_json --write PAGE makes
 * it so; but where a released library had the old one, OURO_ABI is due as well. */
#include "ouro.h"
#include "orc/abi.h"

#include <stdio.h>
#include <string.h>

static char said[1 << 16], written[1 << 16];

static int write_page(const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f || fputs(said, f) < 0)
        return 1;
    return fclose(f) != 0;
}

/* Cut to fit, with a NUL, like any text of the library. */
static int cuts(void)
{
    char room[8];
    size_t whole = ouro_abi_json(NULL, 0);
    return ouro_abi_json(room, sizeof room) == whole && strlen(room) == sizeof room - 1 &&
           memcmp(room, said, sizeof room - 1) == 0 && whole == strlen(said);
}

int main(int argc, char **argv)
{
    if (ouro_abi_json(said, sizeof said) >= sizeof said || !cuts())
        return 1;
    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_page(argv[2]);
    const char *path = argc == 2 ? argv[1] : OURO_ABI_PAGE;
    FILE *f = fopen(path, "r");
    if (!f || fread(written, 1, sizeof written - 1, f) == 0 || fclose(f) != 0)
        return 1;
    if (strcmp(said, written) == 0)
        return 0;
    printf("%s differs from the library: see CONTRIBUTING.md, The ABI\n", path);
    return 1;
}
