#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/core/backoff.hpp"
#include "pulse/resp/reply.hpp"

#include <caf/response_promise.hpp>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Keeps a consumer group on each stream of a sink. It creates the group, and
/// creates it again if it vanishes. Failed attempts are repeated with growing
/// pauses.
class sink_groups {
public:
  explicit sink_groups(sink_context& ctx)
    : ctx_(ctx), random_(ctx.env.new_engine()) {
    // nop
  }

  /// Answers all open requests with the error that the sink is closed.
  ~sink_groups();
  sink_groups(const sink_groups&) = delete;
  sink_groups& operator=(const sink_groups&) = delete;

  /// Adds a stream with which the sink was opened.
  void add_initial(const std::string& name, start_position start);

  /// Adds a stream, or does nothing if the sink has the stream already.
  /// @param promise Is answered when the group exists, or with the reason if
  /// the first attempt failed. After a failure, a stream that is new to the
  /// sink is dropped, so that it does not delay subscribers of the other
  /// streams.
  void add(const std::string& name, start_position start,
           caf::response_promise promise);

  /// Removes a stream.
  void drop(uint32_t index);

  /// @returns success if all streams are open, or the reason why one is not;
  /// nothing while the first attempt of a stream is under way.
  [[nodiscard]] std::optional<status> all_open() const;

  /// Call this when a command failed because a group is missing, or because a
  /// key is no stream any more. It checks all groups, and creates those that
  /// are missing.
  void check();

  /// @returns the streams whose group was found or created since the last call.
  /// The caller must audit each of them before the first read, because events
  /// that are trimmed after that audit count as lost. Then the caller must call
  /// opened().
  std::vector<uint32_t> take_created() {
    return std::exchange(created_, {});
  }

  /// Call this when the audit of a stream that take_created() returned has
  /// ended. Makes the stream open.
  void opened(uint32_t index);

  /// Repeats the attempts whose pause is over.
  void tick(sink_context::time_point now);

private:
  struct attempt {
    bool under_way = false;
    /// Whether the attempt waits until fewer others are under way.
    bool queued = false;
    bool failed = false;
    status last;
    sink_context::time_point due;
    reconnect_backoff pause{milliseconds{100}, milliseconds{1'500}};
    /// Whether add() added the stream and no attempt has succeeded yet.
    bool drop_if_failed = false;
    std::vector<caf::response_promise> waiting;
  };

  uint32_t insert(const std::string& name);
  void begin(uint32_t index, start_position start);

  void begin_attempt(uint32_t index);
  void go_on();
  void attempt_ended(uint32_t index);
  void open(uint32_t index);
  void create_first(uint32_t index);
  void on_created_first(uint32_t index, const resp::reply& reply);
  void report_again(uint32_t index, event_id after);
  void look(uint32_t index);
  void on_looked(uint32_t index, event_id last, resp::reply& reply);
  void create_again(uint32_t index, const group_history::restart& how,
                    const stream_state& found);
  void on_created_again(uint32_t index, group_history::restart how,
                        const resp::reply& reply);
  void recovered(uint32_t index, const group_history::restart& how);
  void failed(uint32_t index, failure why);
  [[nodiscard]] static std::string start_of(const sink_stream& x);
  [[nodiscard]] event_id floor_of(uint32_t index) const;

  sink_context& ctx_;
  std::vector<attempt> attempts_;
  std::vector<uint32_t> created_;
  std::deque<uint32_t> queue_;
  size_t under_way_ = 0;
  random_engine random_;
};

} // namespace pulse::internal
