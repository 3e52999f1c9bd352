# SPDX-License-Identifier: MIT
# Objects of a class hierarchy in cycles: methods dispatch, destructors are those of the real type.
type
  Probe = object
    kind: char

var
  alive = 0
  dropped: array[char, int]

proc `=destroy`(x: var Probe) =
  if x.kind != '\0':
    dec alive
    inc dropped[x.kind]

proc `=copy`(dest: var Probe; src: Probe) {.error.}

proc probe(kind: char): Probe =
  inc alive
  Probe(kind: kind)

type
  Shape = ref object of RootObj
    name: string
    parent: Shape
    friends: seq[Shape]
  Circle = ref object of Shape
    probe: Probe
    radius: int
  Box = ref object of Shape
    probe: Probe
    width, height: int
    content: Shape
  Group = ref object of Box
    extra: Probe
    kids: seq[Shape]
    onArea: proc (g: Group; area: int)

method area(s: Shape): int {.base.} = 0
method area(c: Circle): int = 3 * c.radius * c.radius
method area(b: Box): int = b.width * b.height + (if b.content == nil: 0 else: b.content.area)
method area(g: Group): int =
  result = procCall area(Box(g))
  for kid in g.kids: result += kid.area
  if g.onArea != nil: g.onArea(g, result)

method describe(s: Shape): string {.base.} = "shape " & s.name
method describe(g: Group): string = "group " & g.name & " of " & $g.kids.len

method meet(a, b: Shape): string {.base.} = a.name & "-" & b.name
method meet(a: Circle; b: Shape): string = "(" & a.name & ")-" & b.name

proc circle(name: string; radius: int): Circle =
  Circle(name: name, radius: radius, probe: probe('c'))

proc box(name: string; width, height: int; content: Shape = nil): Box =
  Box(name: name, width: width, height: height, content: content, probe: probe('b'))

proc group(name: string; kids: varargs[Shape]): Group =
  result = Group(name: name, width: 1, height: 1, probe: probe('g'), extra: probe('x'))
  for kid in kids:
    kid.parent = result
    result.kids.add kid

proc scene() =
  let inner = group("inner", box("x", 1, 1))
  let g = group("g", circle("c", 2), box("b", 3, 4, circle("in", 1)), inner)
  var heard = 0
  g.onArea = proc (me: Group; area: int) = heard += area + me.kids.len + g.kids.len
  echo g.describe, " area ", g.area, " heard ", heard
  for kid in g.kids:
    kid.friends = g.kids
    echo kid.describe, " area ", kid.area, " in ", kid.parent.name
  echo meet(g.kids[0], g.kids[1]), " ", meet(g.kids[1], g.kids[0])
  echo "alive ", alive

proc mixed(n: int) =
  var all: seq[Shape]
  for i in 0 ..< n:
    case i mod 4
    of 0: all.add circle("c" & $i, i)
    of 1: all.add box("b" & $i, i, 1)
    of 2: all.add group("g" & $i)
    else: all.add Shape(name: "s" & $i)
  var sum = 0
  for i, s in all:
    s.parent = all[(i * 7 + 3) mod n]
    s.friends = @[s, all[(i + 1) mod n]]
    sum += s.area
  echo "mixed ", sum

proc report(title: string) =
  GC_fullCollect()
  echo title, " left ", alive, " dropped c", dropped['c'], " b", dropped['b'], " g", dropped['g'],
    " x", dropped['x']

proc main() =
  scene()
  report "scene"
  mixed(41)
  report "mixed"
  var one: Shape = circle("one", 1)
  one.friends.add one
  one = box("two", 1, 2, one)
  report "one in two"
  echo one.describe, " ", one.area
  one = nil
  report "none"

main()
GC_fullCollect()
