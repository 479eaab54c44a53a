# pulse_add_suites(<target> <label> [TIMEOUT seconds] <suite>...)
#
# Adds one source file and one CTest entry per suite: suite "core.backoff" is
# <this folder>/backoff.cpp, "core.delivery.ledger" is delivery/ledger.cpp.
# CAF 0.17.6 reads -s as a regular expression when built with GCC, but as an
# exact name when built with Clang on libstdc++; and it exits with 0 if nothing
# matches, hence FAIL_REGULAR_EXPRESSION.
function(pulse_add_suites target label)
  cmake_parse_arguments(arg "" "TIMEOUT" "" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  foreach(suite IN LISTS arg_UNPARSED_ARGUMENTS)
    string(REGEX MATCH "\\.(.*)$" file "${suite}")
    string(REPLACE "." "/" file "${CMAKE_MATCH_1}")
    target_sources(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/${file}.cpp")
    set(selector "${suite}")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      set(selector "^${suite}$")
    endif()
    # -r: the watchdog of the runner aborts a test that hangs.
    add_test(NAME ${suite}
      COMMAND ${target} -n -v 4 -r ${arg_TIMEOUT} -s "${selector}")
    math(EXPR ctest_timeout "${arg_TIMEOUT} + 30")
    set_tests_properties(${suite} PROPERTIES
      TIMEOUT ${ctest_timeout} LABELS ${label}
      FAIL_REGULAR_EXPRESSION "suites:  0;tests:  0")
  endforeach()
endfunction()

# pulse_mark_slow(<test>...)
#
# Gives tests of this folder that take more than some 20 seconds the label
# "slow" in addition, which scripts/test --quick leaves out, and lets parallel
# runs begin with them.
function(pulse_mark_slow)
  set_property(TEST ${ARGN} APPEND PROPERTY LABELS slow)
  set_property(TEST ${ARGN} PROPERTY COST 100)
endfunction()
