#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/write_gate.hpp"

#include <set>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Acknowledges events in Redis. Acks that are decided while others are under
/// way are sent together as one batch, and repeated until Redis confirms them.
class sink_ack_writer {
public:
  explicit sink_ack_writer(sink_context& ctx) : ctx_(ctx), gate_(ctx, "acks") {
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
           bool handled) {
    waiting_.push_back({stream, id, entry, handled});
  }

  /// @param answer Is delivered when all acks so far are confirmed, or when the
  /// first attempt to send them failed.
  void answer_when_confirmed(caf::response_promise answer) {
    answers_.push_back(std::move(answer));
  }

  /// Sends what waits, unless other acks are under way.
  void flush();

  /// Appends the events of a stream whose acks are to be confirmed.
  void list(uint32_t stream, std::vector<event_id>& into) const;

  /// Adds the streams with acks that are to be confirmed.
  void list_streams(std::set<uint32_t>& into) const;

  /// @returns how many acks are not confirmed yet.
  [[nodiscard]] size_t backlog() const noexcept {
    return waiting_.size() + sent_.size();
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

  void send();
  void confirmed(const resp::reply& reply);
  void failed(const failure& why);

  sink_context& ctx_;
  write_gate gate_;
  std::vector<pending_ack> waiting_;
  std::vector<pending_ack> sent_;
  std::vector<caf::response_promise> answers_;
  std::vector<caf::response_promise> answers_sent_;
  size_t acked_ = 0;
};

} // namespace pulse::internal
