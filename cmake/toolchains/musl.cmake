# SPDX-License-Identifier: MIT
# For this machine with musl in the place of glibc (Debian's musl-tools). What it makes runs as it
# is. There is no C++ library for it, and none of the system's libraries is used: they are glibc's.
set(CMAKE_C_COMPILER musl-gcc)
set(OURO_NO_CXX ON)

# Nothing is to be found but what the compiler itself has: no such folder needs to be there.
set(CMAKE_FIND_ROOT_PATH /usr/lib/musl)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
