# pulse_options: warnings, sanitizers and other flags for our own code only.
# Linked PRIVATE through BUILD_INTERFACE, so that nothing of it is exported.
option(PULSE_WERROR "Turn warnings into errors" OFF)
set(PULSE_SANITIZERS "" CACHE STRING "Comma separated, e.g. address,undefined")

add_library(pulse_options INTERFACE)
target_compile_features(pulse_options INTERFACE cxx_std_17)
target_compile_options(pulse_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion
  $<IF:$<CXX_COMPILER_ID:GNU>,-Wshadow=local,-Wshadow>
  $<$<BOOL:${PULSE_WERROR}>:-Werror>)
# Turns an unregistered message type into a compile error instead of an empty
# message at run time. For our code only: users may announce types as they like.
target_compile_definitions(pulse_options INTERFACE CAF_ENABLE_TYPE_ID_CHECKS)
if(PULSE_SANITIZERS)
  # CAF 0.17.6 binds null references when it spawns actors (harmless, but
  # reported by UBSan), hence no "null" check.
  foreach(_kind compile link)
    cmake_language(CALL target_${_kind}_options pulse_options INTERFACE
      -fsanitize=${PULSE_SANITIZERS} -fno-sanitize=null
      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  endforeach()
endif()

# Compiles are dominated by CAF's templates: ccache pays for itself at once.
find_program(PULSE_CCACHE ccache)
mark_as_advanced(PULSE_CCACHE)
if(PULSE_CCACHE)
  # ccache handles precompiled headers only when told that they are harmless.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime "${PULSE_CCACHE}")
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()
