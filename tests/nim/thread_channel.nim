# SPDX-License-Identifier: MIT
# Refs moved through channels, bounded and not: each arrives once, whole, and dies where it is dropped.
# options: --threads:on
type
  Probe = object
    live: bool

var alive: int

proc `=destroy`(x: var Probe) =
  if x.live: atomicDec alive

proc `=copy`(dest: var Probe; src: Probe) {.error.}

type
  Message = ref object
    probe: Probe
    id: int
    text: string
    parts: seq[ref int]
    reply: Message

var
  inbox, outbox: Channel[Message]
  numbers: Channel[seq[string]]

proc message(id: int): Message =
  atomicInc alive
  result = Message(probe: Probe(live: true), id: id, text: "m" & $id)
  for i in 1 .. id mod 4:
    let part = new int
    part[] = i
    result.parts.add part

proc server(count: int) {.thread.} =
  for i in 1 .. count:
    let m = inbox.recv()
    var answer = message(m.id * 2)
    for part in m.parts: answer.text.add $part[]
    if m.id mod 2 == 0: answer.reply = m
    outbox.send(move answer)

proc echoing() =
  const count = 2000
  inbox.open()
  outbox.open()
  var t: Thread[int]
  createThread(t, server, count)
  for i in 1 .. count:
    var m = message(i)
    inbox.send(move m)
  var sum, kept: int
  var last = ""
  for i in 1 .. count:
    let answer = outbox.recv()
    sum += answer.id
    if answer.reply != nil:
      inc kept
      doAssert answer.reply.text == "m" & $i
    last = answer.text
  joinThread(t)
  inbox.close()
  outbox.close()
  echo "sum ", sum, " kept ", kept, " last ", last

proc bounded() =
  inbox.open(4)
  outbox.open(4)
  var t: Thread[int]
  createThread(t, server, 100)
  var line = ""
  for i in 1 .. 100:
    var m = message(i)
    inbox.send(move m)
    let answer = outbox.recv()
    if i mod 20 == 0: line.add answer.text & " "
  joinThread(t)
  echo "bounded ", line
  echo "empty ", inbox.peek, " ", inbox.tryRecv().dataAvailable
  var m = message(7)
  echo "sent ", inbox.trySend(m), " pending ", inbox.peek
  let back = inbox.tryRecv()
  echo "back ", back.dataAvailable, " ", back.msg.text
  inbox.close()
  outbox.close()

proc writer(count: int) {.thread.} =
  for i in 1 .. count:
    var lines: seq[string]
    for j in 1 .. i: lines.add "line " & $j & " of " & $i
    numbers.send(move lines)

proc values() =
  numbers.open()
  var t: Thread[int]
  createThread(t, writer, 50)
  var total = 0
  var last = ""
  for i in 1 .. 50:
    let lines = numbers.recv()
    total += lines.len
    last = lines[^1]
  joinThread(t)
  numbers.close()
  echo "seqs ", total, " ", last

echoing()
GC_fullCollect()
echo "left ", alive
bounded()
GC_fullCollect()
echo "left ", alive
values()
GC_fullCollect()
