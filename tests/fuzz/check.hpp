#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace pulse::fuzz {

/// Ends the process if something is not as it must be: that is a finding.
inline void check(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// Reads every byte, for the address sanitizer to see.
inline void touch(std::string_view text) {
  unsigned sum = 0;
  for (auto c : text)
    sum += static_cast<unsigned char>(c);
  [[maybe_unused]] static volatile unsigned sink = 0;
  sink = sum;
}

} // namespace pulse::fuzz
