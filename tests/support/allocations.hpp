#pragma once

#include <cstdint>

namespace pulse::test {

/// What operator new has given this program, in all its threads. A program that
/// is linked with allocations.cpp counts it.
struct allocations {
  /// How often it was called so far.
  uint64_t count = 0;
  /// How many bytes are in use now, with those that round a size up.
  int64_t bytes = 0;
};

allocations count_allocations() noexcept;

} // namespace pulse::test
