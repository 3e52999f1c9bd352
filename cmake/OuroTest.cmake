# SPDX-License-Identifier: MIT
# How a test is made of the library's variants and count modes.

# Foreign: made by a compiler of cmake/toolchains. What such a build makes is tested, but not the
# sources, the models and the packages again.
set(OURO_TEST_FOREIGN OFF)
if(CMAKE_FIND_ROOT_PATH)
    set(OURO_TEST_FOREIGN ON)
endif()
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    message(STATUS "ouro: no emulator of ${CMAKE_SYSTEM_PROCESSOR} (package qemu-user): "
                   "its tests are built and cannot run")
endif()

# A program that starts itself again does so under the emulator (tests/again.h).
set(emulator "")
foreach(word IN LISTS CMAKE_CROSSCOMPILING_EMULATOR)
    string(APPEND emulator "\"${word}\", ")
endforeach()
file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/emulator/emulator.h"
     CONTENT "#define OURO_TEST_EMULATOR ${emulator}\n")

find_path(OURO_CMOCKA_INCLUDE cmocka.h)
find_library(OURO_CMOCKA_LIBRARY cmocka)
mark_as_advanced(OURO_CMOCKA_INCLUDE OURO_CMOCKA_LIBRARY)
add_library(ouro-cmocka-standin STATIC EXCLUDE_FROM_ALL cmocka/cmocka.c)
ouro_compile_options(ouro-cmocka-standin)
target_include_directories(ouro-cmocka-standin PUBLIC cmocka)
if(OURO_CMOCKA_INCLUDE AND OURO_CMOCKA_LIBRARY)
    add_library(ouro-cmocka INTERFACE)
    target_include_directories(ouro-cmocka INTERFACE "${OURO_CMOCKA_INCLUDE}")
    target_link_libraries(ouro-cmocka INTERFACE "${OURO_CMOCKA_LIBRARY}")
else()
    add_library(ouro-cmocka ALIAS ouro-cmocka-standin)
    message(STATUS "ouro: cmocka is absent (package libcmocka-dev): "
                   "tests/cmocka stands in for it")
endif()

