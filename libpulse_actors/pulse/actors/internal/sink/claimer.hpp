#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/intake.hpp"
#include "pulse/core/delivery/claim_history.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pulse::internal {

/// Claims the events of dead nodes, which nobody renewed for a whole lease, and
/// deletes the consumers of these nodes.
class sink_claimer {
public:
  using time_point = sink_context::time_point;

  sink_claimer(sink_context& ctx, sink_intake& intake,
               sink_outcome_writer& outcomes)
    : ctx_(ctx),
      intake_(intake),
      outcomes_(outcomes),
      random_(ctx.env.new_engine()),
      next_claim_(ctx.now()),
      next_cleaning_(ctx.now() + ctx.options.lease) {
    // nop
  }

  /// Claims events and deletes consumers if it is time to do so.
  void tick(time_point now);

private:
  void claim_stale(time_point now);
  void claim_stale(uint32_t stream, uint32_t most, time_point now);
  void claim_ended(time_point begun, bool full);
  // Returns how many events were claimed.
  size_t on_claimed(uint32_t stream, resp::reply& reply);
  outcome<size_t> read_claimed(uint32_t stream, resp::reply& reply);
  void report_trimmed(uint32_t stream,
                      const std::vector<resp::pending_entry>& facts,
                      const std::vector<event_extent>& claimed);
  void accept(uint32_t stream, const std::shared_ptr<event_block>& block,
              const std::vector<claim_history>& histories);
  void clean_consumers(time_point now);
  void clean_consumers_of(const sink_stream& x, milliseconds idle);

  sink_context& ctx_;
  sink_intake& intake_;
  sink_outcome_writer& outcomes_;
  random_engine random_;
  time_point next_claim_;
  time_point next_cleaning_;
  size_t under_way_ = 0;
};

} // namespace pulse::internal
