#pragma once

#include <caf/duration.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace pulse::internal {

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
    self_->request(to, caf::infinite, std::forward<Ts>(message)...)
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
