#pragma once

#include "pulse/actors/internal/sink/ack_writer.hpp"
#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/count_writer.hpp"
#include "pulse/actors/internal/sink/dead_letter_writer.hpp"
#include "pulse/actors/internal/sink/delay_writer.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Writes the outcomes of events to Redis: acks, dead letters, pauses before
/// the next attempt, and delivery counts. Each kind has a writer of its own, so
/// that one that Redis refuses does not hold up the others. All commands may be
/// executed twice without harm.
class sink_outcome_writer {
public:
  explicit sink_outcome_writer(sink_context& ctx)
    : ctx_(ctx),
      acks_(ctx),
      dead_letters_(ctx, acks_),
      delays_(ctx),
      counts_(ctx),
      loss_lines_("more events were lost", [&ctx](const auto& x) {
        ctx.report(log_level::warning, x);
      }) {
    // nop
  }

  /// Takes over the outcomes that the ledger has decided.
  void take_actions();

  /// Acknowledges an event that is not in the ledger, because it was filtered
  /// out or deleted from the stream.
  void ack(uint32_t stream, event_id id) {
    acks_.add(stream, id, {}, false);
  }

  /// Makes an event that is not in the ledger a dead letter.
  void make_dead_letter(uint32_t stream, event_id id, delivery_counts counts,
                        std::string reason);

  /// Gives an event back that is not in the ledger.
  void give_back(uint32_t stream, event_id id, delivery_counts counts,
                 std::optional<sink_context::time_point> due);

  /// @returns the events of a stream whose acks and dead letters are still to
  /// be confirmed, sorted.
  [[nodiscard]] std::vector<event_id> unconfirmed(uint32_t stream) const {
    std::vector<event_id> result;
    acks_.list(stream, result);
    dead_letters_.list(stream, result);
    std::sort(result.begin(), result.end());
    return result;
  }

  /// Adds the streams with acks and dead letters that are still to be
  /// confirmed.
  void list_streams(std::set<uint32_t>& into) const {
    acks_.list_streams(into);
    dead_letters_.list_streams(into);
  }

  /// Takes over the outcomes that the ledger has decided.
  /// @param answer Is delivered when all these acks of the streams are
  /// confirmed, or when the first attempt to send them failed.
  void answer_after_acks(std::vector<uint32_t> streams,
                         caf::response_promise answer) {
    take_actions();
    acks_.answer_when_confirmed(std::move(streams), std::move(answer));
  }

  /// Sends the waiting outcomes. Acks wait while other acks are under way.
  void flush() {
    acks_.flush();
    dead_letters_.flush();
    delays_.flush();
    counts_.flush();
    loss_lines_.tick(ctx_.now());
  }

  /// @returns how many events were acknowledged since the last call, without
  /// those that no subscriber got.
  size_t take_acked() noexcept {
    return acks_.take_acked();
  }

  /// @returns how many outcomes are decided and not confirmed yet.
  [[nodiscard]] size_t backlog() const noexcept {
    return acks_.backlog() + dead_letters_.backlog() + delays_.backlog();
  }

private:
  void pass_on(delivery_ledger::action&& x);
  void drop_without_acks(const delivery_ledger::action& x);

  sink_context& ctx_;
  sink_ack_writer acks_;
  sink_dead_letter_writer dead_letters_;
  sink_delay_writer delays_;
  sink_count_writer counts_;
  repeated_lines loss_lines_;
  // Empty; its memory serves the next actions.
  std::vector<delivery_ledger::action> actions_;
};

} // namespace pulse::internal
