# SPDX-License-Identifier: MIT
## The runtime of refs on Ouro, in the place of lib/system/arc.nim (patchFile, docs/nim.md): what the
## compiler calls of it, under the names that it knows. For Nim 1.6 and 2.x. Part of the module system.

{.push stackTrace: off, profiler: off.}

const
  ouroHeader = "orc/nim/nim.h"
  ouroAcyclicFlag = 1 # of TNimTypeV2.flags

type
  OuroNimInfo {.importc: "struct ouro__nim_info", header: ouroHeader, completeStruct.} = object
    size, align: csize_t
    name: cstring
    destructor, trace: pointer
    raising: proc (): ptr bool {.cdecl, gcsafe.}
    keep: proc (): bool {.cdecl, gcsafe.}
    run: proc (p, destructor: pointer): bool {.cdecl, gcsafe.}
    rethrow: proc () {.cdecl, gcsafe.}
    acyclic: bool

proc ouroNew(size, align: int): pointer {.importc: "ouro__nim_new", header: ouroHeader.}
proc ouroNewUninit(size, align: int): pointer {.importc: "ouro__nim_new_uninit", header: ouroHeader.}
proc ouroIncRef(p: pointer) {.importc: "ouro__nim_incref", header: ouroHeader.}
proc ouroDecRef(p: pointer) {.importc: "ouro__nim_decref", header: ouroHeader.}
proc ouroIsLast(p: pointer): bool {.importc: "ouro__nim_is_last", header: ouroHeader.}
proc ouroIsLastOf(p, desc: pointer): bool {.importc: "ouro__nim_is_last_of", header: ouroHeader.}
proc ouroDispose(p: pointer; align: int) {.importc: "ouro__nim_dispose", header: ouroHeader.}
proc ouroCount(p: pointer): int64 {.importc: "ouro_count", header: ouroHeader.}

proc raiseOutOfMem() {.noinline.} # mmdisp.nim's

proc ouroNimOutOfMemory() {.exportc, cdecl, noinline.} =
  ## Called where there is no memory for a ref or a block; does not return.
  raiseOutOfMem()

template ouroDescOf(p: pointer): pointer =
  ## Objects of inheritance begin with the address of their descriptor.
  cast[ptr pointer](p)[]

# Inlined in debug builds too: whoever calls the library is where the ref was born (OURO_LEAKS=2).
const ouroInlined = "static inline __attribute__((always_inline)) $1 $2$3"

# -d:nimAllocStats counts refs too, and what collections free.
proc nimNewObj(size, alignment: int): pointer {.compilerproc, inline, codegenDecl: ouroInlined,
                                                raises: [].} =
  incStat(allocCount)
  ouroNew(size, alignment)

proc nimNewObjUninit(size, alignment: int): pointer {.compilerproc, inline,
                                                      codegenDecl: ouroInlined, raises: [].} =
  incStat(allocCount)
  ouroNewUninit(size, alignment)

proc nimIncRef(p: pointer) {.compilerproc, inline, raises: [].} =
  ouroIncRef(p)

proc nimDecWeakRef(p: pointer) {.compilerproc, inline, raises: [].} =
  ouroDecRef(p)

proc nimDecRefIsLast(p: pointer): bool {.compilerproc, inline, raises: [].} =
  ouroIsLast(p)

proc nimRawDispose(p: pointer; alignment: int) {.compilerproc, inline, raises: [].} =
  incStat(deallocCount)
  when defined(nimOwnedEnabled): # --newruntime: references that own nothing are counted too
    if ouroCount(p) > 1:
      cstderr.rawWrite "[FATAL] dangling references exist\n"
      when declared(rawQuit): rawQuit 1
      else: quit 1
  ouroDispose(p, alignment)

template `=dispose`*[T](x: owned(ref T)) =
  nimRawDispose(cast[pointer](x), T.alignOf)

proc nimDestroyAndDispose(p: pointer) {.compilerproc, raises: [].} =
  let desc = cast[PNimTypeV2](ouroDescOf(p))
  let align = int(desc.align)
  if desc.destructor != nil:
    cast[DestructorProc](desc.destructor)(p)
  nimRawDispose(p, align)

when defined(gcOrc):
  include orc
else:
  proc unsureAsgnRef(dest: ptr pointer; src: pointer) {.inline.} =
    dest[] = src
    ouroIncRef(src)

  template GC_fullCollect* =
    ## Without a cycle collector (`--mm:arc`) there is nothing to collect.
    discard

proc getCurrentException*(): ref Exception {.compilerRtl, inl, benign.}

