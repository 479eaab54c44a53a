#pragma once

#include "pulse/actors/caf_version.hpp"
#include "pulse/core/options.hpp"

#include <caf/error.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pulse {

/// How a subscriber of a sink ended a batch, as the result of its handler. As
/// it is made, all events of the batch are acknowledged. Some of them can fail:
///
///     pulse::batch_outcome on_batch(const pulse::event_batch& events) {
///       pulse::batch_outcome result;
///       for (size_t i = 0; i < events.size(); ++i)
///         if (!valid(events[i]))
///           result.fail(i, pulse::term("not valid"));
///       return result;
///     }
///
/// Readers ignore the result of a handler.
class batch_outcome {
public:
  /// An event that was not handled.
  struct failed_event {
    /// Position of the event in its batch.
    uint32_t index = 0;
    caf::error why;
    /// Pause before the next delivery; 0: that of the `backoff` list.
    milliseconds delay{0};
  };

  /// All events were handled.
  batch_outcome() = default;

  /// All events of the batch ended in the same way.
  /// @param why Empty: they were handled. Otherwise each of them is delivered
  /// again after the pause of `backoff`, alone; after term() each of them
  /// becomes a dead letter.
  batch_outcome(caf::error why) : why_(std::move(why)) {
    // nop
  }

  /// Says that an event of the batch was not handled. The first outcome of an
  /// event counts. If the batch has no event with this index, the whole batch
  /// fails, because nobody knows which event is meant.
  /// @param why After term() the event becomes a dead letter, otherwise it is
  /// delivered again. An empty error becomes `errc::handler_failed`.
  /// @param delay Pause before the next delivery; 0: that of the `backoff`
  /// list.
  batch_outcome& fail(size_t index, caf::error why, milliseconds delay = {});

  /// @returns the events that failed, in the order of the calls of fail().
  [[nodiscard]] const std::vector<failed_event>& failures() const noexcept {
    return failures_;
  }

  /// @returns why all other events failed; empty if they were handled.
  [[nodiscard]] const caf::error& why() const noexcept {
    return why_;
  }

  template <class Inspector>
  friend inspected<Inspector> inspect(Inspector& f, failed_event& x) {
    return fields(f, x, "failed_event", field("index", x.index),
                  field("why", x.why), field("delay", x.delay));
  }

  template <class Inspector>
  friend inspected<Inspector> inspect(Inspector& f, batch_outcome& x) {
    return fields(f, x, "batch_outcome", field("failures", x.failures_),
                  field("why", x.why_));
  }

private:
  std::vector<failed_event> failures_;
  caf::error why_;
};

} // namespace pulse
