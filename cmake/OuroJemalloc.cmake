# SPDX-License-Identifier: MIT
# The jemalloc supply: libouro-jemalloc.{so,a}, targets ouro::jemalloc and ouro::jemalloc_static.
#
# Debian's archive of jemalloc defines malloc, free and operator new: linked as it is, it takes over
# the program's malloc. So its objects are joined into one, the public functions renamed
# (mallocx becomes ouro_je_mallocx), and every other symbol made local. alloc/supply_jemalloc.c
# includes "alloc/jemalloc_prefix.h", never <jemalloc/jemalloc.h>, and calls ouro_je_mallocx,
# ouro_je_sdallocx, ouro_je_mallctl, ... The program's own malloc stays what it was.

# Adds the target <target> that makes <object>, the prefixed jemalloc. Sets <found> to ON or OFF.
function(ouro_prefixed_jemalloc target object found)
    find_library(OURO_JEMALLOC_ARCHIVE NAMES libjemalloc_pic.a)
    find_path(OURO_JEMALLOC_INCLUDE jemalloc/jemalloc.h)
    mark_as_advanced(OURO_JEMALLOC_ARCHIVE OURO_JEMALLOC_INCLUDE)
    set(${found} OFF PARENT_SCOPE)
    if(NOT OURO_JEMALLOC_ARCHIVE OR NOT OURO_JEMALLOC_INCLUDE)
        message(STATUS "ouro: jemalloc is absent (package libjemalloc-dev): "
                       "its supply is left out")
        return()
    endif()
    if(NOT CMAKE_OBJCOPY OR NOT CMAKE_NM OR NOT CMAKE_AR OR NOT CMAKE_LINKER)
        message(STATUS "ouro: objcopy, nm, ar or ld is absent (package binutils): "
                       "the jemalloc supply is left out")
        return()
    endif()
    add_custom_command(
        OUTPUT "${object}"
        COMMAND ${CMAKE_COMMAND}
            -D "ARCHIVE=${OURO_JEMALLOC_ARCHIVE}" -D "OBJECT=${object}"
            -D "AR=${CMAKE_AR}" -D "LD=${CMAKE_LINKER}"
            -D "NM=${CMAKE_NM}" -D "OBJCOPY=${CMAKE_OBJCOPY}"
            -P "${PROJECT_SOURCE_DIR}/cmake/prefix_jemalloc.cmake"
        DEPENDS "${OURO_JEMALLOC_ARCHIVE}" "${PROJECT_SOURCE_DIR}/cmake/prefix_jemalloc.cmake"
        COMMENT "Prefixing jemalloc's symbols"
        VERBATIM)
    add_custom_target(${target} DEPENDS "${object}")
    set(${found} ON PARENT_SCOPE)
endfunction()

function(ouro_add_jemalloc)
    set(source "${PROJECT_SOURCE_DIR}/alloc/supply_jemalloc.c")
    if(NOT OURO_JEMALLOC OR NOT EXISTS "${source}")
        return()
    endif()
    set(object "${PROJECT_BINARY_DIR}/jemalloc/ouro_jemalloc.o")
    ouro_prefixed_jemalloc(ouro-jemalloc-prefixed "${object}" found)
    if(NOT found)
        return()
    endif()
    foreach(kind IN ITEMS SHARED STATIC)
        string(TOLOWER ${kind} suffix)
        set(target ouro-jemalloc-${suffix})
        add_library(${target} ${kind} "${source}" "${object}")
        add_dependencies(${target} ouro-jemalloc-prefixed)
        ouro_compile_options(${target})
        set_source_files_properties("${object}" PROPERTIES GENERATED ON EXTERNAL_OBJECT ON)
        set_target_properties(${target} PROPERTIES
            OUTPUT_NAME ouro-jemalloc POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden
            VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
        target_include_directories(${target} PRIVATE "${OURO_JEMALLOC_INCLUDE}")
        target_compile_definitions(${target} PRIVATE
            OURO_CHECKED=0 OURO_HAVE_VALGRIND=${OURO_HAVE_VALGRIND})
        target_link_libraries(${target} PUBLIC ouro-${suffix} m)
    endforeach()
    target_link_options(ouro-jemalloc-shared PRIVATE LINKER:--as-needed
        "LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/jemalloc.map")
    add_library(ouro::jemalloc ALIAS ouro-jemalloc-shared)
    add_library(ouro::jemalloc_static ALIAS ouro-jemalloc-static)
endfunction()
