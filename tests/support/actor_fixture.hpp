#pragma once

// dsl.hpp of CAF 0.17.6 uses FAIL without defining it. Include this header
// last: it defines macros such as expect.
#define FAIL(msg) CAF_FAIL(msg)

#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include <caf/test/dsl.hpp>

namespace pulse::test {

/// Sends a message that is no request in the name of `from`.
template <class Handle, class... Ts>
void send_from(caf::scoped_actor& from, const Handle& to, Ts... message) {
  const auto receiver = caf::actor_cast<caf::actor>(to);
#if CAF_MAJOR_VERSION < 1
  from->send(receiver, std::move(message)...);
#else
  from->mail(std::move(message)...).send(receiver);
#endif
}

/// @returns whether a message waits in the mailbox.
inline bool has_mail(caf::scoped_actor& who) {
#if CAF_MAJOR_VERSION < 1
  return !who->mailbox().empty();
#else
  return who->mailbox().size() > 0;
#endif
}

/// Runs actors one message at a time, in virtual time.
struct actor_fixture : test_coordinator_fixture<pulse::config> {
  /// The result of a request.
  template <class T>
  struct answer {
    bool arrived = false;
    T value{};
    caf::error error;

    [[nodiscard]] bool ok() const {
      return arrived && !error;
    }

    /// "connection_lost: …", or "none", or "no answer".
    [[nodiscard]] std::string why() const {
      return !arrived ? "no answer" : error ? describe(error) : "none";
    }
  };

  /// Sends a request and keeps its reply. Call consume_messages() to let the
  /// actors run.
  template <class T, class Handle, class... Ts>
  std::shared_ptr<answer<T>> ask(const Handle& hdl, Ts... xs) {
    auto result = std::make_shared<answer<T>>();
    sys.spawn([=](caf::event_based_actor* asker) {
      asker->request(hdl, caf::infinite, xs...)
        .then(
          [=](T& x) {
            result->arrived = true;
            result->value = std::move(x);
          },
          [=](caf::error& x) {
            result->arrived = true;
            result->error = std::move(x);
          });
    });
    return result;
  }

  /// @returns what another node gets that is sent `x`.
  template <class T>
  T sent_over_network(T x) {
    T result;
#if CAF_MAJOR_VERSION < 1
    std::vector<char> bytes;
    caf::binary_serializer out{sys, bytes};
    CAF_CHECK(!out(x));
    caf::binary_deserializer in{sys, bytes};
    CAF_CHECK(!in(result));
#else
    caf::byte_buffer bytes;
    caf::binary_serializer out{sys, bytes};
    CAF_CHECK(out.apply(x));
    caf::binary_deserializer in{sys, bytes};
    CAF_CHECK(in.apply(result));
#endif
    return result;
  }

  /// The same as ask() for requests whose reply is empty.
  template <class Handle, class... Ts>
  std::shared_ptr<answer<caf::unit_t>> ask_void(const Handle& hdl, Ts... xs) {
    auto result = std::make_shared<answer<caf::unit_t>>();
    sys.spawn([=](caf::event_based_actor* asker) {
      asker->request(hdl, caf::infinite, xs...)
        .then([=] { result->arrived = true; },
              [=](caf::error& x) {
                result->arrived = true;
                result->error = std::move(x);
              });
    });
    return result;
  }
};

} // namespace pulse::test
