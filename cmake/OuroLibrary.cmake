# SPDX-License-Identifier: MIT
# How a layer lists its files and how a variant of the library is made of them.

# ouro_layer(<layer> [SOURCES file.c ...] [PUBLIC file.h ...] [MALLOC_SOURCES file.c ...])
# Called from <layer>/sources.cmake; paths are relative to the layer. PUBLIC headers are installed,
# and include only each other. Other headers need no mention. MALLOC_SOURCES go into
# libouro-malloc.so alone.
function(ouro_layer layer)
    cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;MALLOC_SOURCES" ${ARGN})
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "ouro_layer(${layer}): unknown ${arg_UNPARSED_ARGUMENTS}")
    endif()
    foreach(kind IN ITEMS SOURCES PUBLIC MALLOC_SOURCES)
        list(TRANSFORM arg_${kind} PREPEND "${PROJECT_SOURCE_DIR}/${layer}/")
        set_property(GLOBAL PROPERTY OURO_${layer}_${kind} "${arg_${kind}}")
    endforeach()
    set_property(GLOBAL APPEND PROPERTY OURO_LAYERS ${layer})
endfunction()

# Joins one kind of file over the layers (default: all) into a variable.
function(ouro_layer_files variable kind)
    set(layers ${ARGN})
    if(NOT layers)
        get_property(layers GLOBAL PROPERTY OURO_LAYERS)
    endif()
    set(files "")
    foreach(layer IN LISTS layers)
        get_property(some GLOBAL PROPERTY OURO_${layer}_${kind})
        list(APPEND files ${some})
    endforeach()
    set(${variable} "${files}" PARENT_SCOPE)
endfunction()

