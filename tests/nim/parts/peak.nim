# SPDX-License-Identifier: MIT
# Included by the programs here: how much they do, and the most memory that they ever had.
import std/[os, strutils]

let full = paramCount() == 0 # else as much as the argument says: "# few: " (nim.sh)

proc rounds(all: int): int =
  if full: all else: min(all, parseInt(paramStr(1)))

proc peakKb(): int =
  for line in lines("/proc/self/status"):
    if line.startsWith("VmHWM:"): return parseInt(line.splitWhitespace()[1])
