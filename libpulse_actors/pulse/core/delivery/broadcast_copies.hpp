#pragma once

#include "pulse/core/delivery/ticket.hpp"

#include <cstdint>
#include <vector>

namespace pulse {

/// The copies of one event in broadcast dispatch, where each worker has to
/// process the event. Workers that fail get the event again, all at the same
/// time, after the other workers have finished.
class broadcast_copies {
public:
  /// How one copy ended.
  enum class copy : uint8_t {
    succeeded,
    failed,
    /// The worker died.
    died,
    /// The worker ended without a fault.
    left,
  };

  /// What the end of a copy means for the event.
  enum class outcome : uint8_t {
    /// Nothing is decided: other workers still have a copy, or the worker had
    /// none.
    open,
    /// All copies have ended, and some workers failed: these get the event
    /// again.
    retry,
    /// Every worker that is still alive has processed the event.
    succeeded,
    /// All workers that had a copy are gone, and at least one of them died.
    crashed,
    /// All workers that had a copy have left.
    abandoned,
  };

  /// Begins a new dispatch and forgets which workers failed in the last one.
  void begin();

  /// Notes that a worker gets a copy.
  void add(worker_id to) {
    holders_.push_back(to);
  }

  /// Notes that the copy of a worker has ended.
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
  // Whether a worker died in this dispatch.
  bool died_ = false;
  // Whether a worker succeeded in any dispatch of the event.
  bool succeeded_ = false;
};

} // namespace pulse
