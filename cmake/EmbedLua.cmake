# cmake -D SCRIPT=<name>.lua -D OUTPUT=<file> [-D PRELUDE=<folder>]
#   -P EmbedLua.cmake
#
# Completes a Lua script: a line "--! include <piece>" becomes the text of
# <piece>.lua in the folder PRELUDE, without comments and on one line, so that
# the lines that Redis and luacheck name are those of the script. By default that
# is the folder "prelude" beside the script. An OUTPUT *.lua gets the result. An
# OUTPUT *.cpp gets the definition of pulse::resp::<name>_script() with the text
# and its SHA-1; <OUTPUT>.d says of what it was made.
foreach(name SCRIPT OUTPUT)
  if(NOT ${name})
    message(FATAL_ERROR "EmbedLua.cmake needs -D ${name}=...")
  endif()
endforeach()
cmake_path(ABSOLUTE_PATH SCRIPT)
cmake_path(GET SCRIPT PARENT_PATH folder)
cmake_path(GET SCRIPT STEM name)
if(NOT PRELUDE)
  set(PRELUDE "${folder}/prelude")
endif()

file(READ "${SCRIPT}" text)
set(inputs "${SCRIPT}")
string(REGEX MATCHALL "--! include [^\n]*" includes "${text}")
foreach(include IN LISTS includes)
  string(REPLACE "--! include " "" piece "${include}")
  set(path "${PRELUDE}/${piece}.lua")
  if(NOT EXISTS "${path}")
    message(FATAL_ERROR "${SCRIPT} includes \"${piece}\": no file ${path}")
  endif()
  file(READ "${path}" piece)
  string(REGEX REPLACE "--[^\n]*" "" piece "${piece}")
  string(REGEX REPLACE "[ \n]+" " " piece "${piece}")
  string(STRIP "${piece}" piece)
  string(REPLACE "${include}\n" "${piece}\n" text "${text}")
  list(APPEND inputs "${path}")
endforeach()

if(OUTPUT MATCHES "\\.lua$")
  file(WRITE "${OUTPUT}" "${text}")
  return()
endif()
string(SHA1 digest "${text}")
file(WRITE "${OUTPUT}" "// Made by cmake/EmbedLua.cmake from ${name}.lua.
#include \"pulse/resp/dead_letter_scripts.hpp\"
#include \"pulse/resp/sink_scripts.hpp\"
#include \"pulse/resp/stream_scripts.hpp\"

namespace pulse::resp {

const script& ${name}_script() {
  static constexpr script x{\"${name}\", R\"lua(${text})lua\",
                            \"${digest}\"};
  return x;
}

} // namespace pulse::resp
")
# As make reads it: blanks within paths are escaped.
string(REPLACE " " "\\ " rule "${OUTPUT}:;${inputs}")
string(REPLACE ";" " " rule "${rule}")
file(WRITE "${OUTPUT}.d" "${rule}\n")
