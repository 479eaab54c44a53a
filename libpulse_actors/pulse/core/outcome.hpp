#pragma once

#include "pulse/core/errc.hpp"

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace pulse {

/// Why something failed: a code for programs, a text for people.
struct failure {
  errc code = errc::none;
  /// Names the thing (stream, sink, option), what is wrong and what to do.
  std::string what;
};

/// @returns code and text, e.g. "connection_lost: …", for logs and command
/// lines.
inline std::string to_string(const failure& x) {
  return to_string(x.code) + ": " + x.what;
}

/// A value, or the reason why there is none: the result type of the layers
/// below the actors.
template <class T>
class [[nodiscard]] outcome {
public:
  outcome(T value) : content_(std::move(value)) {
    // nop
  }

  outcome(failure why) : content_(std::move(why)) {
    assert(error().code != errc::none);
  }

  [[nodiscard]] bool ok() const noexcept {
    return content_.index() == 0;
  }

  explicit operator bool() const noexcept {
    return ok();
  }

  /// @pre `ok()`
  T& value() {
    return std::get<0>(content_);
  }
  const T& value() const {
    return std::get<0>(content_);
  }
  T& operator*() {
    return value();
  }
  const T& operator*() const {
    return value();
  }
  T* operator->() {
    return &value();
  }
  const T* operator->() const {
    return &value();
  }

  /// @pre `!ok()`
  failure& error() {
    return std::get<1>(content_);
  }
  const failure& error() const {
    return std::get<1>(content_);
  }

private:
  std::variant<T, failure> content_;
};

/// Success, or the reason of a failure: an `outcome` without a value. A
/// default-constructed status is a success.
class [[nodiscard]] status {
public:
  status() = default;

  status(failure why) : why_(std::move(why)) {
    // nop
  }

  [[nodiscard]] bool ok() const noexcept {
    return why_.code == errc::none;
  }

  explicit operator bool() const noexcept {
    return ok();
  }

  /// @pre `!ok()`
  [[nodiscard]] const failure& error() const {
    return why_;
  }

private:
  failure why_;
};

} // namespace pulse
