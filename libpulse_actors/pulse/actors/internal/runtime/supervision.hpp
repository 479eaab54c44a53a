#pragma once

#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/actors/internal/runtime/stream_memory.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulse {

/// How a reader or sink tells its supervisor what it has, so that the
/// supervisor can restart it with the same. The functions report its
/// subscribers and listeners. They are called on the thread of the reader or
/// sink, and must only send messages. Each may be empty.
struct supervision {
  /// Called with each subscription that was accepted (with its options), and
  /// each that ended (without).
  std::function<void(const event_listener&, const std::optional<subscription>&)>
    subscribed;
  /// Called with each listener that was added (true) or removed (false).
  std::function<void(const notice_listener&, bool)> listens;
  /// If not null: the reader or sink begins with the streams that it finds here
  /// (with those of its options if there are none), and puts its streams here
  /// when it terminates.
  std::shared_ptr<internal::stream_memory> streams = nullptr;
};

} // namespace pulse
