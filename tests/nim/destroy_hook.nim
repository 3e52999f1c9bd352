# SPDX-License-Identifier: MIT
# =destroy runs once for each value really owned: fields, elements, moved values, temporaries.
# also: -d:release --mm:arc
# also: -d:release --newruntime
type
  File = object
    name: string
    handle: int
  Session = object
    main, backup: File
    log: seq[File]
  Shared = ref object
    file: File
    session: Session
  Outer = object
    inner: File
    text: string

var
  open = 0
  closed: seq[string]

proc `=destroy`(f: var File) =
  if f.handle != 0:
    dec open
    closed.add f.name
  `=destroy`(f.name)

proc `=copy`(dest: var File; src: File) {.error.}

proc `=destroy`(x: var Outer) =
  closed.add "(" & x.text
  `=destroy`(x.inner)
  `=destroy`(x.text)
  closed.add ")"

proc file(name: string): File =
  inc open
  File(name: name, handle: open)

proc flush(title: string) =
  echo title, ": open ", open, " ", closed
  closed.setLen 0

proc scopes() =
  let a = file("a")
  block:
    let b = file("b")
    if b.handle > 0:
      let c = file("c")
      doAssert c.handle > 0
    flush "inner block"
  flush "block"
  for i in 1 .. 3:
    let f = file("loop" & $i)
    if f.name == "loop2": continue
  flush "loop"
  echo a.name

proc fields() =
  var s = Session(main: file("main"), backup: file("backup"))
  for i in 1 .. 3: s.log.add file("log" & $i)
  s.main = file("main2")
  flush "replaced"
  s.log.del 0
  flush "deleted"
  s.log.setLen 1
  flush "shortened"
  swap(s.main, s.backup)
  flush "swapped"

proc take(f: sink File): string = f.name

proc sinks() =
  var a = file("sunk")
  echo take(move a)
  flush "sunk"
  echo take(file("temporary"))
  flush "temporary"
  let b = file("last use")
  echo take(b)
  flush "last use"

proc heap() =
  var s = Shared(file: file("shared"), session: Session(main: file("in session")))
  let t = s
  s = nil
  flush "one owner left"
  t.session = Session(backup: file("other"))
  flush "session replaced"

proc arrays() =
  var a: array[3, File]
  a[1] = file("array1")
  a[2] = file("array2")
  a[1] = default(File)
  flush "element reset"
  reset a[2]
  flush "element reset again"
  a[0] = file("array0")

proc outer() =
  var o = Outer(inner: file("inside"), text: "outer")
  let s = @[Outer(inner: file("i1"), text: "o1"), Outer(inner: file("i2"), text: "o2")]
  flush "made"
  doAssert o.text.len == 5 and s.len == 2

proc main() =
  scopes()
  flush "scopes"
  fields()
  flush "fields"
  sinks()
  heap()
  flush "heap"
  arrays()
  flush "arrays"
  closed.setLen 0
  outer()
  flush "outer"

main()
GC_fullCollect()
