# SPDX-License-Identifier: MIT
# Unwinding runs destructors, defer and finally once each, in order: nested, re-raised, returned.
# also: --gc:arc --threads:on
# not: cpp
type
  Scope = object
    name: string
  Special = object of ValueError
    code: int

proc `=destroy`(x: var Scope) =
  if x.name.len > 0: echo "  leave ", x.name
  `=destroy`(x.name)

proc `=copy`(dest: var Scope; src: Scope) {.error.}

proc enter(name: string): Scope =
  echo "  enter ", name
  Scope(name: name)

proc boom(code: int) {.noinline.} =
  let s = enter("boom")
  if code > 0:
    let e = newException(Special, "code " & $code & " in " & s.name)
    e.code = code
    raise e
  echo "  no boom"

proc simple() =
  let outer = enter("outer")
  try:
    let inner = enter("inner")
    boom(1)
    echo "  not reached ", inner.name
  except Special as e:
    echo "  caught ", e.msg, " ", e.code
  echo "  after, in ", outer.name

proc nested() =
  try:
    let a = enter("a")
    try:
      let b = enter("b")
      boom(2)
      echo b.name
    except Special:
      let c = enter("c")
      raise newException(IOError, "from " & c.name)
    finally:
      echo "  inner finally ", a.name
  except IOError as e:
    echo "  caught ", e.msg
  finally:
    echo "  outer finally"

proc again() =
  try:
    try:
      boom(3)
    except Special as e:
      echo "  first ", e.code
      e.code += 10
      raise
  except ValueError as e:
    echo "  second ", (ref Special)(e).code, " ", e of Special

proc deferred() =
  defer: echo "  deferred 1"
  let s = enter("s")
  defer: echo "  deferred 2 ", s.name
  boom(4)

proc early(n: int): string =
  let s = enter("early")
  try:
    if n == 1: return "returned in " & s.name
    boom(n - 2)
    result = "through"
  except Special:
    return "returned from except"
  finally:
    let f = enter("finally")
    echo "  in ", f.name

proc earlier(n: int) = echo "  ", early(n)

proc loops() =
  for i in 1 .. 4:
    let s = enter("turn " & $i)
    try:
      if i == 1: continue
      if i == 3: boom(5)
      if i == 4: break
      echo "  plain ", s.name
    except Special:
      echo "  caught in turn ", i
      continue
    finally:
      echo "  end of turn ", i

proc arguments(a, b: sink Scope): int =
  echo "  args ", a.name, " ", b.name
  boom(6)

proc failing(name: string): Scope =
  boom(7)
  Scope(name: name)

proc temporaries() =
  try: discard arguments(enter("x"), enter("y"))
  except Special: echo "  caught"
  try: discard arguments(enter("x2"), failing("y2"))
  except Special: echo "  caught"

proc deep(n: int): int =
  let s = enter($n)
  if n == 0: boom(8)
  result = deep(n - 1) + s.name.len

proc deepest() = echo deep(3)

proc defects() =
  var data = @[1, 2, 3]
  for at in [1, 7]:
    try:
      let s = enter("index")
      echo "  ", data[at], " ", s.name
    except IndexDefect as e:
      echo "  ", e.name
  var small = 250'u8
  var n = 260
  try: small = uint8(range[0 .. 255](n))
  except RangeDefect as e: echo "  ", e.name, " ", small
  try:
    n = n div (n - 260)
  except DivByZeroDefect as e: echo "  ", e.name

template section(run: untyped) =
  echo astToStr(run)
  try: run
  except CatchableError as e: echo "  uncaught there: ", e.msg

proc main() =
  section simple()
  section nested()
  section again()
  section deferred()
  for n in [1, 2, 3]: section earlier(n)
  section loops()
  section temporaries()
  section deepest()
  section defects()
  echo getCurrentException() == nil

main()
GC_fullCollect()
