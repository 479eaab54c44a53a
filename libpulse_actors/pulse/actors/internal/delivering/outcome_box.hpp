#pragma once

#include <caf/actor_addr.hpp>
#include <caf/error.hpp>

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace pulse::internal {

/// The outcomes of deliveries on their way to the actor that waits for them.
/// Any thread may add one. The actor is woken once for all outcomes that it has
/// not taken yet.
class outcome_box {
public:
  struct outcome {
    /// Identifies the delivery to the actor.
    uint64_t number = 0;
    /// Empty: the event was handled.
    caf::error why;
  };

  /// @param owner Gets `caf::update_atom`. The box is no reference to the
  /// actor: a delivery may exist longer than the actor system.
  explicit outcome_box(caf::actor_addr owner) : owner_(std::move(owner)) {
    // nop
  }

  void add(uint64_t number, caf::error why);

  std::vector<outcome> take() {
    std::unique_lock guard{mutex_};
    return std::exchange(waiting_, {});
  }

private:
  std::mutex mutex_;
  std::vector<outcome> waiting_;
  caf::actor_addr owner_;
};

} // namespace pulse::internal
