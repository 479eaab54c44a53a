#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/resp/reply.hpp"

#include <utility>
#include <vector>

namespace pulse::internal {

/// Looks now and then whether the streams of a sink still are what they were:
/// what was trimmed before the sink had it, whether older data were restored,
/// whether a group is gone though nobody reads. Also learns what other members
/// may hold, for the case that the group vanishes.
class sink_audit {
public:
  explicit sink_audit(sink_context& ctx)
    : ctx_(ctx), random_(ctx.env.new_engine()) {
    // nop
  }

  /// Audits what is due.
  void tick(sink_context::time_point now);

  /// Audits a stream whose group was found or created. take_finished() then
  /// has the stream, whether the audit succeeded or failed.
  void begin(uint32_t index);

  /// @returns the streams whose audit was begun with begin() and ended since
  /// the last call.
  std::vector<uint32_t> take_finished() {
    return std::exchange(finished_, {});
  }

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

  void audit_stream(uint32_t index, bool requested);
  void ended(uint32_t index, bool requested);
  static outcome<answer> read(resp::cursor at);
  void on_answer(uint32_t index, const answer& x);
  void failed(uint32_t index, const failure& why);

  sink_context& ctx_;
  std::vector<record> records_;
  std::vector<uint32_t> finished_;
  random_engine random_;
};

} // namespace pulse::internal
