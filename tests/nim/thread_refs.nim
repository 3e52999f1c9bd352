# SPDX-License-Identifier: MIT
# Threads get refs from createThread and change what they point to; main has it after the join.
# options: --threads:on
# also: -d:release --mm:arc
include parts/probe

type
  Node = ref object
    probe: Probe
    value: int
    next: Node
  Work = ref object
    probe: Probe
    id: int
    input: seq[Node]
    output: Node
    text: string

# next is moved in: under Nim's ORC a node that main once had among its possible roots must not
# die in another thread.
proc node(value: int; next: sink Node): Node = Node(probe: probe(), value: value, next: next)

proc work(w: Work) {.thread.} =
  var sum = 0
  for n in w.input:
    var at = n
    while at != nil:
      sum += at.value
      at = at.next
  w.input.setLen 0
  for i in 1 .. 10: w.output = node(sum + i, w.output)
  w.text = "worker " & $w.id & " sum " & $sum
  for i in 1 .. 200:
    let scratch = node(i, nil)
    scratch.next = scratch
    scratch.next = nil
  GC_fullCollect()

proc run() =
  var threads: array[4, Thread[Work]]
  var works: array[4, Work]
  for round in 1 .. 3:
    for i in 0 ..< 4:
      works[i] = Work(probe: probe(), id: i)
      for j in 0 .. i: works[i].input.add node(round * 100 + j, node(i, nil))
      createThread(threads[i], work, works[i])
    joinThreads(threads)
    for w in works:
      var length = 0
      var at = w.output
      while at != nil:
        inc length
        at = at.next
      echo w.text, ", ", w.input.len, " in, ", length, " out, top ", w.output.value
    echo "alive ", alive

proc plain(id: int) {.thread.} =
  let n = node(id, node(id + 1, nil))
  doAssert n.next.value == id + 1

proc noRefs() =
  var threads: array[3, Thread[int]]
  for i in 0 ..< 3: createThread(threads[i], plain, i)
  joinThreads(threads)
  echo "numbers only, alive ", alive

run()
GC_fullCollect()
echo "left ", alive
noRefs()
GC_fullCollect()
echo "end ", alive
