/* SPDX-License-Identifier: MIT */
/* A program, or a plug-in, of which one unit includes one header and calls one function. */
#include UNIT

#include <stdio.h>

#ifdef __cplusplus
extern "C"
#endif
    int
    plugin(void);
int plugin(void)
{
    return 0;
}

int main(void)
{
    puts("it ran");
    return 0;
}
