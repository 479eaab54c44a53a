#pragma once

#include "pulse/actors/internal/reader/context.hpp"
#include "pulse/core/reading/cursor_set.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace pulse::internal {

/// Fetches the new events of a reader by blocking reads, one at a time, on a
/// connection of its own.
class blocking_fetcher {
public:
  /// How a read ended.
  struct read_end {
    /// The events of the read (maybe none), or the reason of its failure.
    outcome<resp::event_page> page;
    /// The result of the read was discarded, so there may be events.
    bool interrupted = false;
    /// See resp::reply.
    std::chrono::steady_clock::duration took{0};
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

  /// Starts a read of the active streams. The read after a failure does not
  /// block: the command waits in the connection until Redis is back, and
  /// blocking time would then exceed its deadline.
  /// @pre `!busy() && streams.active() > 0 && count > 0`
  void fetch(const cursor_set& streams, uint32_t count);

  /// Sends other commands on the same connection, in order with the reads.
  /// @pre `!busy()`
  void run(command_ptr batch, reply_handler then);

  /// Ends the read that is under way soon, and discards its result. Has no
  /// effect if there is none.
  void interrupt();

  /// Closes the connection, which ends a read that is under way.
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
  reader_timers::handle unblock_timer_;
};

} // namespace pulse::internal
