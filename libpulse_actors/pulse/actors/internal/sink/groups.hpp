#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/core/backoff.hpp"
#include "pulse/resp/reply.hpp"

#include <caf/response_promise.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Sees to it that each stream of a sink has its consumer group: creates it,
/// creates it again when it vanished, and keeps trying with growing pauses.
class sink_groups {
public:
  explicit sink_groups(sink_context& ctx)
    : ctx_(ctx), random_(ctx.env.new_engine()) {
    // nop
  }

  /// Answers all that still wait with the error that the sink is closed.
  ~sink_groups();
  sink_groups(const sink_groups&) = delete;
  sink_groups& operator=(const sink_groups&) = delete;

  /// Adds a stream with which the sink was opened.
  void add_initial(const std::string& name, start_position start);

  /// Adds a stream, or does nothing if the sink has it. `promise` is answered
  /// when the group exists, or with why the first attempt failed: a stream that
  /// is new to the sink is then dropped, so that it does not stop the others.
  void add(const std::string& name, start_position start,
           caf::response_promise promise);

  /// Forgets a stream whose group never came about.
  void drop(uint32_t index);

  /// @returns whether all streams are open, or why one is not; nothing while
  /// an attempt is to tell.
  [[nodiscard]] std::optional<status> all_open() const;

  /// A read failed for want of a group, or a stream turned into something
  /// else: finds out which, and repairs it.
  void check();

  /// @returns the streams whose group was found or created since the last call.
  /// Each has to be audited before the first read, since events that are
  /// trimmed from then on count as lost; then opened() is to be called.
  std::vector<uint32_t> take_created() {
    return std::exchange(created_, {});
  }

  /// The audit of a stream that take_created() returned has ended.
  void opened(uint32_t index);

  /// Retries what is due.
  void tick(sink_context::time_point now);

private:
  struct attempt {
    bool under_way = false;
    bool failed = false;
    status last;
    sink_context::time_point due;
    reconnect_backoff pause{milliseconds{100}, milliseconds{1'500}};
    /// Whether add() brought the stream, and no attempt has succeeded yet.
    bool drop_if_failed = false;
    std::vector<caf::response_promise> waiting;
  };

  uint32_t insert(const std::string& name);
  void begin(uint32_t index, start_position start);
  void keep_lease(sink_stream& x);

  void open(uint32_t index);
  void on_reply(uint32_t index, event_id floor, const resp::reply& reply);
  void recovered(uint32_t index, event_id floor, bool anew);
  void failed(uint32_t index, failure why);
  void note_position(uint32_t index, resp::cursor& at);
  void rewind(uint32_t index);
  [[nodiscard]] std::string start_of(const sink_stream& x, event_id floor);
  [[nodiscard]] event_id floor_of(uint32_t index) const;

  sink_context& ctx_;
  std::vector<attempt> attempts_;
  std::vector<uint32_t> created_;
  random_engine random_;
};

} // namespace pulse::internal
