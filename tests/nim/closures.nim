# SPDX-License-Identifier: MIT
# Closures share what they capture; one that refers to itself or its holder is a cycle, and found.
import std/sugar
include parts/probe

type
  Held = ref object
    probe: Probe
    value: int
  Button = ref object
    probe: Probe
    clicks: int
    onClick: proc ()
    listeners: seq[proc (b: Button)]

proc counter(start: int): tuple[inc, dec: proc (): int] =
  var n = start
  (inc: proc (): int = (inc n; n), dec: proc (): int = (dec n; n))

proc shared() =
  let a = counter(10)
  let b = counter(100)
  discard a.inc()
  discard a.inc()
  echo "counters ", a.dec(), " ", b.inc(), " ", a.inc()

proc holder(value: int): proc (): int =
  let held = Held(probe: probe(), value: value)
  result = proc (): int =
    inc held.value
    held.value

proc captured() =
  var f = holder(1)
  let g = f
  discard f()
  f = nil
  echo "captured ", g(), " alive ", alive

proc recursive() =
  let held = Held(probe: probe(), value: 3)
  var fib: proc (n: int): int
  fib = proc (n: int): int =
    if n < 2: n else: fib(n - 1) + fib(n - 2) + held.value - 3
  echo "refers to itself ", fib(15)

proc mutual() =
  let held = Held(probe: probe(), value: 1)
  var even, odd: proc (n: int): bool
  even = proc (n: int): bool =
    if n == 0: held.value == 1 else: odd(n - 1)
  odd = proc (n: int): bool =
    if n == 0: held.value != 1 else: even(n - 1)
  echo "refer to each other ", even(10), " ", odd(10)

proc nested(depth: int; held: Held): proc (): int =
  if depth == 0:
    result = proc (): int = held.value
  else:
    let inner = nested(depth - 1, held)
    result = proc (): int = inner() + 1

proc deep() =
  let f = nested(50, Held(probe: probe(), value: 7))
  echo "nested ", f(), " alive ", alive

proc buttons() =
  var all: seq[Button]
  for i in 1 .. 3:
    let b = Button(probe: probe())
    # Each call of this makes a new environment that holds the button.
    capture b:
      b.onClick = proc () =
        inc b.clicks
        for listener in b.listeners: listener(b)
      b.listeners.add proc (other: Button) =
        if other != b: quit "wrong button"
    all.add b
  for i, b in all:
    for j in 0 .. i: b.onClick()
  echo "buttons ", all[0].clicks, all[1].clicks, all[2].clicks, " alive ", alive
  all[1].onClick = nil
  all[1].listeners.setLen 0

proc loops(): seq[proc (): int] =
  var made: seq[proc (): int]
  for i in 1 .. 5:
    let held = Held(probe: probe(), value: i)
    capture held:
      made.add proc (): int =
        held.value += 10
        held.value
  result = made

proc inLoops() =
  var fs = loops()
  var line = ""
  for f in fs: line.add $f() & " "
  for f in fs: line.add $f() & " "
  echo "loop ", line, "alive ", alive
  fs.setLen 2
  echo "cut, alive ", alive

template check(run: untyped) =
  run()
  GC_fullCollect()
  echo "left ", alive

proc main() =
  check shared
  check captured
  check recursive
  check mutual
  check deep
  check buttons
  check inLoops
  for i in 1 .. 2000:
    let held = Held(probe: probe(), value: i)
    var f: proc (): int
    f = proc (): int =
      if held.value < 0: f() else: held.value
    doAssert f() == i
  GC_fullCollect()
  echo "many, alive at most one: ", alive <= 1

main()
GC_fullCollect()
echo "end ", alive
