#pragma once

#include "pulse/actors/caf_version.hpp"

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/system_messages.hpp>

#if CAF_MAJOR_VERSION >= 1
#  include <caf/disposable.hpp>
#endif

#include <functional>
#include <unordered_map>
#include <utility>

namespace pulse::internal {

/// Tells one actor when other actors terminate. It lives in the state of that
/// actor.
template <class Self>
class death_watch {
public:
  using callback = std::function<void(const caf::down_msg&)>;

  /// @param self The actor; must outlive this.
  explicit death_watch(Self self) noexcept : self_(self) {
    // nop
  }

  death_watch(const death_watch&) = delete;
  death_watch& operator=(const death_watch&) = delete;

  /// Sets the function to call when a watched actor has terminated. Call this
  /// once, before add().
  void begin(callback fn) {
#if CAF_MAJOR_VERSION < 1
    self_->set_down_handler(
      [fn = std::move(fn)](const caf::down_msg& x) { fn(x); });
#else
    fn_ = std::move(fn);
#endif
  }

  /// Watches an actor that is not watched yet.
  template <class Handle>
  void add(const Handle& who) {
#if CAF_MAJOR_VERSION < 1
    self_->monitor(who);
#else
    const auto address = caf::actor_cast<caf::actor_addr>(who);
    auto on_down = [this, address](const caf::error& why) {
      // CAF 1.1.0 hangs if the callback of a monitor disposes of that monitor,
      // so remove() must not find it any more.
      monitors_.erase(address);
      fn_(caf::down_msg{address, why});
    };
    monitors_.emplace(address, self_->monitor(caf::actor_cast<caf::actor>(who),
                                              std::move(on_down)));
#endif
  }

  void remove(const caf::actor_addr& who) {
#if CAF_MAJOR_VERSION < 1
    self_->demonitor(who);
#else
    if (auto x = monitors_.extract(who))
      x.mapped().dispose();
#endif
  }

private:
  Self self_;
#if CAF_MAJOR_VERSION >= 1
  callback fn_;
  std::unordered_map<caf::actor_addr, caf::disposable> monitors_;
#endif
};

} // namespace pulse::internal
