#pragma once

#include "pulse/testing/local_redis.hpp"

#include <memory>
#include <string>

namespace pulse {

/// The Redis that examples, demos and tests use.
struct demo_redis {
  /// What pulse::system::connect() takes.
  std::string url;
  /// The private server; empty if the environment names one that runs already.
  std::unique_ptr<local_redis> server;
};

/// Uses the server that the environment variable PULSE_REDIS_URL names. If it
/// is not set, starts a private one, which ends with the result.
/// Error: as local_redis::start().
outcome<demo_redis> find_or_start_redis();

} // namespace pulse
