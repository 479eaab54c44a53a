#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/core/backoff.hpp"

#include <string>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Tells Redis what was decided: acks, gathered while others are under way and
/// sent as one batch; dead letters; delivery counts. What fails is repeated
/// with a pause until Redis took it: all of it may be repeated safely.
class sink_outcome_writer {
public:
  explicit sink_outcome_writer(sink_context& ctx)
    : ctx_(ctx), random_(ctx.env.new_engine()) {
    // nop
  }

  /// Tells who waits for an ack that it is not confirmed.
  ~sink_outcome_writer();
  sink_outcome_writer(const sink_outcome_writer&) = delete;
  sink_outcome_writer& operator=(const sink_outcome_writer&) = delete;

  /// Takes over what the ledger decided.
  void take_actions();

  /// Acknowledges an entry that is not in the ledger (filtered, deleted).
  void ack(uint32_t stream, event_id id);

  /// Gives up an entry that is not in the ledger.
  void give_up(uint32_t stream, event_id id, delivery_counts counts,
               std::string reason);

  /// @returns whether something is to be told to Redis about that entry.
  [[nodiscard]] bool knows(uint32_t stream, event_id id) const;

  /// Takes over what the ledger decided. `answer` is given when all of that is
  /// acknowledged, or when the first attempt to do so failed.
  void answer_after_ack(caf::response_promise answer);

  /// Sends what waits, unless a batch is under way.
  void flush();

  /// @returns how many events that subscribers finished were acknowledged since
  /// the last call.
  size_t take_acked() noexcept {
    return std::exchange(acked_events_, 0);
  }

  /// What is decided and not confirmed yet.
  [[nodiscard]] size_t backlog() const noexcept {
    return acks_.size() + acks_sent_.size() + dead_.size() + dead_sent_;
  }

private:
  struct pending_ack {
    uint32_t stream = 0;
    event_id id;
    delivery_ledger::ticket entry;
    bool handled = false; // by a subscriber
  };

  using action = delivery_ledger::action;
  using action_kind = delivery_ledger::action_kind;

  void send_acks();
  void acked(const resp::reply& reply);
  void ack_failed(const failure& why);
  void send_dead_letter(action x);
  void dead_letter_stored(const action& x, const resp::reply& reply);
  void count_removed(const std::string& stream, const outcome<int64_t>& n);
  void dead_letter_failed(const action& x, const failure& why);
  void send_counts();
  void send_marks();
  void send_marks_of(uint32_t stream, std::vector<action> marks);
  void marked(const std::vector<action>& marks, const resp::reply& reply);
  void marks_failed(const std::vector<action>& marks, const failure& why);
  [[nodiscard]] std::vector<std::vector<action>>
  by_stream(std::vector<action> xs) const;
  [[nodiscard]] command_ptr count_call(uint32_t stream,
                                       const std::vector<action>& xs) const;
  void pause_after(const failure& why, const char* what);

  sink_context& ctx_;
  std::vector<pending_ack> acks_;
  std::vector<pending_ack> acks_sent_;
  size_t acked_events_ = 0;
  std::vector<caf::response_promise> answers_;
  std::vector<caf::response_promise> answers_sent_;
  std::vector<action> dead_;
  size_t dead_sent_ = 0;
  std::vector<action> counts_;
  std::vector<action> marks_;
  sink_context::time_point not_before_;
  bool failing_ = false;
  reconnect_backoff pause_{milliseconds{100}, milliseconds{1'500}};
  random_engine random_;
};

} // namespace pulse::internal
