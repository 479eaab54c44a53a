#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/outcome_writer.hpp"
#include "pulse/core/paced_round.hpp"
#include "pulse/resp/reply.hpp"

#include <chrono>
#include <map>
#include <set>
#include <vector>

namespace pulse::internal {

/// Compares the events that a sink holds with the events that are pending for
/// the sink in Redis. If this node was stopped for long, other nodes may have
/// claimed some of its events. And events may be pending that the sink does not
/// know.
class sink_lease_guard {
public:
  using time_point = sink_context::time_point;

  sink_lease_guard(sink_context& ctx, const sink_outcome_writer& outcomes)
    : ctx_(ctx), outcomes_(outcomes), round_(ctx.now()) {
    // nop
  }

  /// Call this before events are dispatched. It holds the events of each stream
  /// whose lease was not renewed recently enough, because this node was stopped
  /// or Redis is away. Then it asks Redis which events still belong to the
  /// sink, and goes on with the stream when Redis has answered.
  void check_leases();

  /// Call this when Redis says that fewer events are pending for the sink than
  /// it holds. It finds out which ones are missing.
  void look_for_missing(uint32_t stream);

  /// Looks for events that the sink does not know, if it is time to do so, and
  /// shows other nodes that this one lives. Ends leases that are not needed any
  /// more.
  void tick(time_point now);

  /// Call this when a stream became open. Its consumer exists soon afterwards.
  void opened(uint32_t stream) {
    opened_.push_back(stream);
  }

private:
  /// The lease of a stream was found stale. The keeper renews a lease before
  /// the sink learns which events it lost, so the doubt lasts until then.
  struct doubt {
    bool asked = false;
    /// When to ask again after an error.
    time_point not_before;
  };

  void look_for_stale_leases(std::chrono::nanoseconds now);
  void resolve_doubts();
  [[nodiscard]] bool is_stale(const sink_stream& x) const;
  void end_leases(time_point now);
  std::vector<uint32_t> take_opened();
  void check_some(time_point now);
  void check_idle(const std::vector<uint32_t>& streams);
  void check_part(const std::vector<uint32_t>& part);
  void on_checked(const std::vector<uint32_t>& part, const resp::reply& reply);
  bool verify(uint32_t stream);
  void on_not_verified(uint32_t stream, const failure& why);
  void on_verified(uint32_t stream, uint64_t before,
                   std::vector<event_id> ours);
  void ask_counts(uint32_t stream, uint64_t before, std::vector<event_id> ours);
  void on_claimed_anew(uint32_t stream, uint64_t before,
                       std::vector<event_id> ours,
                       const outcome<std::vector<event_id>>& claimed);
  void settle(uint32_t stream, uint64_t before, bool in_time,
              const std::vector<event_id>& ours);
  void report_lost(uint32_t stream, bool in_time,
                   const delivery_ledger::lost_events& what);
  void note_unknown(uint32_t stream, const std::vector<event_id>& ours);

  sink_context& ctx_;
  const sink_outcome_writer& outcomes_;
  std::map<uint32_t, doubt> doubts_;
  // The streams for which it asks Redis which events still belong to the sink.
  std::set<uint32_t> verifying_;
  // Time since boot before which no lease can become stale.
  std::chrono::nanoseconds next_look_{0};
  // How many streams are being checked.
  size_t checking_ = 0;
  paced_round round_;
  // The streams that became open and were not checked yet.
  std::vector<uint32_t> opened_;
  // When to look next for leases that are not needed any more.
  time_point next_end_{};
  // For each stream: pending events of this sink that the sink did not know at
  // the last check.
  std::map<uint32_t, std::set<event_id>> unknown_pending_;
};

} // namespace pulse::internal
