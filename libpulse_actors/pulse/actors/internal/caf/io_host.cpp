#include "pulse/actors/internal/caf/io_host.hpp"

#if CAF_MAJOR_VERSION < 1

#  include <caf/actor_system.hpp>
#  include <caf/io/middleman.hpp>
#  include <caf/scheduler/abstract_coordinator.hpp>
#  include <caf/scheduler/test_coordinator.hpp>
#  include <caf/scoped_execution_unit.hpp>

#  include <algorithm>

namespace pulse::internal {

namespace {

// How often and how long the actors run before the multiplexer looks at its
// sockets again, and the maximum number of messages that each of them handles
// in a row.
constexpr int max_rounds = 4;
constexpr std::chrono::milliseconds max_time{1};
constexpr size_t max_messages = 512;

// Actors that have a thread of their own, and threads that are no actors, have
// a unit that only passes actors on to the scheduler.
bool is_of_scheduler(caf::execution_unit* x) {
  return x != nullptr && dynamic_cast<caf::scoped_execution_unit*>(x) == nullptr
         && dynamic_cast<io_host*>(x) == nullptr
         && dynamic_cast<caf::io::network::multiplexer*>(x) == nullptr;
}

} // namespace

io_host::io_host(caf::actor_system& sys, std::chrono::microseconds busy_poll)
  : caf::execution_unit(&sys),
    multiplexer_(sys.middleman().backend()),
    poll_(busy_poll) {
  // nop
}

void io_host::exec_later(caf::resumable* x) {
  if (x->subtype() != io_actor) {
    if (is_running_here())
      others_.push_back(x);
    else
      system().scheduler().enqueue(x);
    return;
  }
  {
    std::lock_guard guard{mutex_};
    ready_.push_back(x);
    if (std::exchange(posted_, true))
      return;
  }
  ref();
  multiplexer_.exec_later(this);
}

caf::resumable::resume_result io_host::resume(caf::execution_unit*,
                                              size_t throughput) {
  const auto worked = run(std::min(throughput, max_messages));
  const auto looks = poll_.looks(clock::now());
  // Others may need the processor more.
  if (looks && !worked)
    std::this_thread::yield();
  std::lock_guard guard{mutex_};
  if (looks || !ready_.empty())
    return resume_later;
  posted_ = false;
  return awaiting_message;
}

// @returns whether there was something to do.
bool io_host::run(size_t throughput) {
  {
    std::lock_guard guard{mutex_};
    if (ready_.empty())
      return false;
  }
  const auto begin = clock::now();
  running_in_ = std::this_thread::get_id();
  for (int i = 0; i < max_rounds; ++i)
    if (!run_ready(throughput, begin + max_time))
      break;
  running_in_ = std::thread::id{};
  wake_others();
  poll_.came(begin);
  poll_.done(clock::now());
  return true;
}

// @returns whether there was something to do, and there is time for more.
bool io_host::run_ready(size_t throughput, clock::time_point end) {
  {
    std::lock_guard guard{mutex_};
    running_.swap(ready_);
  }
  if (running_.empty())
    return false;
  auto is_late = false;
  for (auto* x : running_) {
    if (is_late || x->resume(this, throughput) == resume_later)
      run_later(x);
    else
      caf::intrusive_ptr_release(x);
    is_late = is_late || clock::now() >= end;
  }
  running_.clear();
  return !is_late;
}

void io_host::run_later(caf::resumable* x) {
  std::lock_guard guard{mutex_};
  ready_.push_back(x);
}

void io_host::wake_others() {
  for (auto* x : others_)
    system().scheduler().enqueue(x);
  others_.clear();
}

io_host_ptr make_io_host(caf::actor_system& sys,
                         std::chrono::microseconds busy_poll) {
  using caf::scheduler::test_coordinator;
  if (!sys.has_middleman()
      || dynamic_cast<test_coordinator*>(&sys.scheduler()) != nullptr)
    return nullptr;
  return caf::make_counted<io_host>(sys, busy_poll);
}

void enqueue_beside(caf::abstract_actor& to, caf::mailbox_element_ptr x,
                    caf::execution_unit* unit) {
  auto* hosted = dynamic_cast<hosted_actor*>(&to);
  if (hosted != nullptr && is_of_scheduler(unit))
    hosted->enqueue_on(std::move(x), unit);
  else
    to.enqueue(std::move(x), unit);
}

} // namespace pulse::internal

#endif
