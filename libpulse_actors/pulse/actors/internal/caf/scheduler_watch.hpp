#pragma once

#include "pulse/actors/internal/caf/counted_task.hpp"

#include <caf/actor_system.hpp>

#include <chrono>

#if CAF_MAJOR_VERSION < 1
#  include <caf/intrusive_ptr.hpp>

#  include <mutex>
#endif

namespace pulse::internal {

#if CAF_MAJOR_VERSION < 1

/// Finds out how long actors wait for a thread of the scheduler, for an actor
/// that does not run there: it gives the scheduler a task that does nothing,
/// and takes the time until the task runs.
class scheduler_watch {
public:
  using duration = std::chrono::nanoseconds;

  explicit scheduler_watch(caf::actor_system& sys);

  /// Begins with the next task if none is under way. So calls at short
  /// intervals miss no long wait.
  /// @returns how long the tasks so far have waited altogether, including the
  /// one that still waits. Waits of less than 20 ms do not count.
  duration waited();

private:
  class task : public counted_task {
  public:
    /// @returns whether the task was not under way, and now is.
    bool begin();

    duration waited();

    resume_result resume(caf::execution_unit* unit, size_t throughput) override;

  private:
    using time_point = std::chrono::steady_clock::time_point;

    [[nodiscard]] duration current_wait() const;

    std::mutex mutex_;
    bool under_way_ = false;
    time_point since_;
    duration total_{0};
  };

  caf::actor_system& sys_;
  caf::intrusive_ptr<task> task_;
};

#else

/// All actors run on the scheduler.
class scheduler_watch {
public:
  explicit scheduler_watch(caf::actor_system&) {
    // nop
  }

  std::chrono::nanoseconds waited() {
    return std::chrono::nanoseconds{0};
  }
};

#endif

} // namespace pulse::internal
