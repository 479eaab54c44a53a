#pragma once

#include "pulse/actors/delivery.hpp"
#include "pulse/core/options.hpp"

#include <caf/expected.hpp>

#include <cstddef>
#include <memory>
#include <vector>

// Events for threads that fetch them when they have time, for instance a loop
// of your own with epoll. Where a function that is called will do,
// sink::handle() is simpler.

namespace pulse {

namespace internal {
class inbox_core;
} // namespace internal

/// What the inboxes of sinks and readers have in common. Any thread may call
/// these functions.
class basic_inbox {
public:
  /// @returns how many events wait in the inbox.
  [[nodiscard]] size_t available() const;

  /// @returns a file descriptor for poll() or epoll: it is readable as long as
  /// the poll() of the inbox would return events or an error. The inbox owns
  /// it; do not read it.
  [[nodiscard]] int fd() const noexcept;

  /// Ends the subscription. From then on get() and poll() return the error
  /// `closed`. What becomes of the events that wait: see sink_inbox and
  /// reader_inbox.
  void close();

protected:
  explicit basic_inbox(std::unique_ptr<internal::inbox_core> core) noexcept;
  basic_inbox(basic_inbox&&) noexcept;
  basic_inbox& operator=(basic_inbox&&) noexcept;
  /// Closes the inbox.
  ~basic_inbox();

  [[nodiscard]] internal::inbox_core& core() const noexcept {
    return *core_;
  }

private:
  std::unique_ptr<internal::inbox_core> core_;
};

/// The events of a sink for plain threads, see sink::inbox(). The inbox is one
/// subscriber of the sink:
///
///     auto inbox = billing->inbox({64});
///     for (;;) {
///       auto xs = inbox->get(64, 1s);
///       if (!xs)
///         return report(xs.error()); // the sink was closed
///       for (auto& x : *xs)
///         store(*x) ? x.ack() : x.fail(pulse::make_error(…));
///     }
///
/// The inbox holds at most `subscription::credit` events that wait in it, or
/// that were taken and have no outcome. How long an event waits in the inbox
/// counts for no `ack_wait`: after get() there are at least two thirds of it.
/// But if events wait and nobody asks for any during an `ack_wait`, the inbox
/// gives them back to other subscribers and nodes, which counts as no attempt.
/// The next get() or poll() subscribes again.
///
/// When the inbox is closed, the events that wait go to other subscribers and
/// nodes, which counts as no attempt: when those that were taken have an
/// outcome, after half of `ack_wait` at the latest.
///
/// If the sink dies of a defect, its root starts it again, and the inbox goes
/// on. Any thread may call these functions, but not an actor: get() blocks.
class sink_inbox : public basic_inbox {
public:
  /// For the library.
  explicit sink_inbox(std::unique_ptr<internal::inbox_core> core) noexcept;

  /// Takes up to `most` events. If there is none, waits until one comes, at
  /// most for `limit`.
  /// @returns the deliveries, in the order in which they came; none when the
  /// time is over. Errors: `invalid_option` (`most` is 0), `closed` (the inbox
  /// or the sink), those of a subscription if the inbox has to subscribe again.
  [[nodiscard]] caf::expected<std::vector<delivery>> get(size_t most,
                                                         milliseconds limit);

  /// Takes up to `most` events that are there. Errors: see get().
  [[nodiscard]] caf::expected<std::vector<delivery>> poll(size_t most);
};

/// The events of a reader for plain threads, see reader::inbox(). As
/// sink_inbox, but there is nothing to acknowledge, and nothing is given back:
/// events that nobody takes wait. The reader sends `credit` events more after
/// each `answer_wait` in which nobody took any. Closing drops the events that
/// wait.
class reader_inbox : public basic_inbox {
public:
  /// For the library.
  explicit reader_inbox(std::unique_ptr<internal::inbox_core> core) noexcept;

  /// See sink_inbox. Events that came before the reader was closed are
  /// returned, and then the error `closed`.
  [[nodiscard]] caf::expected<std::vector<event>> get(size_t most,
                                                      milliseconds limit);
  [[nodiscard]] caf::expected<std::vector<event>> poll(size_t most);
};

} // namespace pulse
