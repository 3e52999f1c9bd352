# SPDX-License-Identifier: MIT
## strings, words and seqs: strings, sequences and tables of them; see workloads/strings.c, words.c
## and append.c.
import std/os
import common

{.passC: "-I" & currentSourcePath().parentDir.parentDir.parentDir.}
{.compile: "../workloads/corpus.c".}

type
  Tag = ref object
    number, uses: uint64
  Record = ref object
    name: string
    tags: seq[Tag]
    hash: uint64

const
  batchSize = 1000
  tagCount = 16
  tail = "/a tail that makes the name grow"

proc hashOf(s: string): uint64 =
  result = 14695981039346656037'u64
  for c in s:
    result = (result xor uint64(c)) * 1099511628211'u64

proc digits(number: int): string =
  var n = number
  while true:
    result.add char(ord('0') + n mod 10)
    n = n div 10
    if n == 0: break

proc newRecord(number: int, tags: seq[Tag]): Record =
  result = Record(name: "record-")
  result.name.add digits(number)
  result.name.add tail[0 ..< number mod (tail.len + 1)]
  for i in 0 ..< 3:
    result.tags.add tags[(number + i * 5) mod tagCount]

proc copyRecord(r: Record): Record =
  Record(name: r.name, tags: r.tags)

proc batch(first: int, tags: seq[Tag]): uint64 =
  var records, copies: seq[Record]
  var joined = ""
  for i in 0 ..< batchSize:
    records.add newRecord(first + i, tags)
  for r in records:
    copies.add copyRecord(r)
  records = @[]
  for r in copies:
    joined = joined & r.name
    result += r.tags[1].number
  result += hashOf(joined)

proc strings*(): Deed =
  let batches = if quick: 40 else: 300
  var tags: seq[Tag]
  for i in 0 ..< tagCount:
    tags.add Tag(number: uint64(i))
  let start = now()
  for b in 0 ..< batches:
    result.check += batch(b * batchSize, tags)
  (now() - start, batches * batchSize * 2, result.check)

proc seqs*(): Deed =
  ## Sequences of a thousand integers and characters, appended one by one, and gone.
  let rounds = if quick: 300 else: 3000
  let start = now()
  for round in 1 .. rounds:
    var numbers: seq[int]
    var text: string
    var rows: seq[seq[int]]
    for i in 0 ..< 1000:
      numbers.add i
      text.add char(i and 127)
      if i mod 10 == 0: rows.add @[i, round]
    result.check += uint64(numbers[^1] + text.len + rows[^1][0])
  (now() - start, rounds * 1000, result.check)

type
  CorpusFile {.importc: "struct corpus_file", header: "bench/workloads/corpus.h".} = object
    text: pointer
    len: csize_t
  Corpus {.importc: "struct corpus", header: "bench/workloads/corpus.h".} = object
    files: ptr UncheckedArray[CorpusFile]
    count, bytes: csize_t
  File = ref object
    words: int
  Word {.acyclic.} = ref object
    next: Word
    text: string
    files: seq[File]
    hash, count: uint64
  Table = object
    buckets: seq[Word]
    used: int

proc corpusRead(corpus: ptr Corpus; dir: cstring; limit: csize_t): cstring {.
  importc: "(char *)corpus_read", header: "bench/workloads/corpus.h".}

proc grow(t: var Table) =
  var old = move t.buckets
  t.buckets = newSeq[Word](old.len * 2)
  for head in old.mitems:
    var w = move head
    while w != nil:
      var next = move w.next
      let to = w.hash and uint64(t.buckets.len - 1)
      w.next = move t.buckets[to]
      t.buckets[to] = move w
      w = move next

proc lookUp(t: var Table; text: pointer; len: int; hash: uint64): Word =
  var w {.cursor.} = t.buckets[hash and uint64(t.buckets.len - 1)]
  while w != nil:
    if w.hash == hash and w.text.len == len and equalMem(unsafeAddr w.text[0], text, len):
      return w
    w = w.next
  if t.used == t.buckets.len:
    grow(t)
  inc t.used
  result = Word(hash: hash, text: newString(len))
  copyMem(addr result.text[0], text, len)
  let to = hash and uint64(t.buckets.len - 1)
  result.next = move t.buckets[to]
  t.buckets[to] = result

proc isLetter(c: uint8): bool =
  c >= 128 or char(c) in {'a'..'z', 'A'..'Z', '0'..'9', '_'}

proc countFile(t: var Table; text: ptr UncheckedArray[uint8]; len: int): int =
  let file = File()
  var at = 0
  while at < len:
    while at < len and not isLetter(text[at]):
      inc at
    let start = at
    var h = 0'u64
    while at < len and isLetter(text[at]):
      h = (h xor text[at]) * 0x9E3779B97F4A7C15'u64
      inc at
    if at > start:
      let w = lookUp(t, addr text[start], at - start, h xor h shr 29)
      inc w.count
      if w.files.len == 0 or w.files[^1] != file:
        w.files.add file
      inc file.words
  file.words

var corpus: Corpus

proc words*(dir: string): Deed =
  if corpus.files == nil:
    let error = corpusRead(addr corpus, dir, if quick: 4 shl 20 else: 0)
    doAssert error == nil, $error
  var total = 0
  let start = now()
  var t = Table(buckets: newSeq[Word](256))
  for i in 0 ..< int(corpus.count):
    let text = cast[ptr UncheckedArray[uint8]](corpus.files[i].text)
    total += countFile(t, text, int(corpus.files[i].len))
  let distinctWords = t.used
  `=destroy`(t)
  wasMoved(t)
  (now() - start, total, uint64(total) * 1000003 + uint64(distinctWords))
