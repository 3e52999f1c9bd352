# SPDX-License-Identifier: MIT
# What can be chosen when Ouro is configured. Inside another project the defaults build the library
# and nothing else.

option(OURO_THREADS "Build the main library for many threads (OFF: plain memory, one thread)" ON)
option(OURO_WERROR "Treat the compiler's warnings as errors" OFF)
option(OURO_VALGRIND "Tell Valgrind about objects and pools, if its headers are there" ON)
option(OURO_JEMALLOC "Build the jemalloc supply, if jemalloc is there" ${PROJECT_IS_TOP_LEVEL})
option(OURO_BUILD_CHECKED "Build libouro-checked.so" ${PROJECT_IS_TOP_LEVEL})
option(OURO_BUILD_MALLOC "Build libouro-malloc.so" ${PROJECT_IS_TOP_LEVEL})
option(OURO_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(OURO_BUILD_BENCH "Build ouro-bench" ${PROJECT_IS_TOP_LEVEL})
option(OURO_BUILD_STRESS "Build ouro-stress" ${PROJECT_IS_TOP_LEVEL})
option(OURO_INSTALL "Make install rules" ${PROJECT_IS_TOP_LEVEL})
option(OURO_EMULATED "For tests under qemu-user alone: count threads as it shows them" OFF)
set(OURO_SANITIZE "" CACHE STRING "Sanitizers for everything: \"address,undefined\", \"thread\"")
set(OURO_TLS_MODEL_DEFAULT "initial-exec")
if(OURO_SANITIZE MATCHES "undefined")
    # gcc takes the flags of the add that makes an initial-exec address for UBSan's test for NULL;
    # when ld links a program, it puts a lea there, which sets none. Here the test has its own.
    set(OURO_TLS_MODEL_DEFAULT "global-dynamic")
endif()
set(OURO_TLS_MODEL "${OURO_TLS_MODEL_DEFAULT}" CACHE STRING
    "TLS model of the library's thread-local words")
set_property(CACHE OURO_TLS_MODEL PROPERTY STRINGS initial-exec global-dynamic local-exec)
option(OURO_TEST_QUICK "Of each test one program: the main library, the default count mode" OFF)
set(OURO_TEST_WRAPPER "" CACHE STRING "Command (a list) that each test runs under, e.g. valgrind")

# Shared unless said otherwise.
if(DEFINED BUILD_SHARED_LIBS AND NOT BUILD_SHARED_LIBS)
    set(OURO_PREFER_SHARED OFF)
else()
    set(OURO_PREFER_SHARED ON)
endif()

if(PROJECT_IS_TOP_LEVEL)
    if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
        set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
    endif()
    # An assertion in a test must never vanish. The library's own checks do not use NDEBUG.
    string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
    string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
    set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()

if(OURO_EMULATED)
    add_compile_definitions(OURO_EMULATED=1)
endif()
if(OURO_SANITIZE)
    add_compile_options(-fsanitize=${OURO_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${OURO_SANITIZE})
    if(OURO_SANITIZE MATCHES "undefined")
        add_compile_options(-fno-sanitize-recover=undefined)
    endif()
    if(OURO_SANITIZE MATCHES "thread" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-Wno-tsan) # gcc warns of every fence
    endif()
endif()

# How our own code is compiled: library, tests, tools.
function(ouro_compile_options target)
    set_target_properties(${target} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS ON
        CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wshadow
        $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
        $<$<BOOL:${OURO_WERROR}>:-Werror>)
endfunction()
