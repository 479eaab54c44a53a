#pragma once

#include "pulse/actors/caf_version.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/response_promise.hpp>
#include <caf/send.hpp>
#include <caf/timespan.hpp>

#if CAF_MAJOR_VERSION < 1
#  include <caf/duration.hpp>
#else
#  include <caf/anon_mail.hpp>
#  include <caf/dynamically_typed.hpp>
#  include <caf/event_based_mail.hpp>
#endif

#include <utility>

// How the actors of the library send messages. CAF 0.17.6 and CAF 1.x spell
// this differently.

namespace pulse::internal {

#if CAF_MAJOR_VERSION >= 1

// The brokers of CAF 1.x have no mail().
template <class Self, class... Ts>
auto mail_of(Self* self, Ts&&... message) {
  return caf::event_based_mail(caf::dynamically_typed{}, self,
                               std::forward<Ts>(message)...);
}

#endif

/// Sends a request that fails if no reply comes in time. Call then() of the
/// result at once.
template <class Self, class Handle, class Timeout, class... Ts>
auto request_within(Self* self, const Handle& to, Timeout timeout,
                    Ts&&... message) {
#if CAF_MAJOR_VERSION < 1
  return self->request(to, timeout, std::forward<Ts>(message)...);
#else
  return mail_of(self, std::forward<Ts>(message)...).request(to, timeout);
#endif
}

/// Sends a request without a timeout. Call then() of the result at once. The
/// receiver must reply always, or be local, because CAF then replies for it
/// when it terminates.
template <class Self, class Handle, class... Ts>
auto request(Self* self, const Handle& to, Ts&&... message) {
  return request_within(self, to, caf::infinite, std::forward<Ts>(message)...);
}

/// Sends a message that has no sender. So no reply can come back: in CAF an
/// error that comes as a reply to a message that was no request ends the actor
/// that sent the message.
template <class Handle, class... Ts>
void tell(const Handle& to, Ts&&... message) {
#if CAF_MAJOR_VERSION < 1
  caf::anon_send(to, std::forward<Ts>(message)...);
#else
  caf::anon_mail(std::forward<Ts>(message)...).send(to);
#endif
}

/// Sends a message to the actor itself after `delay`.
template <class Self, class... Ts>
void tell_later(Self self, caf::timespan delay, Ts&&... message) {
#if CAF_MAJOR_VERSION < 1
  self->delayed_send(self, delay, std::forward<Ts>(message)...);
#else
  mail_of(self, std::forward<Ts>(message)...)
    .delay(delay)
    .send(caf::actor_cast<caf::actor>(self));
#endif
}

/// Lets another actor reply to the current message.
template <class Self, class Handle, class... Ts>
auto pass_on(Self self, const Handle& to, Ts&&... message) {
#if CAF_MAJOR_VERSION < 1
  return self->delegate(to, std::forward<Ts>(message)...);
#else
  return mail_of(self, std::forward<Ts>(message)...).delegate(to);
#endif
}

/// @returns the promise of a reply to the current message; an empty promise,
/// which sends nothing, if the message is no request. So nobody gets a reply
/// that they did not ask for. CAF 0.17.6 sends nothing if a promise is dropped,
/// CAF 1.x an error.
template <class Self>
caf::response_promise new_promise(Self self) {
  auto result = self->make_response_promise();
  if (!result.async())
    return result;
#if CAF_MAJOR_VERSION >= 1
  result.deliver();
#endif
  return {};
}

/// @returns whether a request that failed with `why` may have failed because
/// its receiver died. The news of its death comes a moment later.
inline bool may_be_death(const caf::error& why) {
#if CAF_MAJOR_VERSION >= 1
  if (why == caf::sec::broken_promise)
    return true;
#endif
  return why == caf::sec::runtime_error
         || why == caf::sec::request_receiver_down;
}

/// @returns whether an actor that ended with `reason` died of a fault. It did
/// not if it quit, or if somebody stopped it.
inline bool is_fault(const caf::error& reason) {
  return reason && reason != caf::exit_reason::normal
         && reason != caf::exit_reason::user_shutdown;
}

} // namespace pulse::internal
