#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/outcome_writer.hpp"

#include <map>
#include <set>
#include <vector>

namespace pulse::internal {

/// Compares the events that a sink holds with those that Redis holds for it.
/// Other nodes may have claimed some, if this node was stopped for long; and
/// Redis may hold some that the sink does not know.
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

  /// @returns whether the leases are fresh enough to dispatch. If they are not,
  /// because this node was stopped or Redis is away, asks Redis which events
  /// are still ours.
  bool leases_hold();

  /// Looks for events that the sink does not know, when it is time.
  void tick(time_point now);

private:
  void verify(uint32_t stream);
  void on_verified(uint32_t stream, uint64_t before,
                   const std::vector<event_id>& ours);
  void note_unknown(uint32_t stream, const std::vector<event_id>& ours);

  sink_context& ctx_;
  const sink_outcome_writer& outcomes_;
  random_engine random_;
  size_t verifying_ = 0;
  time_point verify_not_before_;
  time_point next_check_;
  // By stream: own pending events that the sink did not know when it asked
  // last.
  std::map<uint32_t, std::set<event_id>> unknown_pending_;
};

} // namespace pulse::internal
