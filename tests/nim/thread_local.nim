# SPDX-License-Identifier: MIT
# Refs in thread variables are each thread's own; what a thread empties dies in that thread.
# options: --threads:on
type
  Probe = object
    name: string

  Log = ref object
    lines: seq[string]

var log {.threadvar.}: Log

proc note(text: string) =
  if log == nil: log = Log()
  log.lines.add text

proc `=destroy`(x: var Probe) =
  if x.name.len > 0: note "-" & x.name
  `=destroy`(x.name)

proc `=copy`(dest: var Probe; src: Probe) {.error.}

type
  Node = ref object
    probe: Probe
    value: int
    self: Node

var
  current {.threadvar.}: Node
  cache {.threadvar.}: seq[Node]
  reports: array[4, string]

proc node(name: string; value: int): Node = Node(probe: Probe(name: name), value: value)

proc bump() =
  if current == nil: current = node("first", 0)
  current.value += 1

proc join(): string =
  for line in log.lines: result.add line & " "
  log.lines.setLen 0

proc body(id: int) =
  doAssert current == nil and cache.len == 0
  for i in 0 .. id * 10: bump()
  note "value " & $current.value
  for i in 1 .. 3: cache.add node("c" & $i, i)
  cache.add cache[1]
  cache.delete(0)
  current = node("second", id)
  current.self = current
  current = nil
  note "dropped"
  GC_fullCollect()
  cache.setLen 0
  note "end"

proc work(id: int) {.thread.} =
  body(id)
  let text = join()
  # Reports is written once by each thread, in its own place.
  {.cast(gcsafe).}: reports[id] = text
  log = nil
  cache = @[]
  GC_fullCollect()

proc run() =
  current = node("main's", 1)
  var threads: array[4, Thread[int]]
  for i in 0 ..< 4: createThread(threads[i], work, i)
  joinThreads(threads)
  for report in reports: echo report
  echo "main ", current.value, " ", current.probe.name
  current = nil
  echo join()
  for report in reports.mitems: report = ""
  log = nil

run()
GC_fullCollect()
