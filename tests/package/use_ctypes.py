# SPDX-License-Identifier: MIT
import ctypes
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
