#pragma once

#include "pulse/testing/local_redis.hpp"

#include <memory>
#include <string>

namespace pulse {

/// A Redis server for examples, demos and tests.
struct demo_redis {
  /// URL of the server, for pulse::system::connect().
  std::string url;
  /// The private server; empty if the environment variable names a running one.
  std::unique_ptr<local_redis> server;
};

/// @returns the server that the environment variable PULSE_REDIS_URL names. If
/// the variable is not set, starts a private server, which ends when the result
/// is destroyed.
/// Error: as local_redis::start().
outcome<demo_redis> find_or_start_redis();

} // namespace pulse
