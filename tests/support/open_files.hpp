#pragma once

#include <dirent.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

namespace pulse::test {

/// The targets of the open file descriptors of this process, as in
/// "socket:[4711]".
inline std::vector<std::string> open_files() {
  std::vector<std::string> result;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir{::opendir("/proc/self/fd"),
                                                ::closedir};
  while (auto* entry = ::readdir(dir.get())) {
    char target[256];
    const auto path = std::string{"/proc/self/fd/"} + entry->d_name;
    const auto n = ::readlink(path.c_str(), target, sizeof(target));
    if (n > 0)
      result.emplace_back(target, static_cast<size_t>(n));
  }
  return result;
}

/// @returns the number of open file descriptors, including the one that is used
/// for counting.
inline size_t count_open_files() {
  return open_files().size();
}

} // namespace pulse::test
