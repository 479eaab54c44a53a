#pragma once

#include "pulse/core/backoff.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace pulse::internal {

/// What actors get from the machine instead of from messages: clocks other than
/// the actor clock, random numbers, and the name of the process. By default
/// these are the real ones; tests and simulations replace them, so that a run
/// can be repeated. The functions are called on the threads of the actors.
struct environment {
  /// Time since boot. It also counts while the machine sleeps.
  std::function<std::chrono::nanoseconds()> boot_time;
  /// Time of day.
  std::function<std::chrono::system_clock::time_point()> wall_clock;
  /// 64 fresh random bits with each call.
  std::function<uint64_t()> random_bits;
  /// Host name and process ID, which the names of this node's consumers
  /// contain.
  std::string host;
  int64_t process_id = 0;

  /// The environment of this machine.
  environment();

  /// @returns a random engine with a new seed.
  [[nodiscard]] random_engine new_engine() const;

  /// @returns the time of day as Unix time.
  [[nodiscard]] std::chrono::milliseconds unix_time() const;

  /// @returns a new consumer name, which no other consumer has.
  [[nodiscard]] std::string new_consumer_name() const;
};

} // namespace pulse::internal
