#pragma once

#include "pulse/core/event.hpp"

#include <functional>
#include <memory>
#include <string>

namespace pulse {

/// Tells whether an event is wanted. The actor of the reader or sink calls it
/// for each event, so it must be fast, must not block and must not throw.
using event_predicate = std::function<bool(const event&)>;

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
  /// A condition of your own. Options with a predicate cannot be sent to
  /// another node.
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
  /// set.
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
