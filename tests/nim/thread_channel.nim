# SPDX-License-Identifier: MIT
# Refs moved through channels, bounded and not: each arrives once, whole, and dies where dropped.
# options: --threads:on
# also: --gc:arc --threads:on
include parts/probe

type
  Message = ref object
    probe: Probe
    id: int
    text: string
    parts: seq[ref int]
    reply: Message

var
  # Each is opened once: 1.6 frees the old buffer again when a closed channel is used anew.
  inbox, outbox, smallIn, smallOut: Channel[Message]
  numbers: Channel[seq[string]]

proc message(id: int): Message =
  result = Message(probe: probe(), id: id, text: "m" & $id)
  for i in 1 .. id mod 4:
    let part = new int
    part[] = i
    result.parts.add part

proc serve(source, sink: var Channel[Message]; count: int) =
  for i in 1 .. count:
    let m = source.recv()
    var answer = message(m.id * 2)
    for part in m.parts: answer.text.add $part[]
    if m.id mod 2 == 0: answer.reply = m
    sink.send(move answer)

proc server(count: int) {.thread.} = serve(inbox, outbox, count)
proc smallServer(count: int) {.thread.} = serve(smallIn, smallOut, count)

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
  smallIn.open(4)
  smallOut.open(4)
  var t: Thread[int]
  createThread(t, smallServer, 100)
  var line = ""
  for i in 1 .. 100:
    var m = message(i)
    smallIn.send(move m)
    let answer = smallOut.recv()
    if i mod 20 == 0: line.add answer.text & " "
  joinThread(t)
  echo "bounded ", line
  echo "empty ", smallIn.peek, " ", smallIn.tryRecv().dataAvailable
  var m = message(7)
  echo "sent ", smallIn.trySend(m), " pending ", smallIn.peek
  let back = smallIn.tryRecv()
  echo "back ", back.dataAvailable, " ", back.msg.text
  smallIn.close()
  smallOut.close()

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
