#pragma once

#include "pulse/actors/producer_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

// Adds events from threads without waiting for each answer. For actors see
// producer_actor.hpp.

namespace pulse {

class stream;

namespace internal {
class add_queue;
struct produced_stream;
} // namespace internal

/// Is called with each event that a producer could not add, one at a time, on a
/// thread of its own. So it may block: it may store the event elsewhere, or
/// pause before it adds the event again. While it has an event, that event
/// counts as open, so that add() blocks in the end if failures are not dealt
/// with. An exception means that it did not take the event, which is then kept
/// for flush().
using failure_handler = std::function<void(failed_add)>;

/// Adds events to a stream: stream::producer() makes it. add() does not wait
/// for Redis, and blocks only while the window of open adds is full.
///
///     auto out = orders->producer();
///     for (auto& x : rows)
///       if (auto ok = out->add("order_placed", x); !ok)
///         …; // the window was full for max_wait, or the stream was closed
///     auto failed = out->flush(10s); // waits; what failed comes back
///
/// The events of one thread are stored in the order in which the thread added
/// them, except those that were under way when a connection was lost: each of
/// these is stored once, but they may change places. An event that fails does
/// not hold up the ones behind it.
///
/// Every event that add() accepted is either confirmed by Redis, or given back:
/// to the failure handler, or if there is none (or if it throws), by flush(),
/// take_failed() or close(). Failed events that nobody takes stay open, and
/// when they fill the window, add() fails with their error in its text.
/// Payloads are moved, and not copied on their way to the connection; an event
/// stays in memory until it is confirmed.
///
/// Any thread may call the functions, several at a time. No actor may call
/// those that wait: use handle() there. The object must not outlive its actor
/// system.
class producer {
public:
  producer(producer&&) noexcept;
  /// Closes this producer first, as the destructor does.
  producer& operator=(producer&&) noexcept;
  /// Closes the producer: waits at most `close_timeout`. The number of events
  /// that were given up is logged, with the first reason. Call close() to get
  /// them.
  ~producer();

  /// Adds an event, and waits at most `max_wait` for room in the window.
  /// Redis stores the event later. The event is lost if this fails; the next
  /// overload keeps it. In the failure handler this does not wait: the event
  /// takes the place of the one that failed.
  /// @param dedup_id See new_event.
  /// Errors: `overloaded` (there was no room), `closed`.
  [[nodiscard]] caf::expected<void> add(std::string name, std::string payload,
                                        std::string topic = {},
                                        std::string dedup_id = {});
  /// The same. Moves from `x` if the result is a success, and leaves `x`
  /// unchanged otherwise.
  [[nodiscard]] caf::expected<void> add(new_event& x);
  /// The same, waiting at most `timeout`.
  [[nodiscard]] caf::expected<void> add_within(milliseconds timeout,
                                               new_event& x);
  /// The same without waiting.
  [[nodiscard]] caf::expected<void> try_add(new_event& x);
  /// The same as add(), and the future gets the ID of the event when Redis has
  /// stored it, or the error. An event that failed is given back as well,
  /// unless it was not accepted.
  [[nodiscard]] std::future<caf::expected<event_id>> add_future(new_event x);

  /// Waits until all events that were added before are confirmed, or have
  /// failed and were reported.
  /// @returns the events that failed and that no failure handler took; empty if
  /// all went well. Error: `timed_out`; then no event is taken.
  [[nodiscard]] caf::expected<std::vector<failed_add>>
  flush(milliseconds timeout);

  /// @returns the events that failed so far, as flush() does, without waiting.
  [[nodiscard]] std::vector<failed_add> take_failed();

  /// Refuses new adds, waits at most `timeout` for the open ones, and ends the
  /// producer. The stream stays open. A second close returns nothing.
  /// @returns all events that are not confirmed, each with the reason:
  /// `timed_out` if Redis has not answered yet, so that the event may be
  /// stored; `closed` if the event was not sent.
  [[nodiscard]] std::vector<failed_add> close(milliseconds timeout);

  [[nodiscard]] producer_info info() const;

  /// @returns the actor, for use by actors. They share the window.
  [[nodiscard]] const producer_actor& handle() const noexcept {
    return handle_;
  }

private:
  friend class stream;

  producer(caf::actor_system& sys, internal::produced_stream stream,
           const producer_options& how, failure_handler on_failure);

  void end();

  producer_options how_;
  std::shared_ptr<internal::add_queue> queue_;
  // Calls the failure handler; may be null.
  failure_listener listener_;
  producer_actor handle_;
};

} // namespace pulse
