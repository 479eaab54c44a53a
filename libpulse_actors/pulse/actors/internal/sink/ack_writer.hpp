#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/write_gate.hpp"

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Acknowledges events in Redis. Acks that are decided while others are under
/// way are sent together as one batch, and repeated until Redis confirms them.
/// Acks of a stream that Redis refuses do not hold up those of other streams.
class sink_ack_writer {
public:
  explicit sink_ack_writer(sink_context& ctx)
    : ctx_(ctx),
      gate_(ctx, "acks"),
      refusal_gate_(ctx, "acks of some streams") {
    // nop
  }

  /// Answers all open requests for an ack with the error that it is not
  /// confirmed.
  ~sink_ack_writer();
  sink_ack_writer(const sink_ack_writer&) = delete;
  sink_ack_writer& operator=(const sink_ack_writer&) = delete;

  /// @param entry The entry of the ledger that ends with this ack, if any.
  /// @param handled Whether a subscriber got the event.
  void add(uint32_t stream, event_id id, const delivery_ticket& entry,
           bool handled);

  /// @param answer Is delivered when all acks of the streams so far are
  /// confirmed, or when the first attempt to send them failed.
  void answer_when_confirmed(std::vector<uint32_t> streams,
                             caf::response_promise answer);

  /// Sends what waits, unless other acks are under way.
  void flush();

  /// Appends the events of a stream whose acks are to be confirmed.
  void list(uint32_t stream, std::vector<event_id>& into) const;

  /// Adds the streams with acks that are to be confirmed.
  void list_streams(std::set<uint32_t>& into) const;

  /// @returns how many acks are not confirmed yet.
  [[nodiscard]] size_t backlog() const noexcept {
    return waiting_.size() + sent_.size() + refused_.size();
  }

  /// @returns how many handled events were acknowledged since the last call.
  size_t take_acked() noexcept {
    return std::exchange(acked_, 0);
  }

private:
  struct pending_ack {
    uint32_t stream = 0;
    event_id id;
    delivery_ticket entry;
    bool handled = false;
  };

  struct pending_answer {
    std::vector<uint32_t> streams;
    caf::response_promise promise;
  };

  void send();
  void note_late_acks(command_batch& batch) const;
  [[nodiscard]] bool may_be_elsewhere(const pending_ack& x) const;
  void note_late_ack(command_batch& batch, const pending_ack& x) const;
  void limit_late_acks(command_batch& batch, uint32_t stream) const;
  void confirmed(const resp::reply& reply);
  [[nodiscard]] std::optional<failure> refusal(const resp::cursor& at) const;
  void answer(pending_answer& x) const;
  [[nodiscard]] bool is_refused(const pending_answer& x) const;
  void settle(const pending_ack& x);
  void refuse(const pending_ack& x);
  void failed(const failure& why);

  sink_context& ctx_;
  write_gate gate_;
  std::vector<pending_ack> waiting_;
  std::vector<pending_ack> sent_;
  // How many commands about late acks are before those acks.
  uint32_t notes_sent_ = 0;
  std::vector<pending_answer> answers_;
  std::vector<pending_answer> answers_sent_;
  // The streams whose acks Redis refused the last time, the reasons, and the
  // acks, which are sent again when the gate is open.
  write_gate refusal_gate_;
  std::map<uint32_t, failure> refusals_;
  std::vector<pending_ack> refused_;
  size_t acked_ = 0;
};

} // namespace pulse::internal
