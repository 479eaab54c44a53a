#pragma once

#include "pulse/actors/internal/sink/action_sender.hpp"
#include "pulse/actors/internal/sink/context.hpp"

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

  explicit sink_delay_writer(sink_context& ctx);

  void add(action x) {
    if (must_stay_in_order(x)) {
      ctx_.streams.note_given_back(x.stream);
      ++ctx_.give_backs;
    }
    sender_.add(std::move(x));
  }

  /// Sends what waits.
  void flush() {
    sender_.flush();
  }

  /// @returns how many events are not confirmed yet.
  [[nodiscard]] size_t backlog() const noexcept {
    return sender_.backlog() + claiming_;
  }

private:
  // In a keyed sink, what is given back comes before what is read next.
  [[nodiscard]] bool must_stay_in_order(const action& x) const noexcept {
    return ctx_.shares_keys()
           && x.kind == delivery_ledger::action_kind::release;
  }
  [[nodiscard]] command_ptr delay_call(uint32_t stream,
                                       const std::vector<action>& xs) const;
  status confirmed(uint32_t stream, const std::vector<action>& xs,
                   const resp::reply& reply);
  status read_confirmation(uint32_t stream, const resp::reply& reply,
                           std::vector<event_id>& nobodys);
  void left(uint32_t stream, const action& x);
  void on_stolen(uint32_t stream, std::vector<action> xs);
  void claim_anew(uint32_t stream, std::vector<action> xs);

  sink_context& ctx_;
  sink_action_sender sender_;
  // How many events are being claimed anew.
  size_t claiming_ = 0;
};

} // namespace pulse::internal
