# SPDX-License-Identifier: MIT
# Threads raise and catch at the same time: each one's destructors run in its own order.
# options: --threads:on
import std/strutils

type
  Probe = object
    name: string

var log {.threadvar.}: seq[string]

proc `=destroy`(x: var Probe) =
  if x.name.len > 0: log.add "-" & x.name
  `=destroy`(x.name)

proc `=copy`(dest: var Probe; src: Probe) {.error.}

type
  Node = ref object
    probe: Probe
    next: Node
  Failure = object of CatchableError
    node: Node

var reports: array[4, string]

proc node(name: string): Node =
  log.add "+" & name
  Node(probe: Probe(name: name))

proc fails(id, depth: int) =
  let n = node($id & "." & $depth)
  if depth == 0:
    let e = newException(Failure, "from " & $id)
    e.node = node($id & ".e")
    raise e
  try:
    fails(id, depth - 1)
  finally:
    log.add "finally " & n.probe.name

proc once(id: int) =
  try:
    fails(id, id mod 3)
  except Failure as e:
    log.add e.msg & " with " & e.node.probe.name

proc cyclic(id: int) =
  try:
    let n = node($id & ".c")
    n.next = n
    raise newException(ValueError, n.probe.name)
  except ValueError as e:
    log.add "value " & e.msg

proc body(id: int) =
  once(id)
  cyclic(id)
  GC_fullCollect()
  {.cast(gcsafe).}: reports[id] = log.join(" ")
  for i in 1 .. 200:
    log.setLen 0
    once(id)
    cyclic(id)
  GC_fullCollect()
  log = @[]

proc work(id: int) {.thread.} = body(id)

proc run() =
  var threads: array[4, Thread[int]]
  for i in 0 ..< 4: createThread(threads[i], work, i)
  joinThreads(threads)
  for r in reports.mitems:
    echo r
    r = ""

run()
GC_fullCollect()
