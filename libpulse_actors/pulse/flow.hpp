#pragma once

#include "pulse/actors/caf_version.hpp"

#if CAF_MAJOR_VERSION < 1

#  error "pulse/flow.hpp needs CAF 1.x, since CAF 0.17.6 has no flows: build \
pulse_actors with CAF 1.1.0 (see README.md), or subscribe an actor instead."

#else

#  include "pulse/actors/delivery.hpp"
#  include "pulse/actors/errors.hpp"
#  include "pulse/actors/reader_actor.hpp"
#  include "pulse/actors/sink_actor.hpp"
#  include "pulse/actors/type_ids.hpp"

#  include <caf/cow_vector.hpp>
#  include <caf/scheduled_actor/flow.hpp>

#  include <cstdint>
#  include <exception>
#  include <string>
#  include <type_traits>
#  include <utility>
#  include <vector>

// The events of a reader or a sink as a flow of CAF 1.x. This header is not
// part of all.hpp. docs/caf-1.x.md has an example.

namespace pulse {

/// The events of a sink as a flow of `self`. Call this in `self`.
///
/// The flow is one subscriber of the sink: it holds at most `credit` deliveries
/// that have no outcome yet, in its operators, in threads of yours and in its
/// buffer together. So a flow that completes nothing gets no more events. The
/// sink reckons with the flow as with any worker: a delivery without an outcome
/// for `ack_wait` is late.
///
/// - The subscription begins when the observable gets its observer. It can have
///   one only; `share()` makes several of it. A second one gets the error
///   `already_open`.
/// - If the observer cancels, or `self` ends without an error, the flow leaves
///   the sink. The deliveries that it drops have failed. Those that a thread
///   still holds can be completed.
/// - If `self` ends with an error, that is the crash of a worker: the events
///   that the flow holds go to other subscribers at once, and the oldest is
///   blamed (`sink_options::max_crashes`).
/// - If the sink closes, the flow completes. It fails if the sink dies, or if
///   the sink refuses the subscription. Errors: those of the subscribe message
///   in sink_actor.hpp; `closed` if the sink was closed before.
///
/// Each `ack_mode` works: with `manual` the flow sends the ack and nack
/// messages itself; with `none` the sink ignores the outcomes.
/// @param credit 0: the default of the sink, `sink_options::credit`. A flow
/// that collects batches needs at least the size of a batch.
[[nodiscard]] caf::flow::observable<delivery>
observe(caf::scheduled_actor* self, const sink_actor& from,
        uint32_t credit = 0);

/// The events of a reader as a flow of `self`, in stream order. Call this in
/// `self`. As for sinks, except that events have no outcomes: an event is done
/// when the first operator has taken it. Many operators of CAF take up to 128
/// items (`caf::defaults::flow::buffer_size`) ahead of what comes after them;
/// the flow holds these and at most `credit` more. When the flow ends early,
/// the events that it holds are not delivered again.
/// @param credit 0: the default of the reader, 256.
[[nodiscard]] caf::flow::observable<event> observe(caf::scheduled_actor* self,
                                                   const reader_actor& from,
                                                   uint32_t credit = 0);

namespace internal {

/// @returns the error of a handler: what it returned or threw; empty if it
/// succeeded.
template <class F, class T>
caf::error error_of_handler(F& f, const T& x) {
  try {
    if constexpr (std::is_convertible_v<std::invoke_result_t<F&, const T&>,
                                        caf::error>) {
      return f(x);
    } else {
      static_assert(std::is_void_v<std::invoke_result_t<F&, const T&>>,
                    "the handler must return nothing or a caf::error");
      f(x);
      return {};
    }
  } catch (const std::exception& what) {
    return make_error({errc::handler_failed, what.what()});
  } catch (...) {
    return make_error({errc::handler_failed,
                       "the handler threw something that is no exception"});
  }
}

inline void complete(const delivery& x, const caf::error& why) {
  if (why)
    x.fail(why);
  else
    x.ack();
}

} // namespace internal

/// Makes a function for `for_each` that calls `f` with each event, as a
/// worker's handler is called: returning acknowledges the event. If `f` throws,
/// the event has failed, with the text of the exception; the flow goes on.
/// @param f Takes a `const event&`. May return a `caf::error`: an error fails
/// the event, `pulse::term("…")` makes it a dead letter.
template <class F>
[[nodiscard]] auto ack_each(F f) {
  return [f = std::move(f)](const delivery& x) mutable {
    internal::complete(x, internal::error_of_handler(f, *x));
  };
}

/// The same for batches: after `.buffer(100, 50ms)`. The outcome of `f` is that
/// of all deliveries of the batch, except of those that `f` completed itself.
/// @param f Takes a `const std::vector<delivery>&`, which is never empty.
template <class F>
[[nodiscard]] auto ack_batch(F f) {
  return [f = std::move(f)](const caf::cow_vector<delivery>& xs) mutable {
    if (xs.empty())
      return; // the time of the buffer was over, and nothing had come
    const auto why = internal::error_of_handler(f, xs.std());
    for (const auto& x : xs)
      internal::complete(x, why);
  };
}

} // namespace pulse

#endif
