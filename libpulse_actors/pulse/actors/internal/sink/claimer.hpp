#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/intake.hpp"
#include "pulse/core/delivery/claim_history.hpp"
#include "pulse/core/paced_round.hpp"
#include "pulse/core/repeated_lines.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulse::internal {

/// A round of claims of all streams.
struct sink_claim_round {
  /// How long Redis worked on it, at most.
  sink_context::time_point::duration busy{0};
  sink_context::time_point part_begun;
  /// The index of the next stream to claim.
  uint32_t next = 0;
  /// Whether a claim found as many events as it asked for.
  bool full = false;
  /// How many streams the part that is under way has, and how many events it
  /// has brought.
  size_t part = 0;
  size_t found = 0;
};

/// Claims events that nobody works on: those of dead nodes, which nobody
/// renewed for a whole lease; those that a node gave back; and those that
/// failed and are due for their next attempt. It also deletes the consumers of
/// dead nodes.
class sink_claimer {
public:
  using time_point = sink_context::time_point;
  using duration = time_point::duration;

  sink_claimer(sink_context& ctx, sink_intake& intake,
               sink_outcome_writer& outcomes)
    : ctx_(ctx),
      intake_(intake),
      outcomes_(outcomes),
      random_(ctx.env.new_engine()),
      next_claim_(ctx.now()),
      cleaning_(ctx.now()),
      removal_lines_("more times consumers of dead nodes were removed",
                     [&ctx](const auto& x) {
                       ctx.report(log_level::info, x);
                     }) {
    // nop
  }

  /// Claims events and deletes consumers if it is time to do so.
  void tick(time_point now);

  /// Claims events at once, because the sink has more room.
  void look_now() {
    next_claim_ = ctx_.now();
    claim_all(next_claim_);
  }

  /// @returns when the sink has to look next for events of dead nodes, if that
  /// is later than now.
  [[nodiscard]] time_point next_claim(time_point now) const;

  /// @returns when the next event that waits in Redis is due after now.
  [[nodiscard]] time_point next_due(time_point now) const;

private:
  /// What a claim takes: everything, or only the events that are due.
  enum class scope : uint8_t { all, due };

  [[nodiscard]] bool may_claim(time_point now) const;
  void claim_all(time_point now);
  void go_on();
  void end_round();
  void ended();
  void claim_due(time_point now);
  void claim(uint32_t stream, size_t most, scope what);
  // Returns how many events were claimed.
  size_t on_claimed(uint32_t stream, resp::reply& reply,
                    std::chrono::nanoseconds sent);
  outcome<size_t> read_claimed(uint32_t stream, resp::reply& reply);
  void report_trimmed(uint32_t stream,
                      const std::vector<resp::pending_entry>& facts,
                      const std::vector<event_extent>& claimed);
  void accept(uint32_t stream, const std::shared_ptr<event_block>& block,
              const std::vector<claim_history>& histories,
              const resp::pauses_by_id& pauses);
  void accept(uint32_t stream, const event& x, const claim_history& history);
  void clean_consumers(time_point now);
  void clean_consumers_of(const sink_stream& x);

  sink_context& ctx_;
  sink_intake& intake_;
  sink_outcome_writer& outcomes_;
  random_engine random_;
  time_point next_claim_;
  paced_round cleaning_;
  repeated_lines removal_lines_;
  size_t under_way_ = 0;
  std::optional<sink_claim_round> round_;
};

} // namespace pulse::internal
