#include "pulse/actors/internal/caf/scheduler_watch.hpp"

#if CAF_MAJOR_VERSION < 1

#  include <caf/scheduler/abstract_coordinator.hpp>

#  include <utility>

namespace pulse::internal {

namespace {

// A task on a busy machine often waits that long.
constexpr std::chrono::milliseconds tolerance{20};

} // namespace

scheduler_watch::scheduler_watch(caf::actor_system& sys)
  : sys_(sys), task_(caf::make_counted<task>()) {
  // nop
}

scheduler_watch::duration scheduler_watch::waited() {
  const auto result = task_->waited();
  if (task_->begin()) {
    task_->ref();
    sys_.scheduler().enqueue(task_.get());
  }
  return result;
}

bool scheduler_watch::task::begin() {
  std::lock_guard guard{mutex_};
  if (std::exchange(under_way_, true))
    return false;
  since_ = std::chrono::steady_clock::now();
  return true;
}

scheduler_watch::duration scheduler_watch::task::waited() {
  std::lock_guard guard{mutex_};
  return total_ + current_wait();
}

caf::resumable::resume_result
scheduler_watch::task::resume(caf::execution_unit*, size_t) {
  std::lock_guard guard{mutex_};
  total_ += current_wait();
  under_way_ = false;
  return done;
}

scheduler_watch::duration scheduler_watch::task::current_wait() const {
  if (!under_way_)
    return duration{0};
  const auto result = std::chrono::steady_clock::now() - since_;
  return result > tolerance ? result : duration{0};
}

} // namespace pulse::internal

#endif
