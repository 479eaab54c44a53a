#pragma once

#include "pulse/actors/internal/hub/actor.hpp"

#include <caf/actor_addr.hpp>

#include <memory>
#include <mutex>

namespace pulse::internal {

/// What the readers of one endpoint share: the connection for commands, and the
/// hub, which runs only while there are readers. Any thread may use it.
class hub_source {
public:
  hub_source(caf::actor_system& sys, connection_source redis,
             environment env = {});

  [[nodiscard]] const connection_actor& commands() const noexcept {
    return redis_.commands;
  }

  /// Where readers run.
  [[nodiscard]] const io_host_ptr& host() const noexcept {
    return redis_.host;
  }

  /// @returns the hub, a new one if the last one has terminated.
  hub_actor hub();

private:
  caf::actor_system& sys_;
  connection_source redis_;
  environment env_;
  std::mutex mutex_;
  /// Does not keep the hub alive.
  caf::actor_addr current_;
};

using hub_source_ptr = std::shared_ptr<hub_source>;

} // namespace pulse::internal
