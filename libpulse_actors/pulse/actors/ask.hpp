#pragma once

#include "pulse/actors/caf_version.hpp"

#include <caf/expected.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#if CAF_MAJOR_VERSION < 1
#  include <caf/duration.hpp>
#else
#  include <caf/timespan.hpp>
#endif

#include <chrono>
#include <type_traits>
#include <utility>

namespace pulse {

namespace detail {

#if CAF_MAJOR_VERSION < 1
using request_timeout = caf::duration;
#else
using request_timeout = caf::timespan;
#endif

template <class Handle, class... Ts>
auto request(caf::scoped_actor& self, request_timeout timeout, const Handle& to,
             Ts&&... xs) {
#if CAF_MAJOR_VERSION < 1
  return self->request(to, timeout, std::forward<Ts>(xs)...);
#else
  return self->mail(std::forward<Ts>(xs)...).request(to, timeout);
#endif
}

template <class Result, class Pending>
caf::expected<Result> receive(Pending pending) {
  caf::expected<Result> result{caf::error{}};
  auto fail = [&](caf::error& why) { result = std::move(why); };
  if constexpr (std::is_void_v<Result>)
    std::move(pending).receive([&] { result = caf::expected<void>{}; }, fail);
  else
    std::move(pending).receive([&](Result& x) { result = std::move(x); }, fail);
  return result;
}

} // namespace detail

/// Sends a request to an actor and blocks the calling thread until its reply
/// comes. All actors of the library reply within deadlines of their own, so
/// there is no timeout. Call this from threads outside of CAF only: in an actor
/// it would keep a thread of the scheduler.
/// @tparam Result What the actor replies; `void` for a reply without a value.
/// Error: that of the actor; to_failure() translates it.
template <class Result, class Handle, class... Ts>
[[nodiscard]] caf::expected<Result>
ask(caf::actor_system& sys, const Handle& to, Ts&&... xs) {
  caf::scoped_actor self{sys};
  return detail::receive<Result>(
    detail::request(self, caf::infinite, to, std::forward<Ts>(xs)...));
}

/// The same with a timeout.
/// Error: also `caf::sec::request_timeout`, which to_failure() translates to
/// `errc::timed_out`. The actor goes on with the request.
template <class Result, class Handle, class... Ts>
[[nodiscard]] caf::expected<Result>
ask_within(caf::actor_system& sys, std::chrono::milliseconds timeout,
           const Handle& to, Ts&&... xs) {
  caf::scoped_actor self{sys};
  return detail::receive<Result>(detail::request(
    self, detail::request_timeout{timeout}, to, std::forward<Ts>(xs)...));
}

} // namespace pulse
