#pragma once

#include "pulse/actors/internal/reader_context.hpp"
#include "pulse/core/cursor_set.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <functional>
#include <string>

namespace pulse::internal {

/// Fetches a reader's new events: by blocking reads on a connection of its
/// own, one at a time.
class blocking_fetcher {
public:
  /// Called when a read ends: with events, with none (nothing new, or
  /// interrupted), or with why it failed.
  using handler = std::function<void(outcome<resp::event_page>)>;

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

  /// Ends the read under way soon; what it brings is thrown away. Nothing
  /// happens if there is none.
  void interrupt();

  /// Gives up the connection, and a read with it.
  void close();

private:
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
