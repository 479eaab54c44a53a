#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/outcome_writer.hpp"
#include "pulse/actors/internal/sink/reader.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pulse::internal {

/// Ends the work of a sink on one stream that was removed, or on all streams
/// when the sink closes. Subscribers may finish the events that they work on.
/// All other events are given back to Redis for other nodes, and this counts
/// neither as a failure nor as a crash.
class sink_closing {
public:
  sink_closing(sink_context& ctx, sink_reader& reader,
               sink_outcome_writer& outcomes);

  /// Ends the leases, also if the sink terminates without closing.
  ~sink_closing();
  sink_closing(const sink_closing&) = delete;
  sink_closing& operator=(const sink_closing&) = delete;

  /// Begins to close the sink.
  /// @param answer Is delivered when the sink has closed.
  void begin(caf::response_promise answer);

  /// Takes the next step of closing, if that is possible now.
  void step();

  /// Ends the work on a stream that was removed.
  void leave(uint32_t stream);

  /// @returns whether the sink has given everything back and terminates.
  [[nodiscard]] bool finished() const noexcept {
    return finished_;
  }

  /// @returns whether the work on a removed stream has not ended yet.
  [[nodiscard]] bool leaving() const noexcept {
    return !leaving_.empty();
  }

  /// Takes the next step for each removed stream. This happens before events
  /// are dispatched, so that subscribers get no event of a removed stream that
  /// a read still brought.
  void step_leaving();

private:
  using released_entry = delivery_ledger::released_entry;

  struct departure {
    /// Number of the last read that may bring events of the stream.
    uint64_t last_read = 0;
    /// Whether the lease keeper was asked to end the lease.
    bool ends_lease = false;
  };

  void go_on_leaving(uint32_t stream);
  void release_all();
  void go_on_releasing();
  void part_done();
  void give_up_rest();
  void end_some_leases();
  void release_ended();
  [[nodiscard]] milliseconds shortest_time() const;
  [[nodiscard]] milliseconds time_left() const;
  /// Gives events back.
  /// @param kept The lease of the events; null: do not look for events that
  /// vanished because somebody deleted the consumer of this sink.
  void release(uint32_t stream, const char* scope,
               const std::vector<released_entry>& entries,
               const lease_ptr& kept = nullptr);
  void on_released(uint32_t stream, const char* scope,
                   const std::vector<released_entry>& entries,
                   const lease_ptr& kept, const resp::reply& reply);
  void end_membership(uint32_t stream);
  /// Ends the lease of a stream, then calls `then`, after `limit` at the
  /// latest. A renewal that Redis executes after the release would create the
  /// consumer again. When the lease keeper has answered, no renewal is under
  /// way.
  void end_lease(uint32_t stream, milliseconds limit,
                 std::function<void()> then);
  /// Notes that events of a stream, or only its consumer, stay where they are.
  void note_left_behind(uint32_t stream, bool has_events,
                        const std::string& why);
  void report_left_behind() const;
  void step_done();
  void finish();

  sink_context& ctx_;
  sink_reader& reader_;
  sink_outcome_writer& outcomes_;
  std::vector<caf::response_promise> answers_;
  sink_context::time_point drain_until_;
  sink_context::time_point read_until_;
  bool releasing_ = false;
  sink_context::time_point release_until_;
  // The streams that are not given back yet.
  std::deque<uint32_t> to_release_;
  // How many streams the next part has, and when the last part began.
  size_t part_size_;
  std::optional<sink_context::time_point> part_begun_;
  // The streams that are given back when all their leases have ended, and these
  // leases.
  std::map<uint32_t, lease_ptr> ending_;
  bool finished_ = false;
  // How many requests to end a lease or to release events are not answered yet.
  size_t steps_under_way_ = 0;
  // Streams that could not be given back.
  struct left_behind {
    size_t streams = 0;
    // One of them, and why.
    std::string stream;
    std::string why;
  };
  left_behind events_left_;
  left_behind consumers_left_;
  // The removed streams on which the work has not ended yet.
  std::map<uint32_t, departure> leaving_;
};

} // namespace pulse::internal
