# SPDX-License-Identifier: MIT
## Cycles on Ouro, in the place of lib/system/orc.nim; included by arc.nim beside it.

proc ouroTrace(slot, desc, env: pointer) {.importc: "ouro__nim_trace", header: ouroHeader.}
# Those that run destructors have the effects of Nim's own: whoever calls a GC_ proc looks at once
# for the exception that one of them raised.
proc ouroCollect() {.importc: "ouro__nim_collect", header: ouroHeader,
  raises: [Exception], tags: [RootEffect], gcsafe, sideEffect.}
proc ouroPause(paused: bool) {.importc: "ouro__nim_pause", header: ouroHeader.}
proc ouroRoots(): int {.importc: "ouro__nim_roots", header: ouroHeader.}
proc ouroCollectAbove(limit: int) {.importc: "ouro__nim_collect_above", header: ouroHeader,
  raises: [Exception], tags: [RootEffect], gcsafe, sideEffect.}

when defined(nimAllocStats):
  # Nim's collector counts its own arrays: two in each collection, and one for the roots.
  proc ouroFreed(): int {.importc: "ouro__nim_freed", header: ouroHeader.}
  proc ouroCollections(): int {.importc: "ouro__nim_collections", header: ouroHeader.}
  proc ouroCountArrays(n: int) =
    stats.allocCount += n
    stats.deallocCount += n
  template ouroCountFreed() =
    stats.deallocCount += ouroFreed()
    ouroCountArrays(3 * ouroCollections())
  template ouroCountCollection() =
    let hadRoots = ouroRoots() > 0
    ouroCollect()
    stats.deallocCount += ouroFreed()
    discard ouroCollections()
    ouroCountArrays(2 + ord(hadRoots))
else:
  template ouroCountFreed() = discard
  template ouroCountCollection() = ouroCollect()

type
  TraceProc = proc (p, env: pointer) {.nimcall, benign.}
  DisposeProc = proc (p: pointer) {.nimcall, benign.}

proc nimIncRefCyclic(p: pointer; cyclic: bool) {.compilerproc, inline, raises: [].} =
  ouroIncRef(p)

proc nimMarkCyclic(p: pointer) {.compilerproc, inline, raises: [].} =
  discard

proc unsureAsgnRef(dest: ptr pointer; src: pointer) {.inline.} =
  # For the old type information: `dest` holds nothing yet.
  dest[] = src
  ouroIncRef(src)

proc nimTraceRef(q: pointer; desc: PNimTypeV2; env: pointer) {.compilerproc, inline.} =
  ouroTrace(q, desc, env)

proc nimTraceRefDyn(q: pointer; env: pointer) {.compilerproc, inline.} =
  ouroTrace(q, nil, env)

proc nimDecRefIsLastCyclicStatic(p: pointer; desc: PNimTypeV2): bool {.compilerproc, inline.} =
  result = ouroIsLastOf(p, desc)
  ouroCountFreed()

proc nimDecRefIsLastCyclicDyn(p: pointer): bool {.compilerproc, inline.} =
  result = p != nil and ouroIsLastOf(p, ouroDescOf(p))
  ouroCountFreed()

proc nimDecRefIsLastDyn(p: pointer): bool {.compilerproc, inline.} =
  # Of a type that can be in no cycle, though its base may be.
  ouroIsLast(p)

proc GC_runOrc* =
  ## Collects the cycles of the calling thread.
  ouroCountCollection()

proc GC_fullCollect* =
  ## The same.
  GC_runOrc()

proc GC_enableOrc*() =
  ## Collections come by themselves again.
  ouroPause(false)

proc GC_disableOrc*() =
  ## Collections come only when asked for.
  ouroPause(true)

proc GC_prepareOrc*(): int {.inline.} =
  ## How many candidate roots the calling thread has.
  ouroRoots()

proc GC_partialCollect*(limit: int) =
  ## A collection that leaves the first `limit` candidate roots for later.
  ouroCollectAbove(limit)
  ouroCountFreed()

when defined(nimThinout):
  proc thinout*[T](x: ref T) {.inline.} =
    ## Nim's cycle breaker wants a root; here the cycles of the thread are collected.
    GC_runOrc()

  proc thinout*[T: proc](x: T) {.inline.} =
    ## The same, for a closure.
    GC_runOrc()

proc GC_enableMarkAndSweep*() =
  ## The same as `GC_enableOrc`.
  GC_enableOrc()

proc GC_disableMarkAndSweep*() =
  ## The same as `GC_disableOrc`.
  GC_disableOrc()

when compiles(cast[PNimTypeV2](nil).display):
  include "system/threadids"
