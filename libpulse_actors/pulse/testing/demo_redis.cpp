#include "pulse/testing/demo_redis.hpp"

#include <cstdlib>
#include <utility>

namespace pulse {

outcome<demo_redis> find_or_start_redis() {
  if (const char* url = std::getenv("PULSE_REDIS_URL"); url && *url)
    return demo_redis{url, nullptr};
  auto server = local_redis::start();
  if (!server)
    return server.error();
  demo_redis result{server->url(), nullptr};
  result.server = std::make_unique<local_redis>(std::move(*server));
  return result;
}

} // namespace pulse
