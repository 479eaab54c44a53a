#pragma once

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/core/outcome.hpp"

#include <functional>
#include <type_traits>
#include <utility>

namespace pulse::internal {

/// Sends a batch on a connection, and calls `fn` with `outcome<reply_ptr>`: the
/// replies, or the failure of the whole batch. A connection always replies, so
/// the request needs no timeout.
/// @param redis A `connection_actor`.
template <class Self, class Connection, class F>
void run_on(Self self, const Connection& redis, command_ptr batch, F fn) {
  request(self, redis, atom::run_v, std::move(batch))
    .then([fn](reply_ptr& x) mutable { fn(outcome<reply_ptr>{std::move(x)}); },
          [fn](caf::error& why) mutable {
            fn(outcome<reply_ptr>{to_failure(why)});
          });
}

/// The same with one function for each case: `then` is called with the replies
/// as `resp::reply&`, `fail` with the failure of the whole batch.
template <class Self, class Connection, class Then, class Fail>
void run_on(Self self, const Connection& redis, command_ptr batch, Then then,
            Fail fail) {
  run_on(self, redis, std::move(batch),
         [then, fail](const outcome<reply_ptr>& reply) {
           if (reply)
             then(**reply);
           else
             fail(reply.error());
         });
}

namespace detail {

/// Calls `handler`, then `after`. It has the signature of `handler`, since CAF
/// derives the expected reply from the signature of a continuation.
template <class Handler, class Signature>
struct continuation;

template <class Handler, class Class, class... Ts>
struct continuation<Handler, void (Class::*)(Ts...) const> {
  Handler handler;
  const std::function<void()>* after;

  void operator()(Ts... xs) const {
    handler(std::forward<Ts>(xs)...);
    (*after)();
  }
};

} // namespace detail

/// Sends the requests of one actor. After each reply has been handled, it calls
/// one function of that actor. So the parts of an actor only note what a reply
/// changed, and the actor acts on all changes in one place.
template <class Self>
class requester {
public:
  /// @param self The actor; must outlive the requester.
  /// @param after Called after each reply or error was handled.
  requester(Self self, std::function<void()> after)
    : self_(self), after_(std::move(after)) {
    // nop
  }

  requester(const requester&) = delete;
  requester& operator=(const requester&) = delete;

  /// Sends a request. Its receiver always answers, or it is local and CAF
  /// answers for it when it terminates: so there is no timeout.
  /// @param then Called with the reply.
  /// @param fail Called with the `caf::error`.
  template <class Receiver, class Then, class Fail, class... Ts>
  void ask(const Receiver& to, Then then, Fail fail, Ts&&... message) {
    ask_within(to, caf::infinite, std::move(then), std::move(fail),
               std::forward<Ts>(message)...);
  }

  /// The same with a timeout.
  template <class Receiver, class Timeout, class Then, class Fail, class... Ts>
  void ask_within(const Receiver& to, Timeout timeout, Then then, Fail fail,
                  Ts&&... message) {
    request_within(self_, to, timeout, std::forward<Ts>(message)...)
      .then(wrap(std::move(then)), wrap(std::move(fail)));
  }

private:
  template <class Handler>
  auto wrap(Handler handler) const {
    using signature = decltype(&Handler::operator());
    return detail::continuation<Handler, signature>{std::move(handler),
                                                    &after_};
  }

  Self self_;
  std::function<void()> after_;
};

} // namespace pulse::internal
