# SPDX-License-Identifier: MIT
# Objects with cases own what is in their branch; changing the branch lets the old value go.
include parts/probe

type
  Leaf = ref object
    probe: Probe
    value: int
    back: Value
  Kind = enum vNone, vInt, vText, vLeaf, vList, vPair, vBoth
  Value = object
    case kind: Kind
    of vNone: discard
    of vInt: number: int
    of vText: text: string
    of vLeaf: leaf: Leaf
    of vList: list: seq[Value]
    of vPair: left, right: ref Value
    of vBoth:
      name: string
      case deep: bool
      of true: first, second: Leaf
      of false: size: int
  Expr = ref object
    probe: Probe
    case kind: char
    of 'n': value: int
    of '+', '*': a, b: Expr
    of 'f':
      name: string
      args: seq[Expr]
    else: owner: Expr

proc leaf(value: int): Leaf = Leaf(probe: probe(), value: value)
proc val(i: int): Value = Value(kind: vInt, number: i)
proc val(s: string): Value = Value(kind: vText, text: s)
proc val(l: Leaf): Value = Value(kind: vLeaf, leaf: l)
proc val(l: varargs[Value]): Value = Value(kind: vList, list: @l)

proc pair(a, b: Value): Value =
  result = Value(kind: vPair, left: new Value, right: new Value)
  result.left[] = a
  result.right[] = b

proc `$`(v: Value): string =
  case v.kind
  of vNone: result = "none"
  of vInt: result = $v.number
  of vText: result = v.text
  of vLeaf: result = "leaf" & $v.leaf.value
  of vList:
    for x in v.list: result.add $x & ","
    result = "[" & result & "]"
  of vPair: result = "<" & $v.left[] & "|" & $v.right[] & ">"
  of vBoth: result = v.name & (if v.deep: $v.first.value & $v.second.value else: $v.size)

proc values() =
  var v = val(5)
  echo v
  v = val("text")
  v = val(leaf(1))
  echo v, " alive ", alive
  let w = v
  v = val(val(leaf(2)), w, val("x"), val(val(3)))
  echo v, " alive ", alive
  v = pair(v, w)
  v.left[].list[0] = val(0)
  echo v, " alive ", alive
  v = Value(kind: vBoth, name: "both", deep: true, first: leaf(6), second: leaf(7))
  echo v, " alive ", alive
  v = Value(kind: vBoth, name: "flat", deep: false, size: 9)
  echo v, " alive ", alive
  v = Value(kind: vNone)
  echo v, " ", w, " alive ", alive

proc cycles() =
  for i in 1 .. 10:
    let a = leaf(1)
    let b = leaf(2)
    a.back = val(val(b), val(a))
    b.back = pair(val(a), val("t"))
  let c = leaf(3)
  c.back = val(c)
  c.back = val("cut")
  echo "cycles, last cut: ", c.back

proc wrongField() =
  let v = val("text")
  try: echo v.number
  except FieldDefect: echo "wrong field"

proc num(i: int): Expr = Expr(kind: 'n', probe: probe(), value: i)
proc op(kind: static char; a, b: Expr): Expr = Expr(kind: kind, probe: probe(), a: a, b: b)

proc eval(e: Expr): int =
  case e.kind
  of 'n': result = e.value
  of '+': result = e.a.eval + e.b.eval
  of '*': result = e.a.eval * e.b.eval
  of 'f':
    for arg in e.args: result = max(result, arg.eval)
  else: result = -1

proc expressions() =
  let shared = op('+', num(2), num(3))
  let f = Expr(kind: 'f', probe: probe(), name: "max")
  f.args = @[shared, op('*', shared, num(4)), num(7)]
  echo "expression ", f.eval, " alive ", alive
  let o = Expr(kind: 'o', probe: probe(), owner: f)
  f.args.add o
  echo "expression ", f.eval, " alive ", alive

template check(run: untyped) =
  run()
  GC_fullCollect()
  echo "left ", alive

proc main() =
  check values
  check cycles
  check wrongField
  check expressions

main()
GC_fullCollect()
