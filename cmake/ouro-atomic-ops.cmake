# SPDX-License-Identifier: MIT
# libatomic_ops as the target ouro::atomic_ops: headers only. Used by Ouro's build and, installed
# beside the package file, by the programs that use Ouro, whose inlined paths need the same headers.
if(NOT TARGET ouro::atomic_ops)
    find_path(OURO_ATOMIC_OPS_INCLUDE atomic_ops.h)
    mark_as_advanced(OURO_ATOMIC_OPS_INCLUDE)
    if(OURO_ATOMIC_OPS_INCLUDE)
        add_library(ouro::atomic_ops INTERFACE IMPORTED GLOBAL)
        target_include_directories(ouro::atomic_ops INTERFACE "${OURO_ATOMIC_OPS_INCLUDE}")
    else()
        string(CONCAT OURO_ATOMIC_OPS_MISSING
            "Ouro needs libatomic_ops: atomic_ops.h was not found "
            "(Debian package libatomic-ops-dev).")
    endif()
endif()
