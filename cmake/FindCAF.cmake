# Finds CAF 1.x by its own CMake package, or else CAF 0.17.6, which Debian ships
# without one, and defines CAF::core, CAF::io and so on for it. If both are
# there, CMAKE_PREFIX_PATH decides: CAF 1.x wins where CMake finds its package.
# Sets CAF_VERSION. Installed, because consumers need it as well.
find_package(CAF 1 CONFIG QUIET)
if(CAF_FOUND)
  foreach(_caf_comp IN LISTS CAF_FIND_COMPONENTS)
    if(TARGET CAF::${_caf_comp})
      set(CAF_${_caf_comp}_FOUND TRUE)
    endif()
  endforeach()
  include(FindPackageHandleStandardArgs)
  find_package_handle_standard_args(CAF REQUIRED_VARS CAF_DIR
    VERSION_VAR CAF_VERSION HANDLE_COMPONENTS)
  return()
endif()
find_package(Threads REQUIRED)
find_path(CAF_INCLUDE_DIR caf/config.hpp)
if(CAF_INCLUDE_DIR)
  # CAF 0.17.6 spells its version as one number: 1706.
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" _caf_line
    REGEX "^#define CAF_VERSION [0-9]+$")
  string(REGEX MATCH "[0-9]+$" _caf_number "${_caf_line}")
  math(EXPR _caf_major "${_caf_number} / 10000")
  math(EXPR _caf_minor "(${_caf_number} / 100) % 100")
  math(EXPR _caf_patch "${_caf_number} % 100")
  set(CAF_VERSION "${_caf_major}.${_caf_minor}.${_caf_patch}")
  if(CAF_VERSION VERSION_GREATER_EQUAL 0.18)
    message(FATAL_ERROR "pulse_actors needs CAF 0.17.6 or CAF 1.x, and "
      "${CAF_INCLUDE_DIR} has CAF ${CAF_VERSION}, which has half of the "
      "interfaces of each. Install libcaf-dev of Debian, or build CAF 1.1.0 and "
      "name its prefix in CMAKE_PREFIX_PATH.")
  endif()
endif()
foreach(_caf_comp IN LISTS CAF_FIND_COMPONENTS)
  find_library(CAF_${_caf_comp}_LIBRARY caf_${_caf_comp})
  mark_as_advanced(CAF_${_caf_comp}_LIBRARY)
  if(CAF_${_caf_comp}_LIBRARY)
    set(CAF_${_caf_comp}_FOUND TRUE)
  endif()
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF REQUIRED_VARS CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION HANDLE_COMPONENTS)
set(_caf_deps_core Threads::Threads)
set(_caf_deps_io CAF::core)
foreach(_caf_comp IN LISTS CAF_FIND_COMPONENTS)
  if(CAF_${_caf_comp}_FOUND AND NOT TARGET CAF::${_caf_comp})
    add_library(CAF::${_caf_comp} UNKNOWN IMPORTED)
    set_target_properties(CAF::${_caf_comp} PROPERTIES
      IMPORTED_LOCATION "${CAF_${_caf_comp}_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}"
      INTERFACE_LINK_LIBRARIES "${_caf_deps_${_caf_comp}}")
  endif()
endforeach()
