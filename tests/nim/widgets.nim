# SPDX-License-Identifier: MIT
# A window toolkit in small: widgets, handlers, timers that refer to each other; closed ones go.
import std/[algorithm, sequtils, tables]

type
  Probe = object
    name: string

var gone: seq[string]

proc `=destroy`(x: var Probe) =
  if x.name.len > 0: gone.add x.name
  `=destroy`(x.name)

proc `=copy`(dest: var Probe; src: Probe) {.error.}

type
  Event = ref object of RootObj
    source: Widget
  Click = ref object of Event
    x, y: int
  Key = ref object of Event
    key: char
  Handler = proc (e: Event): bool
  Widget = ref object of RootObj
    probe: Probe
    parent: Window
    handlers: Table[string, seq[Handler]]
  Label = ref object of Widget
    text: string
  Button = ref object of Widget
    pressed: int
    target: Widget
  Window = ref object of Widget
    kids: seq[Widget]
    focus: Widget
    app: App
  App = ref object
    windows: seq[Window]
    timers: seq[tuple[at: int, call: proc ()]]
    now: int
    log: seq[string]

proc on(w: Widget; kind: string; h: Handler) = w.handlers.mgetOrPut(kind, @[]).add h

method kind(e: Event): string {.base.} = "event"
method kind(e: Click): string = "click"
method kind(e: Key): string = "key"

proc send(w: Widget; e: Event): bool =
  if e.source == nil: e.source = w
  for h in w.handlers.getOrDefault(e.kind):
    if h(e): return true
  if w.parent != nil: result = w.parent.send(e)

proc add(w: Window; kid: Widget) =
  kid.parent = w
  w.kids.add kid

proc after(app: App; ticks: int; call: proc ()) = app.timers.add (app.now + ticks, call)

proc run(app: App; ticks: int) =
  for i in 1 .. ticks:
    inc app.now
    let due = app.timers.filterIt(it.at <= app.now)
    app.timers.keepItIf(it.at > app.now)
    for t in due: t.call()

proc close(w: Window) =
  let at = w.app.windows.find(w)
  w.app.windows.delete(at)

proc window(app: App; name: string): Window =
  result = Window(probe: Probe(name: name), app: app)
  let w = result
  let label = Label(probe: Probe(name: name & ".label"), text: "-")
  let ok = Button(probe: Probe(name: name & ".ok"), target: label)
  let cancel = Button(probe: Probe(name: name & ".cancel"), target: w)
  for kid in [Widget(label), ok, cancel]: w.add kid
  w.focus = ok
  ok.on("click", proc (e: Event): bool =
    inc ok.pressed
    Label(ok.target).text = name & $ok.pressed & "@" & $Click(e).x
    app.log.add label.text
    true)
  cancel.on("click", proc (e: Event): bool =
    app.after(2, proc () =
      app.log.add "closing " & name
      Window(cancel.target).close())
    true)
  w.on("key", proc (e: Event): bool =
    if Key(e).key == 'f':
      let at = w.kids.find(w.focus)
      w.focus = w.kids[(at + 1) mod w.kids.len]
      app.log.add "focus " & w.focus.probe.name & " from " & e.source.probe.name
    Key(e).key == 'f')
  app.windows.add w

proc blink(app: App; label: Label; times: int) =
  var left = times
  var again: proc ()
  again = proc () =
    label.text.add '*'
    dec left
    if left > 0: app.after(1, again)
    else: app.log.add "blinked " & label.text
  app.after(1, again)

proc flush(app: App; title: string) =
  GC_fullCollect()
  echo title
  for line in app.log: echo "  ", line
  app.log.setLen 0
  echo "  gone ", gone.sorted, " windows ", app.windows.len, " timers ", app.timers.len
  gone.setLen 0

proc session() =
  let app = App()
  for name in ["one", "two", "three"]: discard app.window(name)
  app.blink(Label(app.windows[1].kids[0]), 3)
  for w in app.windows:
    for i in 1 .. 2: doAssert w.kids[1].send(Click(x: i, y: 0))
    doAssert w.focus.send(Key(key: 'f'))
    doAssert not w.focus.send(Key(key: 'x'))
  app.run(1)
  app.flush "clicked"
  doAssert app.windows[0].kids[2].send(Click())
  app.run(1)
  app.flush "closing"
  app.run(2)
  app.flush "closed"
  let kept = app.windows[0].kids[0]
  app.windows[0].close()
  app.windows[0].close()
  app.flush "one label kept"
  echo "  ", Label(kept).text, " of ", kept.parent.probe.name
  kept.parent.kids.setLen 0
  kept.parent.focus = nil
  kept.parent = nil
  app.flush "label alone"

proc main() =
  session()
  GC_fullCollect()
  echo "end ", gone.sorted

main()
GC_fullCollect()
