# SPDX-License-Identifier: MIT
## Raw memory on Ouro, in the place of lib/system/alloc.nim; included by lib/system/mmdisp.nim.

{.push profiler: off.}
when not defined(gcDestructors):
  {.error: "Ouro's runtime is for --mm:orc and --mm:arc".}

when ouroLater:
  ouroDescriptions(keeps = true)

type
  MemRegion = object # the heap is Ouro's

proc ouroAlloc(size: int): pointer {.importc: "ouro__nim_alloc", header: ouroHeader.}
proc ouroAlloc0(size: int): pointer {.importc: "ouro__nim_alloc0", header: ouroHeader.}
proc ouroRealloc(p: pointer; size: int): pointer {.importc: "ouro__nim_realloc", header: ouroHeader.}
proc ouroRealloc0(p: pointer; old, size: int): pointer {.
  importc: "ouro__nim_realloc0", header: ouroHeader.}
proc ouroFree(p: pointer) {.importc: "ouro__nim_dealloc", header: ouroHeader.}
proc ouroOccupied(): int {.importc: "ouro__nim_occupied", header: ouroHeader.}
proc ouroUnused(): int {.importc: "ouro__nim_free", header: ouroHeader.}
proc ouroPeak(): int {.importc: "ouro__nim_peak", header: ouroHeader.}

template instantiateForRegion(allocator: untyped) {.dirty.} =
  {.push stackTrace: off.}

  proc deallocOsPages = discard

  proc allocImpl(size: Natural): pointer = ouroAlloc(size)
  proc alloc0Impl(size: Natural): pointer = ouroAlloc0(size)
  proc deallocImpl(p: pointer) = ouroFree(p)
  proc reallocImpl(p: pointer; newSize: Natural): pointer = ouroRealloc(p, newSize)
  proc realloc0Impl(p: pointer; oldSize, newSize: Natural): pointer =
    ouroRealloc0(p, oldSize, newSize)

  # Every block may be given back by any thread.
  proc allocSharedImpl(size: Natural): pointer = ouroAlloc(size)
  proc allocShared0Impl(size: Natural): pointer = ouroAlloc0(size)
  proc deallocSharedImpl(p: pointer) = ouroFree(p)
  proc reallocSharedImpl(p: pointer; newSize: Natural): pointer = ouroRealloc(p, newSize)
  proc reallocShared0Impl(p: pointer; oldSize, newSize: Natural): pointer =
    ouroRealloc0(p, oldSize, newSize)

  # Of all threads together.
  proc getOccupiedMem(): int = ouroOccupied()
  proc getFreeMem(): int = ouroUnused()
  proc getTotalMem(): int = ouroOccupied() + ouroUnused()
  proc getMaxMem*(): int = ouroPeak()

  when defined(nimTypeNames):
    proc getMemCounters*(): (int, int) = (0, 0) # nothing counts them

  when hasThreadSupport:
    proc getOccupiedSharedMem(): int = ouroOccupied()
    proc getFreeSharedMem(): int = ouroUnused()
    proc getTotalSharedMem(): int = ouroOccupied() + ouroUnused()

  {.pop.}

{.pop.}
