# SPDX-License-Identifier: MIT
# A cycle noted as a possible root by one thread is dropped by another; the first collects it.
# With -d:foreignLast the other thread destroys such nodes too, which crashes Nim's own ORC.
# options: --threads:on
# options-ouro: -d:foreignLast
include parts/probe

type
  Node = ref object
    probe: Probe
    id: int
    next: Node

var
  nodes: Channel[Node]
  dropped: Channel[int]
  go: Channel[int]

proc ring(id: int): Node =
  result = Node(probe: probe(), id: id)
  result.next = Node(probe: probe(), id: -id, next: result)

proc touch(n: Node) {.noinline.} =
  # Two owners, one of them gone: the node is noted as a possible root here.
  var also = @[n]
  doAssert also[0].id == n.id
  also.setLen 0

proc dropper(count: int) {.thread.} =
  var sum = 0
  for i in 1 .. count:
    var n = nodes.recv()
    sum += n.next.id
    n = nil
  dropped.send(sum)

proc fromMain() =
  const count = 50
  var t: Thread[int]
  createThread(t, dropper, count)
  for i in 1 .. count:
    var n = ring(i)
    touch(n)
    nodes.send(move n)
  echo "other thread dropped ", dropped.recv()
  joinThread(t)
  GC_fullCollect()
  echo "left ", alive

proc maker(count: int) {.thread.} =
  for i in 1 .. count:
    var n = ring(i)
    touch(n)
    nodes.send(move n)
  doAssert go.recv() == 1
  GC_fullCollect()

proc fromThread() =
  const count = 50
  var t: Thread[int]
  createThread(t, maker, count)
  var sum = 0
  for i in 1 .. count:
    var n = nodes.recv()
    sum += n.next.id
    n = nil
  echo "main dropped ", sum
  go.send(1)
  joinThread(t)
  GC_fullCollect()
  echo "left ", alive

proc single(id: int): Node =
  Node(probe: probe(), id: id, next: nil)

proc breaker(count: int) {.thread.} =
  # Noted as possible roots by main, and the last owner is here.
  for i in 1 .. count:
    var n = nodes.recv()
    if i mod 2 == 0: touch(n)
    n = nil
  dropped.send(count)

proc lastElsewhere() =
  const count = 400
  var t: Thread[int]
  createThread(t, breaker, count)
  for i in 1 .. count:
    var n = single(i)
    touch(n)
    nodes.send(move n)
  doAssert dropped.recv() == count
  joinThread(t)
  doAssert alive == 0
  GC_fullCollect()

proc noter(count: int) {.thread.} =
  # Exits with its nodes still noted.
  for i in 1 .. count:
    var n = if i mod 3 == 0: ring(i) else: single(i)
    touch(n)
    nodes.send(move n)

proc lastAfterExit() =
  const count = 400
  var t: Thread[int]
  createThread(t, noter, count)
  joinThread(t)
  var kept: seq[Node]
  for i in 1 .. count: kept.add nodes.recv()
  for n in kept: touch(n)
  kept.setLen 10
  GC_fullCollect()
  doAssert alive == 13
  kept.setLen 0
  GC_fullCollect()
  doAssert alive == 0

proc run() =
  nodes.open()
  dropped.open()
  go.open()
  fromMain()
  fromThread()
  when defined(foreignLast):
    lastElsewhere()
    lastAfterExit()
  nodes.close()
  dropped.close()
  go.close()

run()
GC_fullCollect()
