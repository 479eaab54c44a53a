#pragma once

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/delivering/batch_ends.hpp"
#include "pulse/actors/type_ids.hpp"

#include <caf/response_promise.hpp>

#include <utility>
#include <vector>

namespace pulse::internal {

/// Tells a sink in manual mode how an event ended.
/// @param why Empty: the event is done.
/// @param delay Pause before the next delivery; 0: that of the `backoff` list.
template <class Self, class Sink>
void send_outcome(Self self, const Sink& sink, delivery_id what,
                  const caf::error& why, milliseconds delay = {}) {
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
    send(atom::nack_v, std::move(what), caf::timespan{delay});
}

/// Answers an event. A sink in manual mode gets a message instead.
/// @param why Empty: the event is done.
/// @param delay See send_outcome().
template <class Self, class Sink>
void settle(Self self, const Sink& sink, const event& what,
            caf::response_promise& answer, const caf::error& why,
            milliseconds delay = {}) {
  if (!answer.pending())
    send_outcome(self, sink, what.delivery(), why, delay);
  else if (why && delay.count() > 0)
    answer.deliver(batch_outcome{}.fail(0, why, delay));
  else if (why)
    answer.deliver(why);
  else
    answer.deliver(caf::unit);
}

/// The same for a batch.
template <class Self, class Sink>
void settle(Self self, const Sink& sink, const event_batch& what,
            caf::response_promise& answer, const batch_outcome& how) {
  if (answer.pending())
    return answer.deliver(how);
  const auto ends = ends_of(how, what.size());
  std::vector<delivery_id> done;
  for (size_t i = 0; i < what.size(); ++i)
    if (const auto* x = ends.own[i])
      send_outcome(self, sink, what[i].delivery(), x->why, x->delay);
    else if (ends.others)
      send_outcome(self, sink, what[i].delivery(), ends.others);
    else
      done.push_back(what[i].delivery());
  if (!done.empty())
    request(self, sink, atom::ack_v, std::move(done))
      .then([] {}, [](const caf::error&) {});
}

} // namespace pulse::internal
