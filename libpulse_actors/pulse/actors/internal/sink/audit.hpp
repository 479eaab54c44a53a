#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/core/paced_round.hpp"
#include "pulse/resp/reply.hpp"

#include <utility>
#include <vector>

namespace pulse::internal {

/// Checks the streams of a sink periodically, and reports what group_history
/// finds: events that were trimmed before the sink read them, streams that were
/// deleted or restored from older data, and groups that somebody moved. It also
/// finds groups that vanished while no read was under way. It also asks which
/// events other members may hold: these must be read again if the group
/// vanishes.
class sink_audit {
public:
  explicit sink_audit(sink_context& ctx) : ctx_(ctx), round_(ctx.now()) {
    // nop
  }

  /// Audits the streams whose time has come.
  void tick(sink_context::time_point now);

  /// Audits a stream whose group was found or created. When the audit has
  /// ended, with success or not, take_finished() returns the stream.
  void begin(uint32_t index);

  /// @returns the streams whose audit was begun with begin() and ended since
  /// the last call.
  std::vector<uint32_t> take_finished() {
    return std::exchange(finished_, {});
  }

  /// @returns the streams, since the last call, of which fewer events are
  /// pending for this sink than it holds.
  std::vector<uint32_t> take_missing() {
    return std::exchange(missing_, {});
  }

private:
  /// @returns how often each stream is audited.
  [[nodiscard]] milliseconds period() const;

  struct record {
    bool under_way = false;
    bool failing = false;
    /// Whether it was reported that members have another dispatch mode.
    bool mixed = false;
  };

  /// What the audit script answers, see resp::audit_script().
  struct answer {
    group_state found;
    /// After which ID other members may hold events.
    std::optional<event_id> others;
    /// How many events are pending for this sink, and after which ID.
    uint64_t own = 0;
    std::optional<event_id> own_from;
    /// How many members have `dispatch = keyed`; 0 if this sink has it, too.
    uint64_t keyed = 0;
  };

  void audit_stream(uint32_t index, bool requested);
  void ended(uint32_t index, bool requested);
  static outcome<answer> read(resp::cursor at);
  void on_answer(uint32_t index, const answer& x,
                 const group_history::question& asked, uint64_t held);
  void report(uint32_t index, const group_history::finding& x);
  void report_keyed(uint32_t index, uint64_t members);
  void failed(uint32_t index, const failure& why);

  sink_context& ctx_;
  std::vector<record> records_;
  std::vector<uint32_t> finished_;
  std::vector<uint32_t> missing_;
  paced_round round_;
};

} // namespace pulse::internal
