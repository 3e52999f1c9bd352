# SPDX-License-Identifier: MIT
# For 64-bit Arm with Debian's cross compiler (gcc-aarch64-linux-gnu, libc6-dev-arm64-cross); what it
# makes runs under qemu-user. The C++ compiler is looked for, and C++ left out without it. None of
# the libraries is this machine's: cmocka's place is taken by tests/cmocka.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
find_program(OURO_AARCH64_CXX aarch64-linux-gnu-g++)
mark_as_advanced(OURO_AARCH64_CXX)
if(OURO_AARCH64_CXX)
    set(CMAKE_CXX_COMPILER "${OURO_AARCH64_CXX}")
endif()

set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

find_program(OURO_QEMU_AARCH64 NAMES qemu-aarch64 qemu-aarch64-static)
mark_as_advanced(OURO_QEMU_AARCH64)
if(OURO_QEMU_AARCH64)
    set(CMAKE_CROSSCOMPILING_EMULATOR "${OURO_QEMU_AARCH64};-L;${CMAKE_FIND_ROOT_PATH}")
endif()
