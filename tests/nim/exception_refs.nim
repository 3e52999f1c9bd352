# SPDX-License-Identifier: MIT
# Exceptions are refs: kept, chained to a parent, in a cycle with what they carry, they are let go.
# not: cpp
import std/strutils
include parts/probe

type
  Context = ref object
    probe: Probe
    name: string
    last: ref Failure
    handlers: seq[proc (e: ref Failure): bool]
  Failure = object of CatchableError
    probe: Probe
    context: Context
  Fatal = object of Failure

proc context(name: string): Context = Context(probe: probe(), name: name)

proc failure[T](kind: typedesc[T]; c: Context; text: string; parent: ref Exception = nil): ref T =
  result = (ref T)(msg: text, probe: probe(), context: c, parent: parent)

proc work(c: Context; n: int) =
  if n == 0: raise failure(Fatal, c, "nothing left in " & c.name)
  try:
    work(c, n - 1)
  except Failure as e:
    raise failure(Failure, c, "level " & $n, e)

proc chain() =
  try:
    work(context("chain"), 4)
  except Failure as e:
    var at: ref Exception = e
    var names: seq[string]
    while at != nil:
      names.add at.msg & (if at of Fatal: "!" else: "")
      at = at.parent
    echo names.join(" < ")
    echo "alive ", alive

proc remembered() =
  let c = context("remembered")
  for i in 1 .. 10:
    try: raise failure(Failure, c, "try " & $i)
    except Failure as e: c.last = e
  echo c.last.msg, " of ", c.last.context.name

proc handled() =
  let c = context("handled")
  var seen = 0
  c.handlers.add proc (e: ref Failure): bool =
    inc seen
    c.last = e
    e.context == c
  for i in 1 .. 5:
    try:
      if i mod 2 == 1: raise failure(Fatal, c, "odd")
      raise failure(Failure, c, "even")
    except Fatal as e:
      for h in c.handlers: doAssert h(e)
    except Failure:
      for h in c.handlers: doAssert h((ref Failure)(getCurrentException()))
  echo "seen ", seen, " last ", c.last.msg, " alive at most all: ", alive <= 6

proc kept(): ref Failure =
  try: work(context("kept"), 1)
  except Failure as e: result = e

proc main() =
  chain()
  GC_fullCollect()
  echo "left ", alive
  remembered()
  GC_fullCollect()
  echo "left ", alive
  handled()
  GC_fullCollect()
  echo "left ", alive
  block:
    let e = kept()
    GC_fullCollect()
    echo e.msg, " since ", e.parent.msg, " alive ", alive
    try: raise e
    except Failure as again: echo "raised later ", again == e
  GC_fullCollect()
  echo "left ", alive
  for i in 1 .. 3000:
    try:
      let c = context("many")
      let e = failure(Failure, c, "many")
      c.last = e
      raise e
    except Failure:
      discard
  GC_fullCollect()
  echo "left ", alive
  echo "current ", getCurrentException() == nil, " [", getCurrentExceptionMsg(), "]"

main()
GC_fullCollect()
