# SPDX-License-Identifier: MIT
# Strings: literals, copies, appends, slices, big ones, in refs and closures, as C strings.
# also: --gc:arc --threads:on
# also: -d:release --newruntime
import std/[strutils, strformat]
from std/unicode import runeLen, reversed, toUpper

type
  Doc = ref object
    title: string
    lines: seq[string]
    next: Doc

const literal = "a literal"

proc digest(s: string): uint32 =
  result = 2166136261'u32
  for c in s: result = (result xor uint32(c)) * 16777619'u32

proc basics() =
  var a = literal
  var b = a
  b.add '!'
  a[0] = 'A'
  echo a, " ", b, " ", literal
  a.insert("<<", 2)
  a.delete(0 .. 1)
  echo a, " ", a.len
  b.setLen 3
  echo b, "|", b & "x" & 'y' & $12, "|", b[0 .. 1], "|", b[^1]
  b.setLen 6
  echo b.len, " ", b[5] == '\0'
  var empty: string
  echo "[", empty, "] ", empty == "", " ", empty.len
  empty.add empty
  empty.add "x"
  empty.add empty
  empty.add empty
  echo empty
  swap(a, b)
  let moved = move a
  echo moved.len, " ", a.len

proc growing() =
  var s = ""
  for i in 1 .. 5000: s.add $i
  echo s.len, " ", s.digest
  var parts: seq[string]
  for i in 1 .. 500: parts.add repeat(chr(ord('a') + i mod 26), i)
  let all = parts.join("-")
  echo all.len, " ", all.digest
  var half = all[0 ..< all.len div 2]
  half[half.len div 3 .. ^1] = "cut"
  echo half.len, " ", half.digest

proc big() =
  var s = newString(3_000_000)
  for i in 0 ..< s.len: s[i] = chr(ord('a') + i mod 23)
  let t = s
  s[1_500_000] = '?'
  s.add t
  echo s.len, " ", s.digest, " ", t.digest
  s = ""
  var many: seq[string]
  for i in 1 .. 8: many.add t
  many[3].setLen 10
  echo many.len, " ", many[3], " ", many[7].len

proc library() =
  echo "Hello, World".toUpperAscii, " ", "a,b,,c".split(','), " ", "  x ".strip
  echo fmt"{42:05d} {3.14159:.2f} {literal:>12}|"
  echo "x=$1 y=$2" % ["1", "two"], " ", "abcabc".replace("b", "--"), " ", "abc".repeat(3)
  echo "héllo wörld".toUpper, " ", "héllo".runeLen, " ", "héllo".reversed
  echo parseInt("123") + parseInt("-23"), " ", "1.5".parseFloat * 2, " ", toHex(255, 4)
  echo "b" < "c", " ", cmp("abc", "abd") < 0, " ", "needle in hay".find("in"), " ",
    "abc".contains('c')

proc cstrings() =
  let s = "to C and back"
  let c = s.cstring
  echo $c, " ", c.len, " ", $cast[cstring](unsafeAddr s[3])
  var buffer: array[8, char]
  for i, ch in "array": buffer[i] = ch
  echo $cast[cstring](addr buffer[0])

proc inRefs() =
  var head: Doc
  for i in 1 .. 50:
    head = Doc(title: "doc " & $i, lines: @["first of " & $i, literal], next: head)
    head.lines.add head.title
    head.lines[1].add "+"
  head.next.next = head
  var total = 0
  let d = head.next
  for line in d.lines: total += line.len
  echo d.title, " ", total, " ", d.lines[1], " ", literal

proc main() =
  basics()
  growing()
  big()
  library()
  cstrings()
  inRefs()

main()
GC_fullCollect()
