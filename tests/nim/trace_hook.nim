# SPDX-License-Identifier: MIT
# A container over raw memory with its own =trace: cycles that run through it are collected.
include parts/probe

type
  Stack[T] = object
    len, cap: int
    data: ptr UncheckedArray[T]

proc `=destroy`[T](s: var Stack[T]) =
  if s.data != nil:
    for i in 0 ..< s.len: `=destroy`(s.data[i])
    dealloc(s.data)
    s.data = nil

proc `=trace`[T](s: var Stack[T]; env: pointer) =
  if s.data != nil:
    for i in 0 ..< s.len: `=trace`(s.data[i], env)

proc `=copy`[T](dest: var Stack[T]; src: Stack[T]) {.error.}

proc `=sink`[T](dest: var Stack[T]; src: Stack[T]) =
  `=destroy`(dest)
  dest.len = src.len
  dest.cap = src.cap
  dest.data = src.data

# Declared after the hooks: a generic =trace declared later than its first use is not called.
type
  Node = ref object
    probe: Probe
    id: int
    home: Node # The compiler sees cycles through refs alone: this says that there can be one.
    links: Stack[Node]
    pairs: Stack[tuple[key: int, to: Node]]

proc push[T](s: var Stack[T]; value: sink T) =
  if s.len == s.cap:
    let cap = max(2, s.cap * 2)
    let data = cast[ptr UncheckedArray[T]](alloc0(cap * sizeof(T)))
    if s.data != nil:
      copyMem(data, s.data, s.len * sizeof(T))
      dealloc(s.data)
    s.data = data
    s.cap = cap
  s.data[s.len] = value
  inc s.len

proc pop[T](s: var Stack[T]): T =
  dec s.len
  result = move s.data[s.len]

proc node(id: int): Node =
  Node(probe: probe(), id: id)

proc ring(n: int): Node =
  result = node(0)
  var last = result
  for i in 1 ..< n:
    let fresh = node(i)
    last.links.push fresh
    last = fresh
  last.links.push result

proc complete(n: int) =
  var all: seq[Node]
  for i in 0 ..< n: all.add node(i)
  for a in all:
    for b in all:
      a.links.push b
      a.pairs.push (b.id, b)
  var sum = 0
  for a in all:
    for i in 0 ..< a.pairs.len: sum += a.pairs.data[i].to.id
  echo "complete ", sum

proc self() =
  let a = node(1)
  for i in 1 .. 9: a.links.push a
  for i in 1 .. 8: discard a.links.pop()
  echo "self ", a.links.len

proc moved() =
  let a = node(1)
  let b = node(2)
  a.links.push b
  b.links.push a
  b.links.push b
  swap(a.links, b.links)
  b.pairs = move a.pairs
  var loose: Stack[Node]
  loose.push a
  loose.push b
  a.links = move loose
  echo "moved ", a.links.len, b.links.len

# A proc of its own: the discarded ref lives to the end of the scope.
proc cutLast(n: Node) = discard n.links.pop()

proc collect(title: string) =
  GC_fullCollect()
  echo title, " left ", alive

proc main() =
  for n in [1, 2, 10, 500]: discard ring(n)
  collect "rings"
  complete(20)
  collect "complete"
  self()
  collect "self"
  moved()
  collect "moved"
  block:
    let kept = ring(10)
    kept.links.push ring(5)
    kept.links.data[1].links.push kept
    collect "kept"
    cutLast(kept)
    collect "cut"
    echo kept.links.data[0].id
  collect "all"

main()
GC_fullCollect()
