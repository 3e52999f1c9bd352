# SPDX-License-Identifier: MIT
# Destructors that allocate, drop other graphs, make new candidates and ask for a collection.
# With -d:nestedCollect they do so while a collection runs, which Nim 1.6 does not survive.
# options-2: -d:nestedCollect
# options-ouro: -d:nestedCollect
type
  Other = ref object
    id: int
    next: Other
  Probe = object
    kind: char
    keep: Other

var
  alive, made: int
  saved: seq[Other]

proc ring(id: int): Other =
  inc made
  result = Other(id: id)
  result.next = Other(id: -id, next: result)

proc work(x: Probe) =
  case x.kind
  of 'a':
    # Allocates and frees.
    var s: seq[string]
    for i in 1 .. 20: s.add "line " & $i
    doAssert s.len == 20
  of 'r':
    # A dropped ring is a new candidate.
    doAssert ring(7).next.next.id == 7
  of 'g': GC_fullCollect()
  of 's': saved.add x.keep
  else: discard

proc `=destroy`(x: var Probe) =
  if x.kind != '\0':
    dec alive
    work(x)
  `=destroy`(x.keep)

proc `=copy`(dest: var Probe; src: Probe) {.error.}

type
  Node = ref object
    probe: Probe
    next: Node

proc node(kind: char; next: Node = nil): Node =
  inc alive
  Node(probe: Probe(kind: kind, keep: Other(id: ord(kind))), next: next)

proc list(kinds: string) =
  var head: Node
  for kind in kinds: head = node(kind, head)

proc cycle(kinds: string) =
  let first = node(kinds[0])
  var last = first
  for kind in kinds[1 .. ^1]:
    last.next = node(kind)
    last = last.next
  last.next = first

proc report(title: string) =
  GC_fullCollect()
  echo title, ": alive ", alive, " made ", made, " saved ", saved.len
  saved.setLen 0

proc main() =
  list("aaaa")
  report "allocating"
  list("rarar")
  report "making rings"
  list("gag")
  report "collecting"
  list("rgrgargs")
  report "all of them"
  cycle("aaaa")
  report "allocating, in a cycle"
  when defined(nestedCollect):
    cycle("rarr")
    doAssert alive >= 0
    GC_fullCollect()
    doAssert alive == 0 and made == 9
    for i in 1 .. 50: cycle("rgar")
    GC_fullCollect()
    doAssert alive == 0 and made == 109
    cycle("g")
    GC_fullCollect()
    cycle("grg")
    GC_fullCollect()
    doAssert alive == 0 and made == 110
  echo "end"

main()
GC_fullCollect()
