#pragma once

#include "pulse/actors/errors.hpp"
#include "pulse/actors/sink_actor.hpp"

#include <caf/actor_system.hpp>

#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

// Handles the events of a sink with functions. For actors that subscribe
// themselves see sink_actor.hpp.

namespace pulse {

/// What sink::handle() starts.
struct handler_options {
  /// How many events are handled at the same time. Each worker has a thread of
  /// its own, so the function may block. 1 to 10 000.
  uint32_t workers = 1;
  /// How many events each worker holds, including the one that it works on; 0:
  /// the default of the sink. With long handlers 1 is best: what waits behind a
  /// long event could be handled by another node instead.
  uint32_t credit = 0;
};

/// What sink::handle_batches() starts.
struct batch_handler_options {
  /// How many batches are handled at the same time. See handler_options.
  uint32_t workers = 1;
  /// Maximum number of events in a batch, 1 to 100 000. `max_in_flight` of the
  /// sink limits what all workers hold together.
  uint32_t max_events = 100;
  /// How long a worker waits for more events when it has at least one; 0: a
  /// batch has the events that have arrived while the worker was busy.
  milliseconds max_wait{0};
};

/// Handles one event. An empty error acknowledges the event. Another error is a
/// failure, so that the event is delivered again after a pause; with term() the
/// event becomes a dead letter at once. An exception is a failure, too.
using event_handler = std::function<caf::error(const event&)>;

/// Handles a batch of events; see batch_outcome for the result. An exception is
/// a failure of the whole batch. An event that is delivered again comes alone,
/// as a batch of one, so that it cannot make other events fail again and again.
using batch_handler = std::function<batch_outcome(const event_batch&)>;

/// Runs the workers of one handler. A worker that dies is replaced. It ends
/// when the sink is closed.
using handler_actor = actor_interface<
  // Replies when all workers have subscribed. Errors: those of a subscription;
  // then the handler ends.
  caf::result<void>(caf::subscribe_atom),
  // Stops: the workers finish what they work on, and the sink gives the other
  // events to other subscribers. The reply comes when all workers have ended.
  caf::result<void>(caf::close_atom)>;

/// Starts to handle events of a sink. Several handlers and subscribers of a
/// sink share its events. It does not block; ask the result to subscribe to
/// learn when the workers have subscribed. If the sink refuses them, the reason
/// is logged, and whoever asks within a second gets it.
/// @param handler Is called on several threads at the same time, if there are
/// several workers.
/// @pre `how` is valid, see check().
handler_actor spawn_handler(caf::actor_system& sys, const sink_actor& sink,
                            event_handler handler, handler_options how = {});
handler_actor spawn_batch_handler(caf::actor_system& sys,
                                  const sink_actor& sink, batch_handler handler,
                                  batch_handler_options how = {});

/// Error: `errc::invalid_option`.
status check(const handler_options& x);
status check(const batch_handler_options& x);

namespace detail {

// Whether F is a kind of function that can be empty. A lambda is not, although
// one without captures converts to a pointer.
template <class F, class = void>
struct may_be_empty : std::is_pointer<F> {};

template <class F>
struct may_be_empty<
  F, std::void_t<decltype(std::declval<const F&>().operator bool())>>
  : std::true_type {};

template <class Result, class Input, class F>
std::function<Result(const Input&)> make_handler(F fun) {
  using result = std::invoke_result_t<F&, const Input&>;
  static_assert(
    std::is_void_v<
      result> || std::is_same_v<result, status> || std::is_convertible_v<result, Result>,
    "a handler returns void, caf::error or pulse::status; a "
    "handler of batches may also return pulse::batch_outcome");
  if constexpr (may_be_empty<F>::value)
    if (!fun)
      return {};
  return [fun = std::move(fun)](const Input& x) mutable -> Result {
    if constexpr (std::is_void_v<result>) {
      fun(x);
      return {};
    } else if constexpr (std::is_same_v<result, status>) {
      const auto done = fun(x);
      return done ? caf::error{} : make_error(done.error());
    } else {
      return fun(x);
    }
  };
}

} // namespace detail

/// Makes a handler of a function that returns nothing, a `caf::error` or a
/// `pulse::status`. The handler is empty if the function is.
template <class F>
event_handler as_handler(F fun) {
  return detail::make_handler<caf::error, event>(std::move(fun));
}

/// The same for batches. The function takes an `event_batch` or a
/// `std::vector<event>`, and may also return a `batch_outcome`.
template <class F>
batch_handler as_batch_handler(F fun) {
  return detail::make_handler<batch_outcome, event_batch>(std::move(fun));
}

} // namespace pulse
