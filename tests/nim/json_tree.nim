# SPDX-License-Identifier: MIT
# A JSON document is parsed, built, changed, converted, written again; none of it is left over.
# also: -d:release --mm:arc
import std/json

type
  Address = object
    street: string
    numbers: seq[int]
  Person = ref object
    name: string
    age: int
    address: Address
    friends: seq[Person]

const text = """
{"name": "list", "count": 3, "ratio": 0.5, "flag": true, "none": null,
 "items": [{"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": []}, {"id": 3, "tags": ["c\n\u00e9"]}],
 "nested": {"deep": {"deeper": [[1, [2, [3]]], {}]}}}
"""

proc sum(n: JsonNode): int =
  case n.kind
  of JInt: result = n.getInt
  of JArray:
    for x in n: result += x.sum
  of JObject:
    for k, x in n: result += x.sum + k.len
  of JString: result = n.getStr.len
  else: result = 1

proc parse() =
  let j = parseJson(text)
  echo j
  echo j["items"][2]["tags"][0].getStr, " ", j{"nested", "deep", "deeper"}[0][1][0], " ",
    j{"no", "such"} == nil, " sum ", j.sum
  echo j["items"].pretty

proc change() =
  let j = parseJson(text)
  let items = j["items"]
  items.add %*{"id": 4, "tags": ["x"], "self": items[0]}
  items[0]["id"] = %10
  j.delete("nested")
  j["copy"] = items.copy
  items[1]["tags"].add %"shared"
  echo j
  echo items[3]["self"] == items[0], " ", j["copy"] == items
  j["items"] = newJArray()
  echo items.len, " ", j["items"].len

proc build() =
  var j = newJObject()
  for i in 1 .. 200:
    let key = "k" & $(i mod 20)
    if not j.hasKey(key): j[key] = newJArray()
    j[key].add %*[i, $i, i mod 2 == 0, {"square": i * i}]
  let written = $j
  echo written.len, " ", j.len, " ", j.sum
  let again = parseJson(written)
  echo again == j, " ", ($again).len

proc convert() =
  let p = Person(name: "Ann", age: 30, address: Address(street: "Main", numbers: @[1, 2]))
  p.friends = @[Person(name: "Bob", age: 40), Person(name: "Cid", age: 50)]
  let j = %p
  echo j
  let q = j.to(Person)
  echo q.friends[1].name, " ", q.address.numbers, " ", q.friends[0].friends.len

proc errors() =
  try: echo parseJson("{\"a\": 1}")["b"]
  except KeyError as e: echo e.msg
  # Not shown: errors of the parser. What a proc was about to return is lost in 1.6 when it raises.
  try: echo parseJson("[1, 2]")[7]
  except IndexDefect as e: echo e.name

proc deep() =
  var s = ""
  for i in 1 .. 400: s.add "["
  s.add "1"
  for i in 1 .. 400: s.add "]"
  echo parseJson(s).sum

proc main() =
  parse()
  change()
  build()
  convert()
  errors()
  deep()
  GC_fullCollect()
  let before = getOccupiedMem()
  for i in 1 .. 100: doAssert parseJson(text).sum > 0
  GC_fullCollect()
  echo "flat ", getOccupiedMem() - before < 64 * 1024

main()
GC_fullCollect()
