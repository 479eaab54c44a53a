#pragma once

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/type_ids.hpp"

#include <caf/response_promise.hpp>

#include <utility>

namespace pulse::internal {

/// Tells a sink in manual mode how an event ended.
/// @param why Empty: the event is done.
template <class Self, class Sink>
void send_outcome(Self self, const Sink& sink, delivery_id what,
                  const caf::error& why) {
  // An error means that the sink took the event back before: it comes again.
  auto send = [&](auto... message) {
    request(self, sink, std::move(message)...)
      .then([] {}, [](const caf::error&) {});
  };
  if (!why)
    send(atom::ack_v, std::move(what));
  else if (why == errc::rejected)
    send(atom::term_v, std::move(what), to_failure(why).what);
  else
    send(atom::nack_v, std::move(what), caf::timespan{0});
}

/// Answers an event. A sink in manual mode gets a message instead.
/// @param why Empty: the event is done.
template <class Self, class Sink>
void settle(Self self, const Sink& sink, const event& what,
            caf::response_promise& answer, const caf::error& why) {
  if (!answer.pending())
    send_outcome(self, sink, what.delivery(), why);
  else if (why)
    answer.deliver(why);
  else
    answer.deliver(caf::unit);
}

} // namespace pulse::internal
