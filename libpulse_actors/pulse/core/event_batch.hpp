#pragma once

#include "pulse/core/event.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace pulse {

/// Several events that a reader or a sink delivers in one message, in the order
/// in which the subscriber should handle them. It is cheap to copy: copies
/// share the events, and the events share the blocks with their payloads. It
/// never changes, so any thread may read it.
class event_batch {
public:
  using value_type = event;
  using size_type = size_t;
  using const_iterator = const event*;
  using iterator = const_iterator;

  /// A batch without events.
  event_batch() = default;

  explicit event_batch(std::vector<event> events)
    : events_(std::make_shared<const std::vector<event>>(std::move(events))) {
    // nop
  }

  [[nodiscard]] const_iterator begin() const noexcept {
    return events().data();
  }
  [[nodiscard]] const_iterator end() const noexcept {
    return begin() + size();
  }

  [[nodiscard]] size_t size() const noexcept {
    return events().size();
  }
  [[nodiscard]] bool empty() const noexcept {
    return size() == 0;
  }

  /// @pre `index < size()`
  const event& operator[](size_t index) const noexcept {
    return events()[index];
  }
  /// @pre `!empty()`
  [[nodiscard]] const event& front() const noexcept {
    return events().front();
  }
  [[nodiscard]] const event& back() const noexcept {
    return events().back();
  }

  /// @returns the events as a vector, without copying them.
  [[nodiscard]] const std::vector<event>& events() const noexcept {
    static const std::vector<event> none;
    return events_ ? *events_ : none;
  }
  /// The same, so that a function for a vector takes a batch.
  operator const std::vector<event>&() const noexcept {
    return events();
  }

  /// @returns what identifies these deliveries in ack and extend messages to a
  /// sink.
  [[nodiscard]] std::vector<delivery_id> deliveries() const {
    std::vector<delivery_id> result;
    result.reserve(size());
    for (const auto& x : *this)
      result.push_back(x.delivery());
    return result;
  }

private:
  std::shared_ptr<const std::vector<event>> events_;
};

/// @returns whether both have equal events in the same order.
inline bool operator==(const event_batch& a, const event_batch& b) noexcept {
  return a.events() == b.events();
}

inline bool operator!=(const event_batch& a, const event_batch& b) noexcept {
  return !(a == b);
}

} // namespace pulse
