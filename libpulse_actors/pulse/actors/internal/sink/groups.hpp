#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/core/backoff.hpp"
#include "pulse/resp/reply.hpp"

#include <functional>
#include <string>
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

  /// Tells who still waits that the sink is closed.
  ~sink_groups();
  sink_groups(const sink_groups&) = delete;
  sink_groups& operator=(const sink_groups&) = delete;

  using answer = std::function<void(const status&)>;

  /// Adds a stream, or does nothing if it is there; `then` hears when its
  /// group exists, or why the first attempt failed.
  void add(const std::string& name, start_position start, answer then);

  /// Forgets a stream whose group never came about.
  void drop(uint32_t index);

  /// `then` hears when all streams are open, or why one is not.
  void when_open(answer then);

  /// A read failed for want of a group, or a stream turned into something
  /// else: finds out which, and repairs it.
  void probe();

  /// Retries what is due.
  void tick(sink_context::time_point now);

private:
  struct attempt {
    bool under_way = false;
    bool failed = false;
    status last;
    sink_context::time_point due;
    reconnect_backoff pause{milliseconds{100}, milliseconds{1'500}};
    std::vector<answer> waiting;
  };

  void open(uint32_t index);
  void on_reply(uint32_t index, event_id floor, const resp::reply& reply);
  void recovered(uint32_t index, event_id floor, bool anew);
  void look(uint32_t index);
  void opened(uint32_t index);
  void failed(uint32_t index, failure why);
  void note_position(uint32_t index, resp::cursor& at);
  void rewind(uint32_t index);
  void tell_waiting();
  [[nodiscard]] std::string start_of(const sink_stream& x, event_id floor);
  [[nodiscard]] event_id floor_of(uint32_t index) const;

  sink_context& ctx_;
  std::vector<attempt> attempts_;
  std::vector<answer> waiting_for_all_;
  random_engine random_;
};

} // namespace pulse::internal
