# SPDX-License-Identifier: MIT
## What the workloads share: their result, the clock, the generator of bench/bench.h.
import std/monotimes

type Deed* = tuple[ns: float, ops: int, check: uint64] ## check 0 tells nothing

var quick* = false

proc now*(): float =
  float(getMonoTime().ticks)

proc random*(state: var uint64): uint32 =
  state = state * 6364136223846793005'u64 + 1442695040888963407'u64
  uint32(state shr 32)

proc below*(state: var uint64, n: int): int =
  int((uint64(random(state)) * uint64(n)) shr 32)
