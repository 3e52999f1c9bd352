# SPDX-License-Identifier: MIT
# Exceptions travel through await; finally, defer and destructors of the frames on the way run once.
# 2.2.0 never frees an exception that passed the finally of an async proc (async_errors.out2).
# not: cpp
import std/[asyncdispatch, strutils]

type
  Probe = object
    name: string
  Item = ref object
    probe: Probe
  Refused = object of CatchableError
    item: Item

var log {.threadvar.}: seq[string]

proc `=destroy`(x: var Probe) =
  if x.name.len > 0: log.add "-" & x.name
  `=destroy`(x.name)

proc `=copy`(dest: var Probe; src: Probe) {.error.}

proc item(name: string): Item = Item(probe: Probe(name: name))

proc firstLine(e: ref Exception): string = e.msg.splitLines()[0]

proc fails(name: string; wait: bool) {.async.} =
  let it = item(name)
  try:
    if wait: await sleepAsync(1)
    let e = newException(Refused, "refused " & it.probe.name)
    e.item = item(name & "'s")
    raise e
  finally:
    log.add "finally " & name

proc middle(name: string; wait: bool) {.async.} =
  defer: log.add "deferred " & name
  await fails(name, wait)
  log.add "not reached"

proc caught(name: string; wait: bool): Future[string] {.async.} =
  try:
    await middle(name, wait)
  except Refused as e:
    return e.firstLine & " holds " & (ref Refused)(e).item.probe.name

proc reraised() {.async.} =
  try:
    await fails("r", true)
  except Refused:
    log.add "again"
    raise

proc replaced() {.async.} =
  try:
    await fails("p", false)
  except Refused as e:
    raise newException(ValueError, "instead of " & e.firstLine)

proc several(): Future[string] {.async.} =
  var names: seq[string]
  for i in 1 .. 4:
    try:
      if i mod 2 == 0: await fails($i, true)
      else: names.add "ok" & $i
    except Refused as e:
      names.add e.firstLine
  return names.join(" ")

proc flush(title: string) =
  GC_fullCollect()
  echo title, ": ", log.join(", ")
  log.setLen 0

proc run() =
  echo waitFor caught("a", false)
  flush "at once"
  echo waitFor caught("b", true)
  flush "later"
  try: waitFor reraised()
  except Refused as e: echo "main caught ", e.firstLine
  flush "raised again"
  try: waitFor replaced()
  except ValueError as e: echo "main caught ", e.firstLine
  flush "replaced"
  echo waitFor several()
  flush "several"
  let failed = newFuture[int]("failed")
  failed.fail(newException(IOError, "by hand"))
  echo "failed ", failed.failed, " ", failed.readError.firstLine
  try: discard failed.read
  except IOError as e: echo "read ", e.firstLine

run()
setGlobalDispatcher(newDispatcher())
flush "end"
