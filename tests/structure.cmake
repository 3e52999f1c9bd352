# SPDX-License-Identifier: MIT
# Tests of the shape of the code: layers, headers that stand alone, names of symbols.

ouro_layer_files(public_headers PUBLIC)
list(APPEND public_headers "${PROJECT_SOURCE_DIR}/ouro.h")
list(TRANSFORM public_headers REPLACE "^${PROJECT_SOURCE_DIR}/" "")
list(JOIN public_headers "\n" lines)
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/public_headers.txt" "alloc/config.h\n${lines}\n")
ouro_script_test(layers layers.sh
    ARGS "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_BINARY_DIR}/public_headers.txt"
    LABELS structure)

ouro_script_test(doc_pages doc_pages.sh
    ARGS "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_BINARY_DIR}/public_headers.txt"
    LABELS structure)

ouro_script_test(dev dev.sh ARGS "${PROJECT_SOURCE_DIR}" LABELS structure)

# Each public header compiles alone, twice over: in C and C++, with threads and without.
function(ouro_headers_alone name language library)
    set(units "")
    foreach(header IN LISTS public_headers)
        string(MAKE_C_IDENTIFIER "${header}" unit)
        set(unit "${CMAKE_CURRENT_BINARY_DIR}/${name}/${unit}.${language}")
        file(CONFIGURE OUTPUT "${unit}" CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
        list(APPEND units "${unit}")
    endforeach()
    add_library(${name} OBJECT ${units})
    ouro_compile_options(${name})
    target_link_libraries(${name} PRIVATE ${library})
endfunction()
ouro_headers_alone(headers-c c ouro-shared)
ouro_headers_alone(headers-c-off c ouro-off-static)
if(OURO_HAVE_CXX)
    ouro_headers_alone(headers-cpp cpp ouro-shared)
endif()

set(libraries $<TARGET_FILE:ouro-static> $<TARGET_FILE:ouro-shared>)
foreach(target IN ITEMS ouro-off-static ouro-checked-shared ouro-jemalloc-shared
                        ouro-jemalloc-static)
    if(TARGET ${target})
        list(APPEND libraries $<TARGET_FILE:${target}>)
    endif()
endforeach()
ouro_script_test(symbols symbols.sh ARGS "${CMAKE_NM}" ${libraries} LABELS structure)

# Each public inline function has its exported twin.
set(libraries $<TARGET_FILE:ouro-static> $<TARGET_FILE:ouro-shared>)
foreach(target IN ITEMS ouro-off-static ouro-checked-shared)
    if(TARGET ${target})
        list(APPEND libraries $<TARGET_FILE:${target}>)
    endif()
endforeach()
ouro_script_test(twins twins.sh
    ARGS "${CMAKE_NM}" "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_BINARY_DIR}/public_headers.txt"
         ${libraries}
    LABELS structure)

# jemalloc under its prefix leaves the program's malloc alone; needs no supply to be tested.
if(OURO_JEMALLOC)
    set(object "${CMAKE_CURRENT_BINARY_DIR}/jemalloc/ouro_jemalloc.o")
    ouro_prefixed_jemalloc(test-jemalloc-prefixed "${object}" found)
    if(found)
        ouro_test(jemalloc_prefix PLAIN SOURCES jemalloc_prefix.c "${object}" LIBS m)
        target_include_directories(test-jemalloc_prefix PRIVATE "${OURO_JEMALLOC_INCLUDE}")
        set_source_files_properties("${object}" PROPERTIES GENERATED ON EXTERNAL_OBJECT ON)
        add_dependencies(test-jemalloc_prefix test-jemalloc-prefixed)
    endif()
endif()
