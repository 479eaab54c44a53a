#pragma once

#include "pulse/actors/delivery.hpp"
#include "pulse/actors/messages.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace pulse::internal {

/// What waits between the source of an inbox, which is an actor, and the
/// threads that take events. The credit of the subscription bounds it.
class pull_queue {
public:
  using clock = std::chrono::steady_clock;

  /// @param fd An eventfd, which the queue owns.
  explicit pull_queue(int fd) : fd_(fd), last_asked_(clock::now()) {
    // nop
  }

  pull_queue(const pull_queue&) = delete;
  pull_queue& operator=(const pull_queue&) = delete;

  ~pull_queue();

  // -- for the source ---------------------------------------------------------

  void push(delivery x);

  /// There will be no further events. The first reason counts.
  /// @param drop_rest Whether to drop the deliveries that wait.
  /// @returns the dropped ones.
  std::vector<delivery> end(caf::error why, bool drop_rest);

  /// Drops the deliveries that wait.
  void drop();

  /// Drops the deliveries that wait, because nobody asks for them. The next
  /// thread that asks wakes the source.
  void sleep();

  /// Drops a delivery, if it waits.
  void drop(const delivery_id& which);

  /// @returns the deliveries that wait.
  [[nodiscard]] std::vector<delivery_id> waiting() const;

  /// @returns whether a thread asked for events within `time`.
  [[nodiscard]] bool is_used(clock::duration time) const;

  // -- for threads ------------------------------------------------------------

  /// See sink_inbox::get().
  caf::expected<std::vector<delivery>> get(size_t most, clock::duration limit);

  /// Call this before get().
  /// @returns whether the source sleeps. Then it does not any more: the caller
  /// starts a new one.
  bool wake();

  /// A new source could not be started.
  void sleep_on();

  /// The deliveries that wait are not given out any more.
  void close();

  [[nodiscard]] size_t available() const;

  [[nodiscard]] int fd() const noexcept {
    return fd_;
  }

private:
  std::vector<delivery> take(size_t most);
  std::vector<delivery> move_out(size_t most);
  /// Makes the descriptor readable or not. Call this with the mutex.
  void show(bool readable);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int fd_;
  bool readable_ = false;
  std::deque<delivery> waiting_;
  std::optional<caf::error> end_;
  bool is_closed_ = false;
  bool asleep_ = false;
  // How many threads wait in get().
  size_t askers_ = 0;
  clock::time_point last_asked_;
};

} // namespace pulse::internal
