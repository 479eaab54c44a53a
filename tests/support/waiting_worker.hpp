#pragma once

#include "support/recorder.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

namespace pulse::test {

/// A worker may look at the flag after the test has seen its last event, so the
/// flag is shared.
using flag = std::shared_ptr<std::atomic<bool>>;

inline flag make_flag() {
  return std::make_shared<std::atomic<bool>>(false);
}

/// Blocks its worker until the flag is set.
inline reaction waits_for(const flag& go) {
  return [go](auto*, const event&) -> caf::result<void> {
    while (!*go)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    return caf::unit;
  };
}

} // namespace pulse::test
