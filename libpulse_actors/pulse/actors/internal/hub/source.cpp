#include "pulse/actors/internal/hub/source.hpp"

#include "pulse/actors/internal/runtime/liveness.hpp"

#include <utility>

namespace pulse::internal {

hub_source::hub_source(caf::actor_system& sys, connection_source redis,
                       environment env)
  : sys_(sys), redis_(std::move(redis)), env_(std::move(env)) {
  // nop
}

hub_actor hub_source::hub() {
  std::lock_guard<std::mutex> guard{mutex_};
  if (auto known = caf::actor_cast<hub_actor>(current_); is_alive(known))
    return known;
  auto fresh = spawn_hub(sys_, redis_, env_);
  current_ = fresh.address();
  return fresh;
}

} // namespace pulse::internal
