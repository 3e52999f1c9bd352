# SPDX-License-Identifier: MIT
# options-1: --threads:on
# options-ouro: -d:othersToo
# A destructor that a collection runs raises: whoever asked for the collection sees the exception at
# once, and a drop that made one come by itself raises it where the compiler looks next. On a thread
# each, for Nim's own collector is left in the middle.
type
  Obj = object
    id: int
    name: string
    peer: Node
  Node = ref Obj

var alive, raisesLeft {.threadvar.}: int

proc `=destroy`(o: var Obj) =
  `=destroy`(o.peer)
  let id = o.id
  o.id = 0
  `=destroy`(o.name)
  if id != 0: dec alive
  if id == 2 and raisesLeft > 0:
    dec raisesLeft
    raise newException(ValueError, "from a destructor")

proc ring(n: int) =
  # The last one, of id 2, is destroyed last.
  let first = Node(id: 3, name: "first of " & $n)
  var last = first
  for i in 2 .. n:
    last.peer = Node(id: if i == n: 2 else: i + 2, name: "number " & $i)
    last = last.peer
  last.peer = first
  alive += n

proc inTurn(title: string; collect: proc () {.nimcall, gcsafe.}) =
  raisesLeft = 1
  ring(3)
  try:
    echo title
    collect()
    echo "went on"
  except ValueError as e:
    echo "caught: ", e.msg
  echo "left ", alive

proc full() {.thread.} = inTurn("GC_fullCollect", proc () = GC_fullCollect())
proc run() {.thread.} = inTurn("GC_runOrc", proc () = GC_runOrc())
proc partial() {.thread.} = inTurn("GC_partialCollect", proc () = GC_partialCollect(0))

proc nested() =
  GC_fullCollect()
  echo "went on"

proc through() {.thread.} =
  inTurn("through another proc", nested)

proc selfCycle() =
  let n = Node(id: 2)
  n.peer = n
  inc alive

proc byItself() {.thread.} =
  raisesLeft = 1
  try:
    for i in 1 .. 1000: selfCycle()
    echo "looked at here"
  except ValueError as e:
    echo "by itself: ", e.msg

proc collected(): string =
  try: GC_fullCollect()
  except ValueError as e: result = e.msg

proc others() {.thread.} =
  ## On Ouro all other destructors run as ever, and a later collection too.
  raisesLeft = high(int)
  for round in 1 .. 3:
    for i in 1 .. 20: ring(4)
    doAssert collected() == "from a destructor"
    doAssert alive == 0 and getCurrentException() == nil
    doAssert collected() == ""
  GC_disableOrc()
  for i in 1 .. 10: ring(2)
  let limit = GC_prepareOrc() * 3 div 10
  try: GC_partialCollect(limit)
  except ValueError: doAssert alive == 6
  doAssert GC_prepareOrc() == limit
  doAssert collected() != "" and alive == 0
  GC_enableOrc()

proc onAThread(p: proc () {.thread, nimcall.}) =
  var t: Thread[void]
  createThread(t, p)
  joinThread(t)

for p in [full, run, partial, through, byItself]: onAThread(p)
when defined(othersToo): onAThread(others)
