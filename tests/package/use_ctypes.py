# SPDX-License-Identifier: MIT
import ctypes
import json
import sys

ouro = ctypes.CDLL(sys.argv[1])
ouro.ouro_version.restype = ctypes.c_char_p
version = ouro.ouro_version().decode()
print("ctypes: ouro", version)
assert version.count(".") == 2

ouro.ouro_malloc.restype = ctypes.c_void_p
ouro.ouro_malloc.argtypes = [ctypes.c_size_t]
ouro.ouro_free.argtypes = [ctypes.c_void_p]
blocks = [ouro.ouro_malloc(size) for size in range(1, 3000)]
assert all(blocks) and len(set(blocks)) == len(blocks)
for block in blocks:
    ctypes.memset(block, 1, 1)
    ouro.ouro_free(block)

# The twins of inline functions: an object that is born, counted and dropped, by Python alone.
with open(sys.argv[2]) as page:
    description = json.load(page)
abi = description["constants"]
why = ctypes.c_char_p()
assert ouro.ouro_abi_require(description["abi"], ctypes.byref(why)) == 0 and why.value is None
assert ouro.ouro_abi_require(description["abi"] + 1, ctypes.byref(why)) != 0 and b"ABI" in why.value

pointer = ctypes.c_void_p
hook = ctypes.CFUNCTYPE(None, pointer, pointer)
destroyed = []
on_destroy = hook(lambda value, type_: destroyed.append(value))
descriptor = ctypes.create_string_buffer(abi["TYPE_SIZEOF"])
name = ctypes.c_char_p(b"from Python")
for member, value in (
    ("TYPE_SIZE", ctypes.c_size_t(24)),
    ("TYPE_FLAGS", ctypes.c_uint32(abi["FLAG_ACYCLIC"])),
    ("TYPE_NAME", name),
    ("TYPE_DESTROY", on_destroy),
):
    place = ctypes.addressof(descriptor) + abi[member]
    ctypes.memmove(place, ctypes.byref(value), ctypes.sizeof(value))
ouro.ouro_count.restype = ctypes.c_int64
ouro.ouro_count.argtypes = [pointer]
ouro.ouro_context_here.restype = pointer
context = pointer(ouro.ouro_context_here())
for mode in ("", "_local", "_atomic", "_biased"):
    for given in ((), (context,)):
        infix = "_in" if given else ""
        new = getattr(ouro, "ouro_new" + infix + mode)
        new.restype = pointer
        thing = pointer(new(*given, descriptor, ctypes.c_size_t(24)))
        assert thing.value and ctypes.string_at(thing, 24) == bytes(24)
        getattr(ouro, "ouro_incref" + infix + mode)(*given, thing)
        assert ouro.ouro_count(thing) == 2
        getattr(ouro, "ouro_decref" + infix + mode)(*given, thing)
        assert ouro.ouro_count(thing) == 1 and not destroyed
        getattr(ouro, "ouro_decref_acyclic" + infix + mode)(*given, thing)
        assert destroyed.pop() == thing.value
ouro.ouro_alloc_sized.restype = pointer
block = pointer(ouro.ouro_alloc_sized(ctypes.c_size_t(40)))
ctypes.memset(block, 1, 40)
ouro.ouro_free_sized(block, ctypes.c_size_t(40))
