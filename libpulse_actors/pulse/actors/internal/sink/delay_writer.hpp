#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/write_gate.hpp"

#include <vector>

namespace pulse::internal {

/// Hands events over to Redis that this sink shall not hold any more: those
/// that failed wait there for their next attempt, and those that no worker here
/// can take wait for another node. That is repeated until Redis confirms it.
/// Then the event has left this sink, and any node of the sink may take it (see
/// sink_claimer).
class sink_delay_writer {
public:
  using action = delivery_ledger::action;

  explicit sink_delay_writer(sink_context& ctx)
    : ctx_(ctx), gate_(ctx, "events that it gives back") {
    // nop
  }

  void add(action x) {
    waiting_.push_back(std::move(x));
  }

  /// Sends what waits.
  void flush();

  /// @returns how many events are not confirmed yet.
  [[nodiscard]] size_t backlog() const noexcept {
    return waiting_.size() + sent_;
  }

private:
  void send(uint32_t stream, std::vector<action> xs);
  void confirmed(uint32_t stream, const std::vector<action>& xs,
                 const resp::reply& reply);
  status read_confirmation(uint32_t stream, const resp::reply& reply);
  void failed(std::vector<action> xs, const failure& why);
  void report_trimmed(uint32_t stream, const std::vector<event_id>& gone);

  sink_context& ctx_;
  write_gate gate_;
  std::vector<action> waiting_;
  size_t sent_ = 0;
};

} // namespace pulse::internal
