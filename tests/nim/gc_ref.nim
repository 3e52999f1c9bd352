# SPDX-License-Identifier: MIT
# GC_ref keeps an object alive for a raw pointer or a C library, GC_unref gives it back.
type
  Probe = object
    name: string

proc `=destroy`(x: var Probe) =
  if x.name.len > 0: echo "  gone ", x.name
  `=destroy`(x.name)

proc `=copy`(dest: var Probe; src: Probe) {.error.}

type
  Node = ref object
    probe: Probe
    value: int
    next: Node
  Callback = proc (data: pointer): int {.cdecl.}

var table: array[4, tuple[call: Callback, data: pointer]]

proc node(name: string; value: int): Node = Node(probe: Probe(name: name), value: value)

proc readNode(data: pointer): int {.cdecl.} =
  result = cast[Node](data).value

proc register(at: int; n: Node) =
  GC_ref(n)
  table[at] = (call: Callback(readNode), data: cast[pointer](n))

proc unregister(at: int) =
  let n = cast[Node](table[at].data)
  table[at] = (call: Callback(nil), data: nil)
  GC_unref(n)

proc simple() =
  echo "simple"
  let n = node("one", 1)
  register(0, n)

proc ring(name: string) =
  let a = node(name & "a", 2)
  let b = node(name & "b", 3)
  a.next = b
  b.next = a
  register(1, a)

proc twice() =
  echo "twice"
  let n = node("twice", 4)
  GC_ref(n)
  GC_ref(n)
  GC_unref(n)
  register(2, n)
  GC_unref(n)

proc call(at: int): int = table[at].call(table[at].data)

proc strings() =
  echo "kept seq"
  let s = new seq[string]
  s[] = @["x", "y"]
  GC_ref(s)
  let p = cast[pointer](s)
  s[].add "z"
  echo "  ", cast[ref seq[string]](p)[].len
  GC_unref(s)

proc main() =
  simple()
  echo "  called ", call(0)
  unregister(0)
  echo "ring"
  ring("ring ")
  GC_fullCollect()
  echo "  called ", call(1)
  unregister(1)
  echo "  given back"
  GC_fullCollect()
  twice()
  echo "  called ", call(2)
  unregister(2)
  strings()
  var none: Node
  GC_ref(none)
  GC_unref(none)
  echo "nil"

main()
GC_fullCollect()
echo "end"
