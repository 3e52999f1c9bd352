# SPDX-License-Identifier: MIT
# Isolated graphs are moved, never copied: between variables, into containers, to a thread and back.
# options: --threads:on
# also: -d:release --mm:arc
import std/isolation
include parts/probe

type
  Node = ref object
    probe: Probe
    value: int
    left, right: Node
  Job = object
    id: int
    tree: Isolated[Node]

var
  jobs, answers: Channel[Node]

func tree(depth: int): Node =
  result = Node(probe: probe(), value: depth)
  if depth > 0:
    result.left = tree(depth - 1)
    result.right = tree(depth - 1)

proc sum(n: Node): int =
  if n == nil: 0 else: n.value + n.left.sum + n.right.sum

proc local() =
  var a = isolate(tree(3))
  var b = move a
  let n = b.extract
  echo "extracted ", n.sum, " again ", b.extract == nil, " first ", a.extract == nil
  # Not shown: an assignment of one Isolated over another, for 1.6 never frees the new value.
  var number = isolate(5)
  var text = isolate("text")
  echo "constant ", number.extract, " ", text.extract

proc containers() =
  var all: seq[Job]
  for i in 1 .. 3: all.add Job(id: i, tree: isolate(tree(i)))
  var line = ""
  for job in all.mitems: line.add $job.id & ":" & $job.tree.extract.sum & " "
  echo "jobs ", line, "alive ", alive

# The library's channels take no Isolated: what travels is what was in it.
proc give(c: var Channel[Node]; n: sink Isolated[Node]) =
  var own = n
  c.send(own.extract)

proc take(c: var Channel[Node]): Isolated[Node] = unsafeIsolate(c.recv())

proc worker(count: int) {.thread.} =
  for i in 1 .. count:
    var job = jobs.take()
    var t = job.extract
    swap(t.left, t.right)
    t.value += 100
    t.right = nil
    answers.give(unsafeIsolate(move t))

proc threads() =
  jobs.open()
  answers.open()
  var t: Thread[int]
  createThread(t, worker, 5)
  for i in 1 .. 5: jobs.give(isolate(tree(i)))
  var line = ""
  for i in 1 .. 5:
    var answer = answers.take()
    let n = answer.extract
    line.add $n.value & ":" & $n.sum & " "
  joinThread(t)
  jobs.close()
  answers.close()
  echo "answers ", line

local()
GC_fullCollect()
echo "left ", alive
containers()
GC_fullCollect()
echo "left ", alive
threads()
GC_fullCollect()
echo "end ", alive
