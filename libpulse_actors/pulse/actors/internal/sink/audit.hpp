#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/groups.hpp"
#include "pulse/resp/reply.hpp"

#include <functional>
#include <vector>

namespace pulse::internal {

/// Looks now and then whether the streams of a sink still are what they were:
/// what was trimmed before the sink had it, whether older data were restored,
/// whether a group is gone though nobody reads. Also learns what other members
/// may hold, for the case that the group vanishes.
class sink_audit {
public:
  sink_audit(sink_context& ctx, sink_groups& groups)
    : ctx_(ctx), groups_(groups), random_(ctx.env.new_engine()) {
    // nop
  }

  /// Audits what is due.
  void tick(sink_context::time_point now);

  /// Audits a stream now, then calls `then` in any case.
  void ask(uint32_t index, const std::function<void()>& then);

private:
  struct record {
    bool under_way = false;
    bool failing = false;
    sink_context::time_point due;
    /// Entries removed so far; -1: not audited yet.
    int64_t removed = -1;
    event_id at;
  };

  struct answer {
    uint64_t lost = 0;
    bool exact = false;
    int64_t removed = 0;
    event_id at;
    event_id first;
    event_id last;
    std::optional<event_id> others;
  };

  static outcome<answer> read(resp::cursor at);
  void on_answer(uint32_t index, const answer& x);
  void failed(uint32_t index, const failure& why);

  sink_context& ctx_;
  sink_groups& groups_;
  std::vector<record> records_;
  random_engine random_;
};

} // namespace pulse::internal
