#pragma once

#include "pulse/actors/internal/runtime/messages.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pulse {

/// What a reader or sink tells its supervisor, so that it can be started again
/// as it was: who is subscribed. Called on the child's thread; must only send
/// messages. Each may be empty.
struct supervision {
  /// Each accepted subscription (with its credit), and each that ended
  /// (nothing).
  std::function<void(const event_listener&, const std::optional<subscription>&)>
    subscribed;
  /// Who asked for notices, and who asked for no more of them (false).
  std::function<void(const notice_listener&, bool)> listens;
};

} // namespace pulse