# ouro_add_library(<name> [SHARED] [STATIC] [THREADS ON|OFF] [CHECKED ON|OFF]
#                  [LAYERS layer ...] [SOURCES extra.c ...] [PUBLIC_HEADERS])
# One variant: compiled once as <name>-objects, linked as <name>-shared and <name>-static, with an
# alloc/config.h of its own. PUBLIC_HEADERS: it brings the headers along when it is installed.
function(ouro_add_library name)
    cmake_parse_arguments(arg "SHARED;STATIC;PUBLIC_HEADERS" "THREADS;CHECKED" "LAYERS;SOURCES"
                          ${ARGN})
    if(arg_THREADS)
        set(OURO_THREADS_VALUE 1)
    else()
        set(OURO_THREADS_VALUE 0)
    endif()
    set(generated "${PROJECT_BINARY_DIR}/include/${name}")
    configure_file("${PROJECT_SOURCE_DIR}/alloc/config.h.in" "${generated}/alloc/config.h" @ONLY)

    ouro_layer_files(sources SOURCES ${arg_LAYERS})
    add_library(${name}-objects OBJECT EXCLUDE_FROM_ALL ${sources} ${arg_SOURCES})
    ouro_compile_options(${name}-objects)
    set_target_properties(${name}-objects PROPERTIES
        POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
    target_include_directories(${name}-objects PRIVATE "${PROJECT_SOURCE_DIR}" "${generated}")
    # Sections: a program that links libouro.a with --gc-sections carries only what it calls.
    target_compile_options(${name}-objects PRIVATE -fno-semantic-interposition -ffunction-sections)
    target_compile_definitions(${name}-objects PRIVATE
        OURO_CHECKED=$<BOOL:${arg_CHECKED}> OURO_SEAL_VIEWS=$<BOOL:${arg_CHECKED}>
        OURO_HAVE_VALGRIND=${OURO_HAVE_VALGRIND})
    if(OURO_HAVE_VALGRIND)
        target_include_directories(${name}-objects PRIVATE "${OURO_VALGRIND_INCLUDE}")
    endif()
    if(OURO_XXHASH_INCLUDE)
        target_include_directories(${name}-objects PRIVATE "${OURO_XXHASH_INCLUDE}")
    endif()
    if(OURO_CK_INCLUDE)
        target_include_directories(${name}-objects SYSTEM PRIVATE "${OURO_CK_INCLUDE}")
    endif()
    if(OURO_THREADS_VALUE)
        target_link_libraries(${name}-objects PRIVATE ouro::atomic_ops)
    endif()

    foreach(kind IN ITEMS SHARED STATIC)
        if(arg_${kind})
            string(TOLOWER ${kind} suffix)
            ouro_link_variant(${name}-${suffix} ${kind} ${name} "${generated}"
                              "${OURO_THREADS_VALUE}" "${arg_PUBLIC_HEADERS}")
            if(arg_CHECKED) # else the program's choice (docs/strings.md)
                target_compile_definitions(${name}-${suffix} INTERFACE OURO_SEAL_VIEWS=1)
            endif()
        endif()
    endforeach()
endfunction()

# The shared or static library of one variant.
function(ouro_link_variant target kind name generated threads public_headers)
    add_library(${target} ${kind} $<TARGET_OBJECTS:${name}-objects>)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} LINKER_LANGUAGE C)
    if(threads)
        target_link_libraries(${target} PUBLIC ouro::atomic_ops ${OURO_THREAD_LIBS})
    endif()
    if(public_headers)
        ouro_attach_headers(${target} "${generated}")
    else()
        target_include_directories(${target} PUBLIC
            "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR};${generated}>")
    endif()
    if(kind STREQUAL "SHARED")
        set_target_properties(${target} PROPERTIES
            VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
        # nodelete: threads that used the library call it when they end, after a dlclose as well.
        target_link_options(${target} PRIVATE LINKER:--as-needed LINKER:-z,nodelete)
        if(NOT OURO_SANITIZE) # clang leaves the sanitizer's symbols to the program
            target_link_options(${target} PRIVATE LINKER:-z,defs)
        endif()
    endif()
    # Inside another project only what is asked for is built.
    if(NOT PROJECT_IS_TOP_LEVEL AND NOT OURO_INSTALL)
        set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
endfunction()

# The public headers as file sets: one a layer, one for ouro.h, one for the generated config.h.
function(ouro_attach_headers target generated)
    get_property(layers GLOBAL PROPERTY OURO_LAYERS)
    foreach(layer IN LISTS layers)
        ouro_layer_files(headers PUBLIC ${layer})
        target_sources(${target} PUBLIC FILE_SET ouro_${layer} TYPE HEADERS
            BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${headers})
    endforeach()
    target_sources(${target} PUBLIC
        FILE_SET ouro_top TYPE HEADERS
            BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES "${PROJECT_SOURCE_DIR}/ouro.h"
        FILE_SET ouro_config TYPE HEADERS
            BASE_DIRS "${generated}" FILES "${generated}/alloc/config.h")
endfunction()

# The preload library: the allocator and the malloc front. It always has threads. Sanitizers have a
# malloc of their own; to Valgrind this one is libc's, which it replaces or leaves alone.
function(ouro_add_malloc)
    ouro_layer_files(front MALLOC_SOURCES)
    if(OURO_BUILD_MALLOC AND OURO_THREADS AND front AND NOT OURO_SANITIZE)
        set(OURO_HAVE_VALGRIND 0)
        include(CheckCSourceCompiles)
        check_c_source_compiles("extern int _dl_find_object(void *, void *);
int main(void) { return _dl_find_object(0, 0); }" OURO_LIBC_FINDS_OBJECTS)
        if(NOT OURO_LIBC_FINDS_OBJECTS)
            list(APPEND front "${PROJECT_SOURCE_DIR}/alloc/find_object.c")
        endif()
        ouro_add_library(ouro-malloc SHARED THREADS ON LAYERS alloc SOURCES ${front})
        target_compile_definitions(ouro-malloc-objects PRIVATE OURO_FRONT=1)
        # No builtins: a compiler that knows what malloc and calloc do makes one of the other.
        target_compile_options(ouro-malloc-objects PRIVATE -fno-builtin-malloc -fno-builtin-calloc
            -fno-builtin-realloc -fno-builtin-free -fexceptions -fno-tree-slp-vectorize)
        target_link_options(ouro-malloc-shared PRIVATE
            "LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/malloc.map" LINKER:--gc-sections
            LINKER:--eh-frame-hdr -static-libgcc) # its own unwinder, and what that reads
        set_target_properties(ouro-malloc-shared PROPERTIES
            LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/malloc.map")
        add_library(ouro::malloc ALIAS ouro-malloc-shared)
    endif()
endfunction()
