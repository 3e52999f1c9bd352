# SPDX-License-Identifier: MIT
# Installed: libraries, headers under include/ouro, the CMake package and the pkg-config file. All
# of it can be moved. Programs write #include <ouro.h>.
include(CMakePackageConfigHelpers)

set(OURO_INCLUDE_DIR "${CMAKE_INSTALL_INCLUDEDIR}/ouro")
set(OURO_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/ouro")

set_target_properties(ouro-shared PROPERTIES EXPORT_NAME shared)
set_target_properties(ouro-static PROPERTIES EXPORT_NAME static)
set(targets ouro-shared ouro-static)
if(TARGET ouro-checked-shared)
    set_target_properties(ouro-checked-shared PROPERTIES EXPORT_NAME checked)
    list(APPEND targets ouro-checked-shared)
endif()

set(file_sets FILE_SET ouro_top DESTINATION "${OURO_INCLUDE_DIR}"
              FILE_SET ouro_config DESTINATION "${OURO_INCLUDE_DIR}")
get_property(layers GLOBAL PROPERTY OURO_LAYERS)
foreach(layer IN LISTS layers)
    list(APPEND file_sets FILE_SET ouro_${layer} DESTINATION "${OURO_INCLUDE_DIR}")
endforeach()
install(TARGETS ${targets} EXPORT ouro ${file_sets})

if(TARGET ouro-jemalloc-shared)
    set_target_properties(ouro-jemalloc-shared PROPERTIES EXPORT_NAME jemalloc)
    set_target_properties(ouro-jemalloc-static PROPERTIES EXPORT_NAME jemalloc_static)
    install(TARGETS ouro-jemalloc-shared ouro-jemalloc-static EXPORT ouro)
endif()
if(TARGET ouro-malloc-shared)
    set_target_properties(ouro-malloc-shared PROPERTIES EXPORT_NAME malloc)
    install(TARGETS ouro-malloc-shared EXPORT ouro)
endif()
foreach(tool IN ITEMS ouro-bench ouro-stress)
    if(TARGET ${tool})
        install(TARGETS ${tool})
    endif()
endforeach()

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/ouro-config.cmake.in"
    "${PROJECT_BINARY_DIR}/ouro-config.cmake" INSTALL_DESTINATION "${OURO_PACKAGE_DIR}"
    NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/ouro-config-version.cmake"
    COMPATIBILITY SameMinorVersion)
install(EXPORT ouro NAMESPACE ouro:: FILE ouro-targets.cmake DESTINATION "${OURO_PACKAGE_DIR}")
install(FILES "${PROJECT_BINARY_DIR}/ouro-config.cmake"
              "${PROJECT_BINARY_DIR}/ouro-config-version.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/ouro-atomic-ops.cmake"
        DESTINATION "${OURO_PACKAGE_DIR}")

# The way from lib/pkgconfig to the prefix, so that ouro.pc can be moved with it.
file(RELATIVE_PATH OURO_PC_TO_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" OURO_PC_TO_PREFIX "${OURO_PC_TO_PREFIX}")
set(OURO_PC_REQUIRES_PRIVATE "")
if(OURO_THREADS)
    set(OURO_PC_REQUIRES_PRIVATE "atomic_ops")
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/ouro.pc.in" "${PROJECT_BINARY_DIR}/ouro.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/ouro.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(TARGET ouro-malloc-shared)
    configure_file("${PROJECT_SOURCE_DIR}/cmake/ouro-malloc.pc.in"
        "${PROJECT_BINARY_DIR}/ouro-malloc.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/ouro-malloc.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endif()
install(FILES "${PROJECT_SOURCE_DIR}/orc/abi.json" DESTINATION "${CMAKE_INSTALL_DATADIR}/ouro")
set(nim_modules arc.nim orc.nim alloc.nim ouro.nims)
list(TRANSFORM nim_modules PREPEND "${PROJECT_SOURCE_DIR}/orc/nim/")
install(FILES ${nim_modules} DESTINATION "${CMAKE_INSTALL_DATADIR}/ouro/nim")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
