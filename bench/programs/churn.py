# SPDX-License-Identifier: MIT
"""Dicts, lists, strings and objects are made and dropped, JSON is written and read. ARG: rounds."""
import json
import sys


class Node:
    __slots__ = ("key", "left", "right")

    def __init__(self, key):
        self.key = key
        self.left = None
        self.right = None


def insert(root, key):
    if root is None:
        return Node(key)
    node = root
    while True:
        if key < node.key:
            if node.left is None:
                node.left = Node(key)
                return root
            node = node.left
        else:
            if node.right is None:
                node.right = Node(key)
                return root
            node = node.right


def records(start):
    return [{"id": i, "name": "record %d" % i, "tags": [str(i), str(i * 7)], "weight": i / 3.0}
            for i in range(start, start + 1000)]


def main(rounds):
    kept, total = {}, 0
    for r in range(rounds):
        made = records(r * 1000)
        again = json.loads(json.dumps(made))
        total += sum(len(x["name"]) for x in again)
        for x in again[::5]:
            kept[x["id"] % 20000] = x
        root = None
        for i in range(1000):
            root = insert(root, (i * 7919 + r) % 10007 * 1000003)
        words = " ".join(x["name"] for x in made).split()
        total += len({w: w.upper() for w in words})
    print(total, len(kept), sum(len(x["tags"][1]) for x in kept.values()))


main(int(sys.argv[1]))
