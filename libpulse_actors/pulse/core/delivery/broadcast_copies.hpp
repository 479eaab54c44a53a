#pragma once

#include "pulse/core/delivery/ticket.hpp"

#include <cstdint>
#include <vector>

namespace pulse {

/// Broadcast: the copies of one event at the workers, each of which has to
/// process it. Those who fail get it once more, together, when all others are
/// through.
class broadcast_copies {
public:
  /// How one copy ended.
  enum class copy : uint8_t { succeeded, failed, died };

  /// What that means for the event.
  enum class outcome : uint8_t {
    /// Nothing: other workers are still at it, or this one was not.
    open,
    /// All others are through; those who failed get it once more.
    retry,
    /// Every worker that lives has processed it.
    succeeded,
    /// All who had it died.
    crashed,
  };

  /// A dispatch begins: who failed at the last one is forgotten.
  void begin();

  /// The worker gets a copy.
  void add(worker_id to) {
    holders_.push_back(to);
  }

  outcome finish(worker_id by, copy how);

  [[nodiscard]] bool failed_at(worker_id x) const noexcept;
  [[nodiscard]] bool any_failed() const noexcept {
    return !failed_.empty();
  }
  [[nodiscard]] bool any_succeeded() const noexcept {
    return succeeded_;
  }

private:
  std::vector<worker_id> holders_;
  std::vector<worker_id> failed_;
  // In any of its dispatches.
  bool succeeded_ = false;
};

} // namespace pulse
