#pragma once

#include "pulse/actors/internal/runtime/messages.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pulse {

/// The functions by which a reader or sink reports its subscribers and
/// listeners to its supervisor, so that the supervisor can restart it with the
/// same ones. They are called on the thread of the reader or sink, and must
/// only send messages. Each may be empty.
struct supervision {
  /// Called with each subscription that was accepted (with its options), and
  /// each that ended (without).
  std::function<void(const event_listener&, const std::optional<subscription>&)>
    subscribed;
  /// Called with each listener that was added (true) or removed (false).
  std::function<void(const notice_listener&, bool)> listens;
};

} // namespace pulse
