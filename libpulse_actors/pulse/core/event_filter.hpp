#pragma once

#include "pulse/core/event.hpp"

#include <functional>
#include <memory>
#include <string>

namespace pulse {

/// Decides in the process of the consumer whether an event is wanted. Must be
/// fast, must not block and must not throw.
using event_predicate = std::function<bool(const event&)>;

/// Which events a reader or sink wants. Applied in this process: the stream,
/// and what others see of it, stay untouched. All given conditions must hold;
/// none given: everything is wanted.
struct filter_options {
  /// Exactly this topic; empty: any.
  std::string topic;
  /// RE2 regular expression that must match the whole topic; empty: any.
  /// RE2 works in linear time, so no pattern can hang a consumer.
  std::string topic_pattern;
  /// Your own condition. Stays in this process: options that have one cannot
  /// be sent to another node.
  event_predicate predicate;
};

/// The compiled form of `filter_options`. Copies share the compiled pattern;
/// thread-safe.
class event_filter {
public:
  /// Wants everything.
  event_filter() = default;

  /// Error: `errc::invalid_pattern` with RE2's reason and the position of the
  /// offending part; `errc::invalid_option` if both topic and topic_pattern
  /// are set.
  static outcome<event_filter> compile(const filter_options& options);

  [[nodiscard]] bool wants(const event& x) const;

  /// @returns true if no condition was given.
  [[nodiscard]] bool wants_everything() const noexcept;

private:
  struct compiled_pattern;

  std::string topic_;
  std::shared_ptr<const compiled_pattern> pattern_;
  event_predicate predicate_;
};

} // namespace pulse
