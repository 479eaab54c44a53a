#pragma once

#include "pulse/core/event.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace pulse {

/// A function that tells whether an event is wanted. The actor of the reader or
/// sink calls it for each event, so it must be fast and must not block. It
/// should not throw: an event at which it throws is wanted, and the first
/// exception is logged.
///
/// Functions cannot be compared. So a copy of a predicate is equal to it, and
/// two predicates that were made separately are different, whatever they do.
class event_predicate {
public:
  using function = std::function<bool(const event&)>;

  /// No condition.
  event_predicate() noexcept = default;

  event_predicate(std::nullptr_t) noexcept {
    // nop
  }

  template <
    class F,
    class = std::enable_if_t<
      std::is_constructible_v<
        function, F> && !std::is_same_v<std::decay_t<F>, event_predicate>>>
  event_predicate(F fn) {
    if (function wrapped{std::move(fn)})
      function_ = std::make_shared<const function>(std::move(wrapped));
  }

  /// Stands for a predicate that was in a message from another process. Options
  /// with it are not valid.
  static event_predicate of_other_process();

  [[nodiscard]] bool is_of_other_process() const noexcept;

  explicit operator bool() const noexcept {
    return function_ != nullptr;
  }

  /// @pre There is a condition.
  bool operator()(const event& x) const {
    return (*function_)(x);
  }

  friend bool operator==(const event_predicate& a,
                         const event_predicate& b) noexcept {
    return a.function_ == b.function_;
  }

  friend bool operator!=(const event_predicate& a,
                         const event_predicate& b) noexcept {
    return !(a == b);
  }

private:
  std::shared_ptr<const function> function_;
};

/// Which events a reader or sink wants. The filter runs in the process of the
/// reader or sink; it changes neither the stream nor what other consumers get.
/// An event must fulfil all conditions that are set. No condition is set by
/// default: all events are wanted.
struct filter_options {
  /// The topic that events must have; empty: any topic.
  std::string topic;
  /// RE2 regular expression that must match the whole topic; empty: any topic.
  /// RE2 matches in linear time, so no pattern can block a consumer.
  std::string topic_pattern;
  /// A condition of your own. A root on another node refuses options with a
  /// predicate, because code cannot be sent. To open the same reader or sink
  /// again, use a copy of the predicate.
  event_predicate predicate;
};

/// The compiled form of `filter_options`. Copies share the compiled pattern.
/// Any thread may use a filter.
class event_filter {
public:
  /// A filter that wants all events.
  event_filter() = default;

  /// Compiles `options`.
  /// Error: `errc::invalid_pattern` with RE2's reason and the position of the
  /// wrong part; `errc::invalid_option` if both topic and topic_pattern are
  /// set, or if the predicate is one of another process.
  static outcome<event_filter> compile(const filter_options& options);

  [[nodiscard]] bool wants(const event& x) const;

  /// @returns true if no condition was given.
  [[nodiscard]] bool wants_everything() const noexcept;

private:
  [[nodiscard]] bool fulfils_predicate(const event& x) const;

  struct compiled_pattern;

  std::string topic_;
  std::shared_ptr<const compiled_pattern> pattern_;
  event_predicate predicate_;
  /// Whether an exception of the predicate was logged.
  mutable bool reported_ = false;
};

} // namespace pulse
