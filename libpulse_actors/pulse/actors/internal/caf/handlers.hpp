#pragma once

#include "pulse/actors/caf_version.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/core/log.hpp"

#include <caf/delegated.hpp>
#include <caf/scheduled_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

// What an actor of the library does when messages arrive.

namespace pulse::internal {

/// Errors that nobody got, because the messages that they answer were no
/// requests. The first error of an actor is logged, then the 2nd, 4th, 8th …,
/// so that a flood of bad messages is no flood of lines.
class unsent_errors {
public:
  explicit unsent_errors(std::string component)
    : component_(std::move(component)) {
    // nop
  }

  void add(const caf::error& why) {
    ++count_;
    if ((count_ & (count_ - 1)) != 0)
      return;
    log(log_level::warning, component_,
        describe(why)
          + "; this message was no request, so its sender got no "
            "error ("
          + std::to_string(count_)
          + " such messages so far). Send "
            "requests to get the errors");
  }

private:
  std::string component_;
  uint64_t count_ = 0;
};

/// @returns the error of a result, or an empty error.
template <class T>
caf::error error_of(const caf::result<T>& x) {
#if CAF_MAJOR_VERSION < 1
  return x.flag == caf::rt_error ? x.err : caf::error{};
#else
  const auto* why = std::get_if<caf::error>(&x.get_data());
  return why != nullptr ? *why : caf::error{};
#endif
}

template <class T>
struct reply_type {
  using type = caf::result<T>;
};

template <class T>
struct reply_type<caf::result<T>> {
  using type = caf::result<T>;
};

template <class T>
struct reply_type<caf::delegated<T>> {
  using type = caf::result<T>;
};

template <class Self, class Handler, class Signature>
struct polite_handler;

/// Calls a handler, and replies only if the message is a request. Has the
/// parameters of the handler, since CAF derives the message from them.
template <class Self, class Handler, class Class, class Out, class... In>
struct polite_handler<Self, Handler, Out (Class::*)(In...) const> {
  using result = typename reply_type<Out>::type;

  Self self;
  Handler handler;
  std::shared_ptr<unsent_errors> unsent;

  result operator()(In... xs) const {
    if (self->current_message_id().is_request())
      return handler(std::forward<In>(xs)...);
    const result reply{handler(std::forward<In>(xs)...)};
    if (auto why = error_of(reply))
      unsent->add(why);
    return new_promise(self);
  }
};

/// A handler without a result never replies with a value or an error.
template <class Self, class Handler, class Class, class... In>
struct polite_handler<Self, Handler, void (Class::*)(In...) const> : Handler {
  polite_handler(Self, Handler handler, const std::shared_ptr<unsent_errors>&)
    : Handler(std::move(handler)) {
    // nop
  }
};

template <class Self, class Handler>
auto polite(Self self, Handler handler,
            const std::shared_ptr<unsent_errors>& unsent) {
  using signature = decltype(&Handler::operator());
  return polite_handler<Self, Handler, signature>{self, std::move(handler),
                                                  unsent};
}

/// @returns the behavior of an actor that replies to requests, and to no other
/// messages: in CAF, an error that comes as a reply to a message that was no
/// request ends the actor that sent the message.
/// @param component Names the actor in the log.
template <class Behavior, class Self, class... Handlers>
Behavior
replies_to_requests(Self self, std::string component, Handlers... handlers) {
  auto unsent = std::make_shared<unsent_errors>(std::move(component));
  return {polite(self, std::move(handlers), unsent)...};
}

/// Calls `fn` when the actor is told to end, instead of ending it.
template <class Self, class F>
void on_exit_request(Self self, F fn) {
  CAF_PUSH_DEPRECATED_WARNING
  self->set_exit_handler(std::move(fn));
  CAF_POP_WARNINGS
}

/// Drops messages that the actor has no handler for, and says nothing.
template <class Self>
void ignore_unexpected(Self self) {
  CAF_PUSH_DEPRECATED_WARNING
  self->set_default_handler(caf::drop);
  CAF_POP_WARNINGS
}

} // namespace pulse::internal
