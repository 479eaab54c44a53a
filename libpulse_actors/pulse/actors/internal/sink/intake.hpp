#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/outcome_writer.hpp"
#include "pulse/core/delivery/demand.hpp"
#include "pulse/core/delivery/fetch_window.hpp"
#include "pulse/core/repeated_lines.hpp"

namespace pulse::internal {

/// Decides how many more events a sink wants, and what becomes of each event
/// that Redis gives to the sink.
class sink_intake {
public:
  using due_time = std::optional<sink_context::time_point>;

  sink_intake(sink_context& ctx, sink_outcome_writer& outcomes)
    : ctx_(ctx),
      outcomes_(outcomes),
      window_(ctx.options.max_in_flight),
      skip_lines_("more events were skipped", [&ctx](const auto& x) {
        ctx.report(log_level::warning, x);
      }) {
    // nop
  }

  /// Adapts the window to the number of events that were acknowledged
  /// meanwhile.
  void update_window() {
    window_.settled(outcomes_.take_acked(), ctx_.now());
    skip_lines_.tick(ctx_.now());
  }

  /// @returns how many more new events the sink wants.
  [[nodiscard]] size_t demand() const {
    return demand_of(facts());
  }

  /// @returns how many new events the sink may get at most.
  [[nodiscard]] size_t room() const {
    return room_of(facts());
  }

  /// @returns how many events the sink takes that had another owner, or that
  /// are due for their next attempt.
  [[nodiscard]] size_t claim_demand() const {
    return claim_demand_of(facts());
  }

  /// @param reading The contents of how many events are being read.
  /// @returns of how many more parked events the sink may read the contents.
  [[nodiscard]] size_t room_for_parked(size_t reading) const {
    return room_for_parked_of(facts(), ctx_.ledger.dispatched() + reading);
  }

  /// @returns how many events may be parked. When so many are parked, the sink
  /// reads no new events.
  [[nodiscard]] size_t most_parked() const noexcept {
    return size_t{10} * ctx_.options.max_in_flight;
  }

  /// @returns how many of `wanted` events a read of new events may ask for, so
  /// that the reply is not too large; at least 1, unless `wanted` is 0.
  [[nodiscard]] uint32_t fitting(size_t wanted) const {
    return ctx_.pages.apply(wanted, reply_bytes(facts(), true));
  }

  /// The same for events that had another owner, or that are pending for this
  /// sink.
  [[nodiscard]] uint32_t fitting_claims(size_t wanted) const {
    return ctx_.pages.apply(wanted, reply_bytes(facts(), false));
  }

  /// @returns whether the sink may get another such event.
  [[nodiscard]] bool takes_claims() const {
    return takes_bytes(facts(), false);
  }

  /// Takes an event that was read or claimed. An event that the filter wants
  /// goes to the ledger, another one is acknowledged, and a malformed one
  /// becomes a dead letter.
  /// @param crash_candidate Whether a node died that may have worked on the
  /// event.
  /// @param in_front See delivery_ledger::fetched().
  void accept(uint32_t stream, event x, bool crash_candidate = false,
              bool in_front = false);

  /// The same, for events that a command brought to a keyed sink. If the sink
  /// gave events back while the command was under way, the new events are given
  /// back, too: the others come before them.
  /// @param give_backs `ctx.give_backs` when the command was sent.
  /// @param due When its next attempt is due, if it failed at another node.
  void accept_in_order(uint32_t stream, event x, uint64_t give_backs,
                       bool crash_candidate = false, due_time due = {});

  /// Gives an event back that is not in the ledger.
  void give_back(uint32_t stream, const event& x, due_time due = {});

private:
  [[nodiscard]] intake_facts facts() const;

  sink_context& ctx_;
  sink_outcome_writer& outcomes_;
  fetch_window window_;
  repeated_lines skip_lines_;
};

} // namespace pulse::internal
