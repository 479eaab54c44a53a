#pragma once

#include "pulse/core/backoff.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace pulse::internal {

/// What actors learn from the machine instead of from messages: times other
/// than the actor clock, randomness, and the name of the process. The defaults
/// are the machine's; tests and simulations replace them, so that a run can be
/// repeated. The functions are called on the threads of the actors.
struct environment {
  /// Time since boot, which goes on while the machine sleeps.
  std::function<std::chrono::nanoseconds()> boot_time;
  /// Time of day.
  std::function<std::chrono::system_clock::time_point()> wall_clock;
  /// 64 fresh random bits with each call.
  std::function<uint64_t()> random_bits;
  /// Host and process ID: how the consumers of this node are named.
  std::string host;
  int64_t process_id = 0;

  /// The environment that this machine is.
  environment();

  /// An engine with a fresh seed.
  [[nodiscard]] random_engine new_engine() const;

  /// Time of day as time since 1970.
  [[nodiscard]] std::chrono::milliseconds unix_time() const;

  /// A name for a consumer that no other consumer has.
  [[nodiscard]] std::string new_consumer_name() const;
};

} // namespace pulse::internal
