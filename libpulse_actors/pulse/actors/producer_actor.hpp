#pragma once

#include "pulse/actors/stream_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_actor.hpp>

#include <vector>

// Code that sends these messages must include type_ids.hpp as well; all.hpp and
// system.hpp include it.

namespace pulse {

/// Adds events to one stream, and lets those who give it events be ahead of
/// Redis by a window: by a number and a size of open adds. An actor that sends
/// its next add when the last one was answered never has more than one add that
/// waits for room, and feels the back-pressure without blocking.
///
/// Adds are stored in the order in which they entered the window; those of one
/// actor enter in the order in which the actor sent them. An event that fails
/// does not hold up the ones behind it.
using producer_actor = actor_interface<
  // Adds an event. The reply comes when the event has entered the window: at
  // once if there is room, and otherwise when there is room again. Redis stores
  // the event later, and a failure is reported to the listener, or kept for
  // flush_atom. So the errors of this request are only those of an event that
  // did not enter: `overloaded` (max_waiting adds wait already, none entered
  // within max_wait, or failed adds that nobody takes fill the window),
  // `closed`.
  caf::result<void>(caf::add_atom, new_event),
  // Sets the listener for events that could not be added. It gets them one at a
  // time, and until it has taken an event, that event counts as open. An error
  // of the listener means that it did not take the event, which is then kept
  // for flush_atom; if the listener terminates, the same happens to all. A
  // listener may add the event again, but must not wait for that before it
  // returns. Another listener replaces this one.
  caf::result<void>(caf::subscribe_atom, failure_listener),
  // Waits until all adds that came before this message are confirmed, or have
  // failed and were reported. Replies with those that failed and that no
  // listener took; they are not open any more. Error: `timed_out`, if that
  // takes longer than the given time; then nothing is taken. Let the producer
  // keep that time, and give the request itself no timeout: a reply that comes
  // after its request ended is lost, with the events in it.
  caf::result<std::vector<failed_add>>(caf::flush_atom, caf::timespan),
  // Replies with the counters.
  caf::result<producer_info>(atom::info),
  // Refuses new adds, waits for the open ones, at most `close_timeout`, and
  // terminates. Replies with the events that were not confirmed, and were not
  // taken by a listener, each with the reason. The stream stays open.
  caf::result<std::vector<failed_add>>(caf::close_atom)>;

/// Spawns a producer for actors; stream::producer() makes one for threads, and
/// its handle() is for actors, too. The actor runs until it gets `close_atom`
/// or an exit message, or until it has no open adds and nobody has its handle.
/// If the stream is closed, or is restarted by its root after a defect, all
/// adds fail with `closed`; a producer that stream::producer() made goes on
/// with the restarted one.
/// @pre `how` is valid, see validate().
[[nodiscard]] producer_actor spawn_producer(caf::actor_system& sys,
                                            const stream_actor& stream,
                                            const producer_options& how = {});

} // namespace pulse
