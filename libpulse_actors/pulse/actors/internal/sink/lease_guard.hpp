#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/outcome_writer.hpp"

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
    : ctx_(ctx),
      outcomes_(outcomes),
      random_(ctx.env.new_engine()),
      next_check_(ctx.now() + ctx.options.lease) {
    // nop
  }

  /// Checks whether the leases were renewed recently enough to dispatch events.
  /// If not, because this node was stopped or Redis is away, it asks Redis
  /// which events still belong to the sink, and returns false until Redis has
  /// answered.
  /// @returns whether events may be dispatched.
  bool check_leases();

  /// Looks for events that the sink does not know, if it is time to do so.
  void tick(time_point now);

private:
  [[nodiscard]] bool is_stale(const sink_stream& x) const;
  void verify(uint32_t stream);
  void on_verified(uint32_t stream, uint64_t before,
                   const std::vector<event_id>& ours);
  void note_unknown(uint32_t stream, const std::vector<event_id>& ours);

  sink_context& ctx_;
  const sink_outcome_writer& outcomes_;
  random_engine random_;
  // Streams whose lease was found stale. The keeper renews a lease before the
  // sink learns which events it lost, so the doubt lasts until then.
  std::set<uint32_t> in_doubt_;
  size_t verifying_ = 0;
  time_point verify_not_before_;
  time_point next_check_;
  // For each stream: pending events of this sink that the sink did not know at
  // the last check.
  std::map<uint32_t, std::set<event_id>> unknown_pending_;
};

} // namespace pulse::internal