template ouroDescriptions(keeps: bool) {.dirty.} =
  ## What the library calls. keeps: whether exceptions of destructors are kept.
  when keeps:
    var ouroRaised {.threadvar.}: ref Exception

    # An exception is kept, so that the other destructors run as ever; true: it is the first.
    # ouroRethrow raises it when all are done.
    when gotoBasedExceptions:
      # What the compiler looks at after calls; Nim declares it only later.
      proc ouroErrorFlag(): ptr bool {.importc: "nimErrorFlag", nodecl.}

      proc ouroRaising(): ptr bool {.cdecl.} = ouroErrorFlag()

      proc ouroFlying() {.noinline, nimcall, raises: [Exception].} =
        ## Who calls this looks at the flag next.
        discard

      proc ouroKeep(): bool {.cdecl.} =
        ## Called where the flag is set.
        try:
          ouroFlying()
        except Exception:
          result = ouroRaised == nil
          if result: ouroRaised = getCurrentException()
    else:
      type OuroDestructor = proc (p: pointer) {.nimcall, gcsafe.} # which may raise, whatever Nim says

      proc ouroRun(p, destructor: pointer): bool {.cdecl.} =
        ## Called for each destructor that the library runs.
        try:
          cast[OuroDestructor](destructor)(p)
        except Exception:
          result = ouroRaised == nil
          if result: ouroRaised = getCurrentException()

    proc ouroRethrow() {.cdecl.} =
      let e = move(ouroRaised)
      if e != nil: raise e

  proc ouroNimDescribe(desc: pointer; info: ptr OuroNimInfo) {.exportc, cdecl, raises: [].} =
    ## Called once per descriptor that the library sees.
    let t = cast[PNimTypeV2](desc)
    info.size = csize_t(t.size)
    info.align = csize_t(t.align)
    when compiles(t.name):
      info.name = t.name
    info.destructor = t.destructor
    info.trace = t.traceImpl
    when keeps:
      when gotoBasedExceptions:
        info.raising = ouroRaising
        info.keep = ouroKeep
      else:
        info.run = ouroRun
      info.rethrow = ouroRethrow
    info.acyclic = (t.flags and ouroAcyclicFlag) != 0

# 1.6 wants to know at once what stands behind `try`: there alloc.nim has them, which comes later.
const ouroLater = not compiles(cast[PNimTypeV2](nil).display) and not defined(useMalloc)
when not ouroLater:
  ouroDescriptions(compiles(cast[PNimTypeV2](nil).display))
else:
  proc nimBorrowCurrentException(): ref Exception {.compilerRtl, inl, benign, nodestroy.}

proc GC_ref*[T](x: ref T) =
  ## Takes a reference of its own to `x`, which `GC_unref` drops.
  if x != nil: ouroIncRef(cast[pointer](x))

proc GC_unref*[T](x: ref T) =
  ## Drops a reference that `GC_ref` took.
  var dropped {.cursor.} = x
  `=destroy`(dropped)

proc isUniqueRef*[T](x: ref T): bool {.inline.} =
  ## Whether `x` is the only reference to its object, as far as this thread can tell.
  x != nil and ouroCount(cast[pointer](x)) == 1

template setupForeignThreadGc* =
  ## Threads that Nim did not start need nothing.
  discard

template tearDownForeignThreadGc* =
  discard

when compiles(cast[PNimTypeV2](nil).display):
  # 2.x: each type knows its ancestors by their depth.
  proc isObjDisplayCheck(source: PNimTypeV2; targetDepth: int16; token: uint32): bool {.
      compilerproc, inline, raises: [].} =
    source.depth >= targetDepth and source.display[targetDepth] == token

  when defined(gcDestructors):
    proc nimGetVTable(p: pointer; index: int): pointer {.compilerproc, inline, raises: [].} =
      cast[PNimTypeV2](ouroDescOf(p)).vTable[index]
else:
  # 1.6: a type's name ends with that of each type that it inherits from.
  type ObjCheckCache = array[0..1, PNimTypeV2]

  proc ouroStrLen(s: cstring): csize_t {.importc: "strlen", header: "<string.h>", noSideEffect.}
  proc ouroMemCmp(a, b: pointer; n: csize_t): cint {.
    importc: "memcmp", header: "<string.h>", noSideEffect.}

  proc isObj(obj: PNimTypeV2; subclass: cstring): bool {.compilerproc, inline, raises: [].} =
    let whole = ouroStrLen(obj.name)
    let part = ouroStrLen(subclass)
    if part <= whole:
      let at = cast[pointer](cast[uint](obj.name) + uint(whole - part))
      result = ouroMemCmp(at, subclass, part) == 0

  proc isObjWithCache(obj: PNimTypeV2; subclass: cstring; cache: var ObjCheckCache): bool {.
      compilerproc, raises: [].} =
    ## `cache`: the last type that was none, and the last that was one.
    if cache[0] == obj: return false
    if cache[1] == obj: return true
    result = isObj(obj, subclass)
    cache[ord(result)] = obj

  proc chckObj(obj: PNimTypeV2; subclass: cstring) {.compilerproc.} =
    if not isObj(obj, subclass):
      sysFatal(ObjectConversionDefect, "invalid object conversion")

{.pop.}
