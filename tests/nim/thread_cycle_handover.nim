# SPDX-License-Identifier: MIT
# A thread makes a cyclic graph, hands it to main by a channel and exits; main collects it.
# options: --threads:on
include parts/probe

type
  Node = ref object
    probe: Probe
    id: int
    text: string
    links: seq[Node]
  Graph = ref object
    probe: Probe
    nodes: seq[Node]
    owner: Graph

var graphs: Channel[Graph]

proc make(size: int): Graph =
  result = Graph(probe: probe())
  result.owner = result
  for i in 0 ..< size:
    result.nodes.add Node(probe: probe(), id: i, text: "node " & $i)
  for i in 0 ..< size:
    for step in [1, 7, 13]: result.nodes[i].links.add result.nodes[(i * step + 1) mod size]

proc reach(start: Node; size: int): int =
  var seen = newSeq[bool](size)
  var todo = @[start]
  while todo.len > 0:
    let n = todo.pop()
    if seen[n.id]: continue
    seen[n.id] = true
    inc result
    for link in n.links: todo.add link

proc maker(size: int) {.thread.} =
  var g = make(size)
  # Nobody else knows the graph yet; a thread that still had it among the roots of its own
  # collector could not give it away under Nim's ORC: it forgets them here.
  GC_fullCollect()
  graphs.send(move g)

proc once(size: int): int =
  var t: Thread[int]
  createThread(t, maker, size)
  let g = graphs.recv()
  joinThread(t)
  result = reach(g.nodes[0], size)
  g.nodes[size div 2].links.setLen 0
  g.nodes.delete(0)

proc several() =
  var threads: array[5, Thread[int]]
  for t in threads.mitems: createThread(t, maker, 50)
  var all: seq[Graph]
  for i in 1 .. 5: all.add graphs.recv()
  joinThreads(threads)
  # Join the five into one big cycle.
  for i in 0 ..< 5: all[i].owner = all[(i + 1) mod 5]
  var at = all[0]
  for i in 1 .. 12: at = at.owner
  echo "ring of graphs ", at == all[2], " alive ", alive

proc run() =
  graphs.open()
  for size in [1, 2, 10, 100, 1000]:
    echo "graph of ", size, " reaches ", once(size)
    GC_fullCollect()
    echo "left ", alive
  several()
  GC_fullCollect()
  echo "left ", alive
  graphs.close()

run()
GC_fullCollect()
