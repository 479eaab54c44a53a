#pragma once

#include "pulse/actors/caf_version.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/expected.hpp>
#include <caf/message.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>
#include <caf/typed_event_based_actor.hpp>

#if CAF_MAJOR_VERSION < 1
#  include <caf/duration.hpp>
#  include <caf/make_message.hpp>
#  include <caf/type_erased_tuple.hpp>
#else
#  include <caf/timespan.hpp>
#endif

#include <chrono>
#include <future>
#include <memory>
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

#if CAF_MAJOR_VERSION < 1
using reply_content = caf::type_erased_tuple;
#else
using reply_content = caf::message;
#endif

/// Where the result of a request goes. One of the functions is called once, on
/// the thread that replies.
class reply_slot {
public:
  virtual ~reply_slot() = default;
  virtual void set(const reply_content& reply) = 0;
  virtual void fail(caf::error why) = 0;
};

/// Sends a request. If the receiver ends, the slot gets an error.
void send_request(caf::actor_system& sys, const caf::strong_actor_ptr& to,
                  caf::message what, std::unique_ptr<reply_slot> slot);

template <class Result>
class promised_reply : public reply_slot {
public:
  std::future<caf::expected<Result>> get_future() {
    return promise_.get_future();
  }

  void set(const reply_content& reply) override {
    promise_.set_value(to_result(reply));
  }

  void fail(caf::error why) override {
    promise_.set_value(std::move(why));
  }

private:
  static caf::expected<Result> to_result(const reply_content& reply) {
    if (reply.template match_elements<caf::error>())
      return reply.template get_as<caf::error>(0);
    if constexpr (std::is_void_v<Result>) {
      if (reply.empty())
        return {};
    } else if (reply.template match_elements<Result>()) {
      return reply.template get_as<Result>(0);
    }
    return caf::make_error(caf::sec::unexpected_response);
  }

  std::promise<caf::expected<Result>> promise_;
};

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

/// A result that comes later. `get()` waits for it, `wait_for()` at most for
/// some time. Its destructor does not wait.
template <class Result>
using future = std::future<caf::expected<Result>>;

/// Sends a request and returns at once. Any thread may call this.
/// @tparam Result See ask().
/// @returns what will have the reply, or the error that ask() would return.
template <class Result, class Handle, class... Ts>
[[nodiscard]] future<Result>
ask_async(caf::actor_system& sys, const Handle& to, Ts&&... xs) {
  // The compiler checks that the actor handles this message.
  using checked
    = decltype(detail::request(std::declval<caf::scoped_actor&>(),
                               caf::infinite, to,
                               std::declval<std::decay_t<Ts>>()...));
  static_assert(!std::is_void_v<checked>);
  auto slot = std::make_unique<detail::promised_reply<Result>>();
  auto result = slot->get_future();
  detail::send_request(sys, caf::actor_cast<caf::strong_actor_ptr>(to),
                       caf::make_message(std::forward<Ts>(xs)...),
                       std::move(slot));
  return result;
}

} // namespace pulse
