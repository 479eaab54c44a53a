#pragma once

#include "pulse/actors/internal/connection/actor.hpp"
#include "pulse/actors/internal/leases/actor.hpp"

#include <caf/actor_system.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace pulse::bench {

/// Plays Redis for actors that run step by step. It stores nothing: adds get
/// IDs, acks are counted, and the one who drives the peer says which events a
/// blocking read gets.
class redis_peer {
public:
  explicit redis_peer(caf::actor_system& sys);

  [[nodiscard]] connection_source source() const;

  /// @returns keepers of leases that do nothing.
  [[nodiscard]] lease_actor leases() const;

  /// Answers the blocking read that waits, or the next one.
  void give(const std::string& reply);

  /// Number of events that were acknowledged.
  [[nodiscard]] uint64_t acked() const noexcept;

private:
  struct state;

  caf::actor_system& sys_;
  std::shared_ptr<state> state_;
  connection_actor commands_;
  connection_actor reads_;
};

} // namespace pulse::bench
