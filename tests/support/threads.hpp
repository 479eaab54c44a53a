#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

namespace pulse::test {

/// @returns how many threads of this process have that name.
inline size_t count_threads(const std::string& name) {
  size_t result = 0;
  for (const auto& x : std::filesystem::directory_iterator{"/proc/self/task"}) {
    // A thread may end meanwhile.
    std::string found;
    std::ifstream{x.path() / "comm"} >> found;
    result += found == name ? 1 : 0;
  }
  return result;
}

} // namespace pulse::test
