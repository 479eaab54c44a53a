#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/core/backoff.hpp"

#include <string>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Writes the outcomes of events to Redis: acks, dead letters and delivery
/// counts. Acks that are decided while others are under way are sent together
/// as one batch. Acks, dead letters and the marks of crash candidates are
/// repeated with pauses until Redis confirms them; other counts are not
/// repeated. All commands may be executed twice without harm.
class sink_outcome_writer {
public:
  explicit sink_outcome_writer(sink_context& ctx)
    : ctx_(ctx), random_(ctx.env.new_engine()) {
    // nop
  }

  /// Answers all open requests for an ack with the error that it is not
  /// confirmed.
  ~sink_outcome_writer();
  sink_outcome_writer(const sink_outcome_writer&) = delete;
  sink_outcome_writer& operator=(const sink_outcome_writer&) = delete;

  /// Takes over the outcomes that the ledger has decided.
  void take_actions();

  /// Acknowledges an event that is not in the ledger, because it was filtered
  /// out or deleted from the stream.
  void ack(uint32_t stream, event_id id);

  /// Makes an event that is not in the ledger a dead letter.
  void make_dead_letter(uint32_t stream, event_id id, delivery_counts counts,
                        std::string reason);

  /// @returns whether an outcome of that event is still to be confirmed.
  [[nodiscard]] bool knows(uint32_t stream, event_id id) const;

  /// Takes over the outcomes that the ledger has decided.
  /// @param answer Is delivered when all these acks are confirmed, or when the
  /// first attempt to send them failed.
  void answer_after_ack(caf::response_promise answer);

  /// Sends the waiting outcomes. Acks wait while other acks are under way.
  void flush();

  /// @returns how many events were acknowledged since the last call, without
  /// those that no subscriber got.
  size_t take_acked() noexcept {
    return std::exchange(acked_events_, 0);
  }

  /// @returns how many outcomes are decided and not confirmed yet.
  [[nodiscard]] size_t backlog() const noexcept {
    return acks_.size() + acks_sent_.size() + dead_.size() + dead_sent_;
  }

private:
  struct pending_ack {
    uint32_t stream = 0;
    event_id id;
    delivery_ledger::ticket entry;
    bool handled = false; // whether a subscriber got the event
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
