# SPDX-License-Identifier: MIT
# What the library needs from outside: libatomic_ops (headers), threads, and the headers of
# Valgrind, xxHash and Concurrency Kit.

# A compiler with headers and libraries of its own (cmake/toolchains) must not be shown this system's
# include folder. Of libatomic_ops, which is headers that serve every machine, it is shown links.
function(ouro_link_atomic_ops)
    find_path(OURO_ATOMIC_OPS_INCLUDE atomic_ops.h)
    if(OURO_ATOMIC_OPS_INCLUDE)
        return()
    endif()
    find_path(OURO_ATOMIC_OPS_HERE atomic_ops.h NO_CMAKE_FIND_ROOT_PATH)
    mark_as_advanced(OURO_ATOMIC_OPS_HERE)
    if(OURO_ATOMIC_OPS_HERE)
        set(folder "${PROJECT_BINARY_DIR}/atomic_ops")
        file(MAKE_DIRECTORY "${folder}")
        foreach(name IN ITEMS atomic_ops.h atomic_ops)
            file(CREATE_LINK "${OURO_ATOMIC_OPS_HERE}/${name}" "${folder}/${name}" SYMBOLIC)
        endforeach()
        set(OURO_ATOMIC_OPS_INCLUDE "${folder}" CACHE PATH "" FORCE)
    endif()
endfunction()

set(OURO_THREAD_LIBS "")
if(OURO_THREADS)
    if(CMAKE_FIND_ROOT_PATH)
        ouro_link_atomic_ops()
    endif()
    include("${CMAKE_CURRENT_LIST_DIR}/ouro-atomic-ops.cmake")
    if(NOT TARGET ouro::atomic_ops)
        message(FATAL_ERROR "${OURO_ATOMIC_OPS_MISSING} Or configure with -DOURO_THREADS=OFF.")
    endif()
    # Empty where libc holds the threads (glibc 2.34 and later).
    set(THREADS_PREFER_PTHREAD_FLAG OFF)
    find_package(Threads REQUIRED)
    set(OURO_THREAD_LIBS "${CMAKE_THREAD_LIBS_INIT}")
endif()

set(OURO_HAVE_VALGRIND 0)
if(OURO_VALGRIND)
    find_path(OURO_VALGRIND_INCLUDE valgrind/memcheck.h)
    mark_as_advanced(OURO_VALGRIND_INCLUDE)
    if(OURO_VALGRIND_INCLUDE)
        set(OURO_HAVE_VALGRIND 1)
    else()
        message(STATUS "ouro: Valgrind's headers are absent (package valgrind): "
                       "memcheck and helgrind will not see objects and pools")
    endif()
endif()

find_path(OURO_XXHASH_INCLUDE xxhash.h)
mark_as_advanced(OURO_XXHASH_INCLUDE)
if(NOT OURO_XXHASH_INCLUDE)
    message(STATUS "ouro: xxHash's header is absent (package libxxhash-dev): "
                   "ouro_string_hash is left out")
endif()

# Concurrency Kit's headers say which machine they are for: another's are of no use.
function(ouro_link_ck)
    find_path(OURO_CK_HERE ck_ring.h NO_CMAKE_FIND_ROOT_PATH)
    mark_as_advanced(OURO_CK_HERE)
    if(OURO_CK_HERE)
        set(folder "${PROJECT_BINARY_DIR}/ck")
        file(MAKE_DIRECTORY "${folder}")
        foreach(name IN ITEMS ck_cc.h ck_limits.h ck_md.h ck_pr.h ck_ring.h ck_stdbool.h ck_stddef.h
                              ck_stdint.h ck_string.h gcc)
            file(CREATE_LINK "${OURO_CK_HERE}/${name}" "${folder}/${name}" SYMBOLIC)
        endforeach()
        set(OURO_CK_INCLUDE "${folder}" CACHE PATH "" FORCE)
    endif()
endfunction()

find_path(OURO_CK_INCLUDE ck_ring.h)
if(NOT OURO_CK_INCLUDE AND CMAKE_FIND_ROOT_PATH AND NOT CMAKE_CROSSCOMPILING)
    ouro_link_ck()
endif()
mark_as_advanced(OURO_CK_INCLUDE)
if(NOT OURO_CK_INCLUDE)
    message(STATUS "ouro: Concurrency Kit's headers are absent (package libck-dev): "
                   "channels are left out")
endif()

# C++ is only for tests of the headers and for Google Benchmark.
macro(ouro_enable_cxx_if_present)
    # A cross compiler for C says nothing of one for C++; that of the system would be taken.
    if(NOT OURO_NO_CXX AND (CMAKE_CXX_COMPILER OR NOT CMAKE_CROSSCOMPILING))
        include(CheckLanguage)
        check_language(CXX)
    endif()
    if(CMAKE_CXX_COMPILER)
        enable_language(CXX)
        string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELWITHDEBINFO
                       "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
        string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
        set(OURO_HAVE_CXX ON)
    else()
        set(OURO_HAVE_CXX OFF)
        message(STATUS "ouro: no C++ compiler (package g++): C++ tests and benchmarks are left out")
    endif()
endmacro()