# glibc has a second name for what a test takes the place of.
include(CheckCSourceCompiles)
check_c_source_compiles("extern void *__libc_calloc(unsigned long, unsigned long);
int main(void) { return __libc_calloc(1, 1) == 0; }" OURO_TEST_HAS_LIBC_NAMES)
set(OURO_TEST_LIBC_NAMES 0)
if(OURO_TEST_HAS_LIBC_NAMES)
    set(OURO_TEST_LIBC_NAMES 1)
endif()

set(OURO_TEST_SLOWNESS 1)
if(OURO_SANITIZE)
    set(OURO_TEST_SLOWNESS 5)
endif()
if(OURO_TEST_WRAPPER)
    set(OURO_TEST_SLOWNESS 30)
endif()
if(CMAKE_CROSSCOMPILING)
    set(OURO_TEST_SLOWNESS 10)
endif()

# ouro_test(<name> [SOURCES file.c ...] [VARIANTS main off checked malloc] [RC local atomic biased]
#           [LABELS label ...] [LIBS library ...] [TIMEOUT seconds] [DEFINES definition ...]
#           [WHITEBOX] [NEEDS_THREADS] [PLAIN] [LONG])
# SOURCES default to <name>.c, VARIANTS to main, TIMEOUT to 60. One program and one ctest per
# variant and per count mode that programs default to (OURO_RC): <name>, <name>.biased,
# <name>.checked, <name>.checked.biased, <name>.off (which takes the default mode only).
# The variant malloc is a program on libouro-malloc.so, <name> as well, that includes nothing of Ouro's.
# LONG: left out where the build is for the quick tests (OURO_TEST_QUICK).
# WHITEBOX links the static library, so that ouro__ functions can be called, and compiles with the
# library's private definitions. NEEDS_THREADS: left out where there are none. PLAIN: no cmocka;
# exit status 77 means skipped.
function(ouro_test name)
    cmake_parse_arguments(arg "WHITEBOX;NEEDS_THREADS;PLAIN;LONG" "TIMEOUT"
                          "SOURCES;VARIANTS;RC;LABELS;LIBS;DEFINES" ${ARGN})
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "ouro_test(${name}): unknown ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if((arg_NEEDS_THREADS AND NOT OURO_THREADS) OR (arg_LONG AND OURO_TEST_QUICK))
        return()
    endif()
    if(NOT arg_VARIANTS)
        set(arg_VARIANTS main)
    endif()
    foreach(variant IN LISTS arg_VARIANTS)
        if(variant STREQUAL "off")
            if(OURO_THREADS AND NOT arg_NEEDS_THREADS AND NOT OURO_TEST_QUICK) # else the main library is this one
                ouro_test_program(${name}.off ouro-off-static "")
            endif()
        elseif(variant STREQUAL "malloc")
            if(TARGET ouro-malloc-shared)
                ouro_test_program(${name} ouro-malloc-shared "")
            endif()
        elseif(variant STREQUAL "main" OR variant STREQUAL "checked")
            ouro_test_modes(${name} ${variant})
        else()
            message(FATAL_ERROR "ouro_test(${name}): no variant ${variant}")
        endif()
    endforeach()
endfunction()

# The main or checked variant, in each mode of arg_RC.
macro(ouro_test_modes name variant)
    set(program ${name})
    set(library ouro)
    if("${variant}" STREQUAL "checked")
        set(program ${name}.checked)
        set(library ouro-checked)
    endif()
    if(arg_WHITEBOX)
        set(library ${library}-static)
    else()
        set(library ${library}-shared)
    endif()
    if(TARGET ${library})
        if(OURO_TEST_QUICK AND "biased" IN_LIST arg_RC)
            set(arg_RC biased)
        endif()
        if(arg_RC)
            foreach(mode IN LISTS arg_RC)
                ouro_test_program(${program}.${mode} ${library} ${mode})
            endforeach()
        else()
            ouro_test_program(${program} ${library} "")
        endif()
    endif()
endmacro()

# One program and its ctest. Reads the arguments of ouro_test.
function(ouro_test_program program library mode)
    set(sources ${arg_SOURCES})
    if(NOT sources)
        string(REGEX REPLACE "\\..*" "" source "${program}")
        set(sources ${source}.c)
    endif()
    add_executable(test-${program} ${sources})
    set_target_properties(test-${program} PROPERTIES OUTPUT_NAME ${program})
    ouro_compile_options(test-${program})
    target_link_libraries(test-${program} PRIVATE ${library} ${arg_LIBS})
    target_include_directories(test-${program} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/emulator")
    if(NOT arg_PLAIN)
        target_link_libraries(test-${program} PRIVATE ouro-cmocka)
    endif()

    string(FIND "${library}" "checked" at)
    set(checked 0)
    if(NOT at EQUAL -1)
        set(checked 1)
    endif()
    target_compile_definitions(test-${program} PRIVATE
        OURO_TEST_CHECKED=${checked} OURO_TEST_LIBC_NAMES=${OURO_TEST_LIBC_NAMES} ${arg_DEFINES})
    if(arg_WHITEBOX)
        target_compile_definitions(test-${program} PRIVATE
            OURO_CHECKED=${checked} OURO_HAVE_VALGRIND=${OURO_HAVE_VALGRIND})
    endif()
    if(mode)
        string(TOUPPER ${mode} upper)
        target_compile_definitions(test-${program} PRIVATE OURO_RC=OURO_RC_${upper})
    endif()

    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
    endif()
    math(EXPR timeout "${arg_TIMEOUT} * ${OURO_TEST_SLOWNESS}")
    add_test(NAME ${program} COMMAND
        ${OURO_TEST_WRAPPER} ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:test-${program}>)
    set_tests_properties(${program} PROPERTIES
        TIMEOUT ${timeout} SKIP_RETURN_CODE 77 LABELS "${arg_LABELS}")
endfunction()

# ouro_script_test(<name> <script.sh> [ARGS arg ...] [LABELS ...] [TIMEOUT seconds])
# A shell script as a ctest; exit status 77 means skipped.
function(ouro_script_test name script)
    cmake_parse_arguments(arg "" "TIMEOUT" "ARGS;LABELS" ${ARGN})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    add_test(NAME ${name} COMMAND sh "${CMAKE_CURRENT_SOURCE_DIR}/${script}" ${arg_ARGS})
    set_tests_properties(${name} PROPERTIES
        TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77 LABELS "${arg_LABELS}")
endfunction()
