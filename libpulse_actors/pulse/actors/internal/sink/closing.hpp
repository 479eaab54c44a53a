#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/outcome_writer.hpp"
#include "pulse/actors/internal/sink/reader.hpp"

#include <functional>
#include <map>
#include <vector>

namespace pulse::internal {

/// How a sink lets go: of one stream, or of all and itself. What subscribers
/// work on they may finish; the rest goes back for other nodes, uncounted.
class sink_closing {
public:
  sink_closing(sink_context& ctx, sink_reader& reader,
               sink_outcome_writer& outcomes)
    : ctx_(ctx), reader_(reader), outcomes_(outcomes) {
    // nop
  }

  /// Stops keeping the leases, whatever the sink died of.
  ~sink_closing();
  sink_closing(const sink_closing&) = delete;
  sink_closing& operator=(const sink_closing&) = delete;

  /// Begins to close; `answer` is given when the sink is done.
  void begin(caf::response_promise answer);

  /// Goes on with closing if it can.
  void step();

  /// Lets go of a stream that was removed.
  void leave(uint32_t stream);

  /// @returns whether the sink has let go of everything and stops.
  [[nodiscard]] bool finished() const noexcept {
    return finished_;
  }

  [[nodiscard]] bool leaving() const noexcept {
    return !leaving_.empty();
  }

  void tick();

private:
  using released_entry = delivery_ledger::released_entry;

  struct departure {
    /// The read that may still bring events of the stream.
    uint64_t last_read = 0;
    bool ends_lease = false;
  };

  void go_on_leaving(uint32_t stream);
  void release_all();
  void release(uint32_t stream, const char* scope,
               const std::vector<released_entry>& entries);
  /// Stops the renewals of a stream, then calls `then`. A renewal that Redis
  /// runs after the release would create the consumer again. When the lease
  /// keeper answers, all its renewals are ahead in the connection's mailbox.
  void end_lease(uint32_t stream, std::function<void()> then);
  void step_done();
  void finish();

  sink_context& ctx_;
  sink_reader& reader_;
  sink_outcome_writer& outcomes_;
  std::vector<caf::response_promise> answers_;
  sink_context::time_point drain_until_;
  sink_context::time_point read_until_;
  bool releasing_ = false;
  bool finished_ = false;
  // Ends of leases and releases that are not answered yet.
  size_t steps_under_way_ = 0;
  // Streams being left.
  std::map<uint32_t, departure> leaving_;
};

} // namespace pulse::internal
