#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace pulse::bench {

/// How many events a round of a path handles, and the size of their payloads.
constexpr uint32_t events = 1'000;
constexpr size_t payload = 64;

struct hot_path {
  std::string name;
  /// Prepares the path. @returns a function that handles `events` events.
  std::function<std::function<void()>()> prepare;
};

/// @returns the paths through stream and sink actors.
std::vector<hot_path> actor_paths();

inline void require(bool condition) {
  if (!condition)
    throw std::logic_error("the path did not do its work");
}

} // namespace pulse::bench
