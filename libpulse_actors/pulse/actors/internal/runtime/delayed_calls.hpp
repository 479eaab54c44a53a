#pragma once

#include "pulse/actors/internal/runtime/tick_timer.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace pulse::internal {

/// Functions that one actor calls later, each once. For what happens now and
/// then, like an attempt after a failure, not for each event.
template <class Self>
class delayed_calls {
public:
  using time_point = typename tick_timer<Self>::time_point;
  using duration = typename tick_timer<Self>::duration;

  /// Names a call. The default names none.
  using handle = std::pair<time_point, uint64_t>;

  /// @param self The actor, which handles `caf::tick_atom`; must outlive this.
  explicit delayed_calls(Self self) noexcept : self_(self), timer_(self) {
    // nop
  }

  /// Has `fn` called after `delay`.
  handle start(duration delay, std::function<void()> fn) {
    const handle result{self_->clock().now() + delay, ++last_};
    waiting_.emplace(result, std::move(fn));
    timer_.arm(result.first);
    return result;
  }

  /// Does nothing if the call was made or cancelled.
  void cancel(const handle& x) {
    waiting_.erase(x);
  }

  /// To be called for each `caf::tick_atom` that arrives: makes the calls that
  /// are due.
  void on_tick() {
    timer_.on_tick();
    const auto now = self_->clock().now();
    while (!waiting_.empty() && waiting_.begin()->first.first <= now)
      waiting_.extract(waiting_.begin()).mapped()();
    if (!waiting_.empty())
      timer_.arm(waiting_.begin()->first.first);
  }

private:
  Self self_;
  tick_timer<Self> timer_;
  uint64_t last_ = 0;
  std::map<handle, std::function<void()>> waiting_;
};

} // namespace pulse::internal
