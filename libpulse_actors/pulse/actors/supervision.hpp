#pragma once

#include "pulse/actors/messages.hpp"

#include <functional>
#include <optional>

namespace pulse {

/// Hears of each subscription that a reader or sink accepted (with its
/// credit), and of each that ended (nothing). So the root can subscribe the
/// same actors again if it has to restart the child. Called on the child's
/// thread; must only send a message.
using subscription_log = std::function<void(
  const event_listener&, const std::optional<subscription>&)>;

} // namespace pulse
