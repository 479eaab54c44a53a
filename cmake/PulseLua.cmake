# pulse_embed_lua(<target> <script.lua>...)
#
# Compiles Lua scripts into a target: EmbedLua.cmake makes a C++ file of each,
# again whenever the script or a piece of its prelude has changed.
function(pulse_embed_lua target)
  set(embed "${PROJECT_SOURCE_DIR}/cmake/EmbedLua.cmake")
  set(outputs "")
  foreach(script IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH script)
    cmake_path(GET script STEM name)
    set(output "${CMAKE_CURRENT_BINARY_DIR}/lua/${target}/${name}.cpp")
    add_custom_command(OUTPUT "${output}"
      COMMAND "${CMAKE_COMMAND}" -D "SCRIPT=${script}" -D "OUTPUT=${output}"
        -D "PRELUDE=${PROJECT_SOURCE_DIR}/libpulse_actors/pulse/resp/lua/prelude"
        -P "${embed}"
      DEPENDS "${script}" "${embed}" DEPFILE "${output}.d" VERBATIM
      COMMENT "Embedding ${name}.lua")
    list(APPEND outputs "${output}")
  endforeach()
  target_sources(${target} PRIVATE ${outputs})
  # The target may be one of another folder, which does not know the rules.
  add_custom_target(${target}-lua DEPENDS ${outputs})
  add_dependencies(${target} ${target}-lua)
endfunction()
