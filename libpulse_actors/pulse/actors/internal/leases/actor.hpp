#pragma once

#include "pulse/actors/internal/connection/actor.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/internal/runtime/messages.hpp"

#include <caf/typed_actor.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace pulse {

/// When the leases of one sink on one stream were last renewed, by a clock
/// that also runs while the machine sleeps (CLOCK_BOOTTIME, nanoseconds since
/// boot). Written by the lease keeper, read by the sink before it dispatches.
struct lease_clock {
  std::atomic<int64_t> renewed_ns{0};
  /// Time since boot at which a renewal was seen to be so late that others may
  /// have taken events over; 0: none was. Only a list of what is still ours
  /// tells, if it was asked for later.
  std::atomic<int64_t> stale_ns{0};
  /// How often a renewal came so late that others may have taken events over by
  /// the rules. A renewal leaves out entries that have been idle for less than
  /// a third of the lease, so the next one must follow within two thirds.
  std::atomic<uint64_t> lapses{0};
  /// Pending entries found to be trimmed from the stream: lost.
  std::atomic<uint64_t> trimmed{0};

  /// Replies of two connections may come in another order than that of their
  /// requests, so an earlier time changes nothing. Only one thread at a time
  /// may call this.
  /// @param at Time since boot.
  void renewed(std::chrono::nanoseconds at) noexcept {
    renewed_ns.store(std::max(at, renewed_at()).count(),
                     std::memory_order_relaxed);
  }

  void found_stale(std::chrono::nanoseconds at) noexcept {
    stale_ns.store(at.count(), std::memory_order_relaxed);
  }

  /// What is still ours was listed.
  /// @param asked Time since boot at which the list was asked for.
  void listed(std::chrono::nanoseconds asked) noexcept {
    if (stale_ns.load(std::memory_order_relaxed) <= asked.count())
      stale_ns.store(0, std::memory_order_relaxed);
  }

  [[nodiscard]] bool is_stale() const noexcept {
    return stale_ns.load(std::memory_order_relaxed) != 0;
  }

  /// @returns the time since boot of the last renewal.
  [[nodiscard]] std::chrono::nanoseconds renewed_at() const noexcept {
    return std::chrono::nanoseconds{renewed_ns.load(std::memory_order_relaxed)};
  }

  /// @param length The length of the lease.
  /// @param now Time since boot.
  /// @returns whether the last renewal is so old that it counts as a lapse.
  [[nodiscard]] bool has_lapsed(std::chrono::milliseconds length,
                                std::chrono::nanoseconds now) const noexcept {
    return older_than(length * 5 / 8, now);
  }

  /// @param now Time since boot.
  /// @returns whether the last renewal is older than `age`.
  [[nodiscard]] bool older_than(std::chrono::milliseconds age,
                                std::chrono::nanoseconds now) const noexcept {
    return now - renewed_at() > age;
  }
};

/// One consumer of one stream whose leases are to be kept.
struct lease {
  std::string stream;
  std::string sink;
  std::string consumer;
  milliseconds length{15'000};
  /// Shared with the sink. Never null.
  std::shared_ptr<lease_clock> clock;
};

/// Renews the leases of all sinks of a node: every `length / 3` one script per
/// stream and sink resets the idle time of pending entries that have been idle
/// for longer than that, and shows that the consumer lives. Runs in the host of
/// the connections, so that handlers that keep all of CAF's workers busy cannot
/// starve it. Renewals have a connection of their own, so that they do
/// not wait behind large replies and large adds. Node-local.
using lease_actor = actor_interface<
  // Starts to renew. If its clock was never set, the lease counts as renewed
  // now. No reply.
  caf::result<void>(caf::add_atom, lease_ptr),
  // Stops renewing. Answers when no renewal is under way any more: none comes
  // behind a command that the asker sends after the reply.
  caf::result<void>(caf::delete_atom, lease_ptr),
  // Renews now; answers the IDs that Redis still has pending for the consumer:
  // what is not among them was taken over, or acknowledged by a command that
  // was sent before. Errors: `no_group`, connection errors.
  caf::result<std::vector<event_id>>(caf::update_atom, lease_ptr),
  // Stops. No reply.
  caf::result<void>(caf::close_atom)>;

lease_actor spawn_leases(caf::actor_system& sys, const connection_source& redis,
                         const internal::environment& env = {});

} // namespace pulse
