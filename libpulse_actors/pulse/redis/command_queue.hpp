#pragma once

#include "pulse/resp/command_batch.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace pulse::redis {

/// All times of a connection are of this clock. Classes without I/O get the
/// time as an argument.
using time_point = std::chrono::steady_clock::time_point;

/// One batch on its way through a connection.
struct queued_batch {
  /// Identifies the batch for its owner.
  uint64_t token = 0;
  command_ptr commands;
  /// When its owner is told that there is no reply.
  time_point deadline;
  /// If the batch was sent and its reply is still missing at this time, the
  /// connection counts as lost. Not before `deadline`.
  time_point patience;
  /// When the first part of an incomplete reply arrived.
  std::optional<time_point> arriving_since = std::nullopt;
  /// The replies that have arrived; null before the first one.
  reply_ptr answer = nullptr;
  /// Whether the batch was sent at least once, perhaps on an earlier
  /// connection.
  bool was_sent = false;
  /// Whether SCRIPT LOAD is sent before the batch, because Redis did not know
  /// its script.
  bool load_script = false;
  /// Whether the reply to SCRIPT LOAD has not arrived yet.
  bool loading = false;
  /// Whether its owner was told that there is no reply. The batch only keeps
  /// the place of its replies, so that the replies after them are assigned to
  /// the right commands.
  bool given_up = false;
};

/// How much may be queued.
struct queue_limits {
  uint64_t commands = 0;
  uint64_t bytes = 0;
};

/// The batches of a connection in order: first the batches that were sent and
/// wait for replies, then the batches that wait to be sent.
class command_queue {
public:
  explicit command_queue(queue_limits limits) noexcept : limits_(limits) {
    // nop
  }

  /// @returns whether `x` may be added. An empty queue accepts any batch.
  [[nodiscard]] bool has_room_for(const command_batch& x) const noexcept;

  /// Number of bytes of all batches.
  [[nodiscard]] uint64_t num_bytes() const noexcept {
    return bytes_;
  }

  /// Adds a batch that waits to be sent.
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
  /// Number of commands in all batches.
  [[nodiscard]] uint64_t num_commands() const noexcept {
    return commands_;
  }

  /// @returns the batch that gets the next replies. @pre `num_sent() > 0`
  queued_batch& front() {
    return sent_.front();
  }

  /// Removes and returns the batch that got the last replies.
  /// @pre `num_sent() > 0`
  queued_batch pop();

  /// Marks the first waiting batch as sent. @returns that batch.
  /// @pre `num_waiting() > 0`
  queued_batch& send_next();

  /// Makes the front wait again, before all other waiting batches.
  /// @pre `num_sent() > 0`
  void send_again();

  /// Call this when the connection is lost, so that no more replies arrive. It
  /// makes the repeatable batches whose deadline is not over wait again, in
  /// order, and removes all other batches that were sent.
  /// @returns the removed batches
  std::vector<queued_batch> lose_sent(time_point now);

  /// Removes and returns the waiting batches whose deadline is over.
  std::vector<queued_batch> take_expired(time_point now);

  /// Removes and returns all batches.
  std::vector<queued_batch> take_all();

  /// Gives up the batches that were sent and whose deadline is over.
  /// @returns copies of those that were not given up before, in order.
  std::vector<queued_batch> give_up_late(time_point now);

  /// Call this when `bytes` arrived and the next reply is still incomplete. The
  /// deadline of its batch grows with them, so that a large reply may arrive
  /// slowly, and so do those of the other batches whose owners watch the
  /// progress. No reply can arrive before that one, so until then no other one
  /// makes the connection count as lost.
  /// @param timeout How long a batch without a timeout of its own may wait for
  /// the next bytes.
  /// @pre `num_sent() > 0`
  void arrived(time_point now, size_t bytes, time_point::duration timeout);

  /// Call this when the socket took `bytes`, and `unsent` bytes that belong to
  /// batches that were sent are still waiting for it. The deadlines of these
  /// batches grow, so that a large command may be sent slowly.
  /// @param timeout How long a batch without a timeout of its own may wait for
  /// the socket to take its next bytes.
  void taken(time_point now, size_t bytes, size_t unsent,
             time_point::duration timeout);

  /// @returns whether the reply to a batch that was sent has been missing for
  /// so long that the connection counts as lost, or whether nobody waits for
  /// replies any more because all batches that were sent will have been given
  /// up at `now`, one of them just now. Then a new connection harms nobody.
  [[nodiscard]] bool sent_lost(time_point now) const noexcept;

  /// @returns a time before which no deadline is over; `time_point::max()` if
  /// the queue is empty. The result is cheap, but may be earlier than the next
  /// deadline; after that time update_due() computes it anew.
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
  // Until then, replies are late because another one is arriving.
  time_point held_up_until_;
  // When the owners of the batches were told last that bytes arrive.
  time_point told_;
};

} // namespace pulse::redis
