# Mutants: programs of which one file of the library has a fault that a test
# must find. The faulty file is linked into the program, where it comes before
# the library's.
find_program(PULSE_PATCH patch REQUIRED)
mark_as_advanced(PULSE_PATCH)

# pulse_patched_copy(<variable> <name> <patch> <source>)
#
# Applies a patch to a copy of `source`, a file of libpulse_actors/pulse, and
# sets the variable to its path.
function(pulse_patched_copy variable name patch source)
  cmake_path(ABSOLUTE_PATH patch)
  set(original "${PROJECT_SOURCE_DIR}/libpulse_actors/pulse/${source}")
  set(changed "${CMAKE_CURRENT_BINARY_DIR}/${name}/${source}")
  set(script "${PROJECT_SOURCE_DIR}/cmake/ApplyMutant.cmake")
  add_custom_command(OUTPUT "${changed}"
    COMMAND "${CMAKE_COMMAND}" "-DPATCH_PROGRAM=${PULSE_PATCH}"
      "-DPATCH=${patch}" "-DFROM=${original}" "-DTO=${changed}" -P "${script}"
    DEPENDS "${original}" "${patch}" "${script}"
    COMMENT "Mutant ${name}: a fault in a copy of ${source}"
    VERBATIM)
  set(${variable} "${changed}" PARENT_SCOPE)
endfunction()
