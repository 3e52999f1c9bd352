# SPDX-License-Identifier: MIT
# Joins the objects of jemalloc's ARCHIVE into one OBJECT whose only global definitions are
# jemalloc's public functions under the prefix ouro_je_. Run by cmake -P; needs AR, LD, NM, OBJCOPY.
cmake_minimum_required(VERSION 3.23)

function(run)
    execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

get_filename_component(folder "${OBJECT}" DIRECTORY)
file(MAKE_DIRECTORY "${folder}")
file(COPY_FILE "${ARCHIVE}" "${folder}/copy.a")

# The C++ object replaces operator new and would ask for libstdc++.
execute_process(COMMAND ${AR} t "${folder}/copy.a" OUTPUT_VARIABLE members)
string(REGEX MATCHALL "[^\n]*_cpp[^\n]*\\.o" cpp_members "${members}")
foreach(member IN LISTS cpp_members)
    run(${AR} d "${folder}/copy.a" "${member}")
endforeach()
run(${LD} -r -o "${folder}/joined.o" --whole-archive "${folder}/copy.a")

# Every global is renamed; what was private to jemalloc (je_...) is made local as well.
execute_process(COMMAND ${NM} -g --defined-only -f posix "${folder}/joined.o"
                OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
set(renames "")
set(keep "")
foreach(line IN LISTS symbols)
    string(REGEX REPLACE " .*" "" symbol "${line}")
    if(NOT symbol MATCHES "^je_")
        string(APPEND renames "${symbol} ouro_je_${symbol}\n")
        string(APPEND keep "ouro_je_${symbol}\n")
    endif()
endforeach()
file(WRITE "${folder}/renames.txt" "${renames}")
file(WRITE "${folder}/keep.txt" "${keep}")
run(${OBJCOPY} "--redefine-syms=${folder}/renames.txt" "${folder}/joined.o" "${folder}/renamed.o")
run(${OBJCOPY} "--keep-global-symbols=${folder}/keep.txt" "${folder}/renamed.o" "${OBJECT}")

execute_process(COMMAND ${NM} -g --defined-only -f posix "${OBJECT}"
                OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
if(symbols MATCHES "(^|\n)([^o\n]|o[^u\n])" OR NOT symbols MATCHES "ouro_je_mallocx ")
    message(FATAL_ERROR "jemalloc's symbols were not prefixed as expected:\n${symbols}")
endif()
file(REMOVE "${folder}/copy.a" "${folder}/joined.o" "${folder}/renamed.o")
