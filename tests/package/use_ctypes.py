# SPDX-License-Identifier: MIT
import ctypes
import sys

ouro = ctypes.CDLL(sys.argv[1])
ouro.ouro_version.restype = ctypes.c_char_p
version = ouro.ouro_version().decode()
print("ctypes: ouro", version)
assert version.count(".") == 2
