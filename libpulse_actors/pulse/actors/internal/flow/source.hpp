#pragma once

#include "pulse/actors/internal/flow/inbox.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_system.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace pulse::internal {

/// What the source of a flow has to know.
struct flow_source_options {
  /// The sink or the reader.
  caf::actor from;
  bool is_sink = false;
  /// See `observe`.
  uint32_t credit = 0;
  /// The actor of the flow. The source lets go of it when it has begun.
  caf::actor consumer;
};

/// The part of a delivery that its copies share.
class delivery_state {
public:
  /// @param number Identifies the delivery to its source. 0: nobody waits for
  /// an outcome.
  delivery_state(event what, uint64_t number, caf::actor_addr source)
    : what_(std::move(what)), number_(number), source_(std::move(source)) {
    // nop
  }

  delivery_state(const delivery_state&) = delete;
  delivery_state& operator=(const delivery_state&) = delete;

  ~delivery_state();

  [[nodiscard]] const event& what() const noexcept {
    return what_;
  }

  /// Sends the outcome to the source, unless there was one. An empty error
  /// acknowledges.
  void complete(caf::error why);

private:
  event what_;
  uint64_t number_;
  // Not a handle: a delivery may exist longer than the actor system.
  caf::actor_addr source_;
  std::atomic<bool> completed_ = false;
};

/// Spawns the actor that subscribes to a reader or a sink for a flow. It passes
/// the events to the inbox, and the outcomes to the reader or sink.
void spawn_flow_source(caf::actor_system& sys, flow_source_options options,
                       std::shared_ptr<flow_inbox> inbox);

} // namespace pulse::internal
