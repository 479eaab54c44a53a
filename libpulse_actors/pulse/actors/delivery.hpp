#pragma once

#include "pulse/core/event.hpp"

#include <caf/error.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace pulse {

namespace internal {
class delivery_state;
} // namespace internal

/// An event that a sink delivered to a flow or to an inbox, and the way to tell
/// the sink how it ended. Copies share one outcome, and the first outcome
/// counts. Any thread may hold a delivery and complete it, also after the flow
/// has ended.
///
/// If the last copy is destroyed without an outcome, because an operator of the
/// flow such as `filter` dropped it, or because an exception left the code that
/// handled it, the event has failed (`errc::handler_failed`): it is delivered
/// again, and not lost.
class delivery {
public:
  /// For the library.
  explicit delivery(std::shared_ptr<internal::delivery_state> state) noexcept
    : state_(std::move(state)) {
    // nop
  }

  /// The event, as long as this delivery exists.
  const event& operator*() const noexcept;
  const event* operator->() const noexcept {
    return &**this;
  }

  /// The event was handled: the sink acknowledges it.
  void ack() const;

  /// The event was not handled. The sink delivers it again after a pause (see
  /// `sink_options::backoff`), or makes it a dead letter if `why` comes from
  /// `pulse::term("…")` or if this was the last of its `max_deliveries`. An
  /// error of another kind than `errc` becomes `errc::handler_failed`.
  void fail(caf::error why) const;

private:
  std::shared_ptr<internal::delivery_state> state_;
};

} // namespace pulse
