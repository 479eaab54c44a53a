#pragma once

#include "pulse/resp/command_batch.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

namespace pulse::redis {

/// All times are of this clock; pure classes get them as arguments.
using time_point = std::chrono::steady_clock::time_point;

/// One batch on its way through a connection.
struct queued_batch {
  /// Names the batch to its owner.
  uint64_t token = 0;
  command_ptr commands;
  time_point deadline;
  /// Replies so far; null before the first.
  reply_ptr answer = nullptr;
  /// It went over the wire at least once, perhaps on an earlier connection.
  bool was_sent = false;
  /// SCRIPT LOAD goes ahead of it: its script was unknown.
  bool load_script = false;
  /// The reply to SCRIPT LOAD is still to come.
  bool loading = false;
};

/// Limits of what may be queued.
struct queue_limits {
  uint64_t commands = 0;
  uint64_t bytes = 0;
};

/// The batches of a connection in order: first those that were sent and wait
/// for replies, then those that wait to be sent.
class command_queue {
public:
  explicit command_queue(queue_limits limits) noexcept : limits_(limits) {
    // nop
  }

  /// @returns whether `x` may be added. An empty queue takes any batch.
  [[nodiscard]] bool has_room_for(const command_batch& x) const noexcept;

  /// Adds `x` to what waits.
  void push(queued_batch x);

  [[nodiscard]] bool empty() const noexcept {
    return sent_.empty() && waiting_.empty();
  }
  [[nodiscard]] size_t num_sent() const noexcept {
    return sent_.size();
  }
  [[nodiscard]] size_t num_waiting() const noexcept {
    return waiting_.size();
  }
  /// Commands in all batches.
  [[nodiscard]] uint64_t num_commands() const noexcept {
    return commands_;
  }

  /// The batch whose replies come next. @pre `num_sent() > 0`
  queued_batch& front() {
    return sent_.front();
  }

  /// Removes the batch whose replies came next. @pre `num_sent() > 0`
  queued_batch pop();

  /// Moves the first one that waits to what is sent. @pre `num_waiting() > 0`
  queued_batch& send_next();

  /// Puts the front back to be sent before all others that wait.
  /// @pre `num_sent() > 0`
  void send_again();

  /// No reply will come any more: puts repeatable batches whose deadline is
  /// not over back to be sent again, in order, and removes the others.
  /// @returns the others
  std::vector<queued_batch> lose_sent(time_point now);

  /// Removes and returns what waits and what its deadline is over for.
  std::vector<queued_batch> take_expired(time_point now);

  /// Removes and returns all.
  std::vector<queued_batch> take_all();

  /// @returns whether the deadline of one that was sent is over.
  [[nodiscard]] bool sent_expired(time_point now) const noexcept;

  /// @returns a time before which no deadline is over; `time_point::max()` if
  /// there is none. Cheap, but may be too early: after it passed,
  /// update_due() makes it exact.
  [[nodiscard]] time_point due() const noexcept {
    return empty() ? time_point::max() : due_;
  }
  void update_due();

private:
  void forget(const queued_batch& x) noexcept;

  queue_limits limits_;
  std::deque<queued_batch> sent_;
  std::deque<queued_batch> waiting_;
  uint64_t commands_ = 0;
  uint64_t bytes_ = 0;
  time_point due_ = time_point::max();
};

} // namespace pulse::redis
