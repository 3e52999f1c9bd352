/* SPDX-License-Identifier: MIT */
/* Stands in, when a program is linked, for a libouro of another ABI. */
const char SYMBOL = 0;
