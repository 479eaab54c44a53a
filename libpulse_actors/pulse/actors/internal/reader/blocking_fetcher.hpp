#pragma once

#include "pulse/actors/internal/reader/context.hpp"
#include "pulse/core/reading/cursor_set.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <functional>
#include <string>

namespace pulse::internal {

/// Fetches a reader's new events: by blocking reads on a connection of its
/// own, one at a time.
class blocking_fetcher {
public:
  /// How a read ended.
  struct read_end {
    /// Events, none, or why it failed.
    outcome<resp::event_page> page;
    /// What it brought was thrown away: there may be events.
    bool interrupted = false;
  };

  using handler = std::function<void(read_end)>;
  using reply_handler = std::function<void(outcome<reply_ptr>)>;

  blocking_fetcher(reader_ptr self, reader_timers& timers,
                   std::function<connection_actor()> open, handler on_end);

  ~blocking_fetcher() {
    close();
  }

  /// Whether a read is under way.
  [[nodiscard]] bool busy() const noexcept {
    return busy_;
  }

  /// Starts a read of the active streams. After a failure the next read does
  /// not block: it waits in the connection for Redis, and must not be blocked
  /// beyond its deadline when Redis comes back.
  /// @pre `!busy() && streams.active() > 0 && count > 0`
  void fetch(const cursor_set& streams, uint32_t count);

  /// Runs other commands on the connection, in order with the reads.
  /// @pre `!busy()`
  void run(command_ptr batch, reply_handler then);

  /// Ends the read under way soon; what it brings is thrown away. Nothing
  /// happens if there is none.
  void interrupt();

  /// Gives up the connection, and a read with it.
  void close();

private:
  void connect();
  void unblock();
  void ended(outcome<reply_ptr> x);

  reader_ptr self_;
  reader_timers& timers_;
  std::function<connection_actor()> open_;
  handler on_end_;
  connection_actor redis_;
  bool busy_ = false;
  bool failed_ = false;
  bool interrupted_ = false;
  uint64_t unblock_timer_ = 0;
};

} // namespace pulse::internal
