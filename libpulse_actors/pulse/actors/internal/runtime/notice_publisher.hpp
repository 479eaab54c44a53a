#pragma once

#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/runtime/liveness.hpp"
#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/core/log.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace pulse::internal {

/// The listeners that get the notices of a reader or sink.
class notice_publisher {
public:
  using report = std::function<void(const notice_listener&, bool)>;

  /// @param tell Called with each listener that is added (true) or removed
  /// (false); may be empty.
  explicit notice_publisher(report tell) : tell_(std::move(tell)) {
    // nop
  }

  /// @returns false if the listener has terminated already.
  bool add(const notice_listener& who) {
    if (!is_alive(who))
      return false;
    if (std::find(listeners_.begin(), listeners_.end(), who)
        != listeners_.end())
      return true;
    listeners_.push_back(who);
    if (tell_)
      tell_(who, true);
    return true;
  }

  /// @returns whether `who` was a listener.
  bool remove(const notice_listener& who) {
    if (!who)
      return false;
    auto i = std::find(listeners_.begin(), listeners_.end(), who);
    if (i == listeners_.end())
      return false;
    if (tell_)
      tell_(who, false);
    listeners_.erase(i);
    return true;
  }

  /// Logs the notice and sends it to all listeners that are alive.
  void publish(const std::string& component, const notice& x) {
    log(log_level::warning, component, x.text);
    // Listeners are not monitored. Those that have terminated are removed here,
    // when the next notice is published.
    auto dead = std::partition(listeners_.begin(), listeners_.end(),
                               [](auto& who) { return is_alive(who); });
    for (auto i = dead; i != listeners_.end(); ++i)
      if (tell_)
        tell_(*i, false);
    listeners_.erase(dead, listeners_.end());
    for (const auto& who : listeners_)
      tell(who, x);
  }

private:
  report tell_;
  std::vector<notice_listener> listeners_;
};

} // namespace pulse::internal
