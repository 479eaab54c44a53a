#pragma once

#include "pulse/testing/local_redis.hpp"

namespace pulse::test {

/// A server that keeps all data that it confirmed, even if it is killed. It
/// does not use "everysec": with that, writes wait while an fsync of a slow
/// disk runs, and a kill then loses confirmed adds.
inline local_redis_options durable_redis() {
  local_redis_options result;
  result.append_only = true;
  result.config = {"appendfsync always"};
  return result;
}

} // namespace pulse::test
