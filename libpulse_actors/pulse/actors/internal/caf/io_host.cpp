#include "pulse/actors/internal/caf/io_host.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"

#include <caf/actor_system.hpp>
#include <caf/attachable.hpp>
#include <caf/logger.hpp>

#if CAF_MAJOR_VERSION < 1
#  include <caf/io/network/multiplexer.hpp>
#  include <caf/scheduler/abstract_coordinator.hpp>
#  include <caf/scoped_execution_unit.hpp>
#endif

#include <pthread.h>

#include <algorithm>
#include <system_error>

namespace pulse::internal {

namespace {

// How often and how long the actors run before the host looks at its sockets
// again, and the maximum number of messages that each of them handles in a row.
constexpr int max_rounds = 4;
constexpr std::chrono::milliseconds max_time{1};
constexpr size_t max_messages = 200;
// How many bytes one read takes at most.
constexpr size_t read_size = 64u << 10;

// Gives an actor to the scheduler.
void schedule(caf::actor_system& sys, caf::resumable* x) {
#if CAF_MAJOR_VERSION < 1
  sys.scheduler().enqueue(x);
#else
  sys.scheduler().schedule(x);
#endif
}

// Actors that have a thread of their own, threads that are no actors, and
// brokers have a unit that is no thread of the scheduler.
bool is_of_scheduler(execution_unit* x) {
#if CAF_MAJOR_VERSION < 1
  return x != nullptr && dynamic_cast<caf::scoped_execution_unit*>(x) == nullptr
         && dynamic_cast<io_host*>(x) == nullptr
         && dynamic_cast<caf::io::network::multiplexer*>(x) == nullptr;
#else
  return x != nullptr && dynamic_cast<io_host*>(x) == nullptr;
#endif
}

// The actor system waits for threads that are counted before it ends.
void count_thread([[maybe_unused]] caf::actor_system& sys) {
#if CAF_MAJOR_VERSION < 1
  sys.inc_detached_threads();
#endif
}

void uncount_thread([[maybe_unused]] caf::actor_system& sys) {
#if CAF_MAJOR_VERSION < 1
  sys.dec_detached_threads();
#endif
}

} // namespace

// -- the thread ---------------------------------------------------------------

/// Ends a host when its actor system shuts down. An actor of CAF itself, which
/// the system ends first, says when that is.
class io_host::shutdown_watch : public caf::attachable {
public:
  explicit shutdown_watch(const std::shared_ptr<io_host>& host)
    : host_(host), id_(host.get()) {
    // nop
  }

  /// Begins to watch.
  static void attach_to(const std::shared_ptr<io_host>& host) {
    const auto& first = host->sys_.spawn_serv();
    host->first_to_end_ = caf::weak_actor_ptr{first.get()};
    first->get()->attach(caf::attachable_ptr{new shutdown_watch(host)});
  }

  /// Ends the watch of a host.
  static void detach_from(const io_host& host) {
    if (const auto first = host.first_to_end_.lock())
      first->get()->detach({token_type, &host});
  }

  void actor_exited(const caf::error&, execution_unit*) override {
    if (const auto host = host_.lock())
      host->end();
  }

  bool matches(const token& x) override {
    return x.subtype == token_type && x.ptr == id_;
  }

private:
  // CAF uses small numbers.
  static constexpr size_t token_type = 0x70756c73;

  std::weak_ptr<io_host> host_;
  const io_host* id_;
};

caf::expected<io_host_ptr> io_host::start(caf::actor_system& sys,
                                          std::chrono::microseconds busy_poll) {
  auto sockets = redis::poller::make();
  if (!sockets)
    return make_error(sockets.error());
  auto host = std::make_shared<io_host>(sys, busy_poll, std::move(*sockets));
  // The thread keeps the host alive, and the last reference ends the thread. So
  // the host does not die below an actor that runs in it.
  io_host_ptr result{host.get(), [host](io_host*) mutable {
                       std::exchange(host, nullptr)->end_unused();
                     }};
  host->self_ = result;
  shutdown_watch::attach_to(host);
  count_thread(sys);
  try {
    std::thread{[host = std::move(host), &sys]() mutable {
      host->loop();
      host = nullptr;
      uncount_thread(sys);
    }}.detach();
  } catch (const std::system_error& x) {
    uncount_thread(sys);
    return make_error({errc::connect_failed,
                       std::string{"cannot start a thread: "} + x.what()});
  }
  return result;
}

io_host::io_host(caf::actor_system& sys, std::chrono::microseconds busy_poll,
                 std::unique_ptr<redis::poller> sockets)
#if CAF_MAJOR_VERSION < 1
  : execution_unit(&sys),
    sys_(sys),
#else
  : sys_(sys),
#endif
    sockets_(std::move(sockets)),
    buffer_(read_size),
    poll_(busy_poll) {
  // nop
}

io_host::~io_host() {
  drop_ready();
}

void io_host::end() noexcept {
  ended_ = true;
  sockets_->wake();
}

void io_host::end_unused() {
  shutdown_watch::detach_from(*this);
  end();
}

void io_host::loop() {
  ::pthread_setname_np(::pthread_self(), "pulse.io");
#if CAF_MAJOR_VERSION < 1
  caf::logger::set_current_actor_system(&sys_);
#endif
  thread_ = std::this_thread::get_id();
  while (!ended_) {
    run();
    look();
  }
  drop_ready();
  thread_ = std::thread::id{};
}

// An actor that is dropped here stays as it is: its system shuts down.
void io_host::drop_ready() {
  std::vector<caf::resumable*> dropped;
  {
    std::lock_guard guard{mutex_};
    dropped.swap(ready_);
  }
  for (auto* x : dropped)
    caf::intrusive_ptr_release(x);
}

// -- actors -------------------------------------------------------------------

void io_host::run_soon(caf::resumable* x) {
  if (x->subtype() != caf::resumable::io_actor) {
    if (is_running_here())
      others_.push_back(x);
    else
      schedule(sys_, x);
    return;
  }
  bool wakes = false;
  {
    std::lock_guard guard{mutex_};
    if (!ended_)
      ready_.push_back(std::exchange(x, nullptr));
    wakes = std::exchange(asleep_, false);
  }
  if (x != nullptr)
    caf::intrusive_ptr_release(x);
  if (wakes)
    sockets_->wake();
}

void io_host::run() {
  const auto begin = clock::now();
  auto worked = false;
  for (int i = 0; i < max_rounds && run_ready(begin + max_time); ++i) {
    worked = true;
    if (clock::now() >= begin + max_time)
      break;
  }
  for (const auto& x : at_end_)
    x.first->on_end_of_turn();
  at_end_.clear();
  wake_others();
  if (worked) {
    poll_.came(begin);
    poll_.done(clock::now());
  }
}

// @returns whether there was something to do.
bool io_host::run_ready(clock::time_point end) {
  {
    std::lock_guard guard{mutex_};
    running_.swap(ready_);
  }
  if (running_.empty())
    return false;
  auto is_late = false;
  for (auto* x : running_) {
    if (is_late
        || x->resume(this, max_messages) == caf::resumable::resume_later) {
      std::lock_guard guard{mutex_};
      ready_.push_back(x);
    } else {
      caf::intrusive_ptr_release(x);
    }
    is_late = is_late || clock::now() >= end;
  }
  running_.clear();
  return true;
}

void io_host::wake_others() {
  for (auto* x : others_)
    schedule(sys_, x);
  others_.clear();
}

// -- sockets ------------------------------------------------------------------

status io_host::watch(int fd, const caf::strong_actor_ptr& owner,
                      uint64_t& number) {
  {
    std::lock_guard guard{owners_mutex_};
    number = ++last_number_;
    owners_.emplace(number, caf::weak_actor_ptr{owner.get()});
  }
  auto result = sockets_->add(fd, number);
  if (!result)
    unwatch(fd, number);
  return result;
}

void io_host::unwatch(int fd, uint64_t number) noexcept {
  sockets_->remove(fd);
  std::lock_guard guard{owners_mutex_};
  owners_.erase(number);
}

void io_host::forget(end_of_turn* x) noexcept {
  const auto is_same = [x](const auto& y) { return y.first == x; };
  at_end_.erase(std::remove_if(at_end_.begin(), at_end_.end(), is_same),
                at_end_.end());
}

void io_host::look() {
  const auto sleeps = may_sleep();
  const auto& events = sockets_->wait(sleeps);
  if (sleeps) {
    std::lock_guard guard{mutex_};
    asleep_ = false;
  }
  for (const auto& x : events)
    report(x);
}

bool io_host::may_sleep() {
  const auto looks = poll_.looks(clock::now());
  {
    std::lock_guard guard{mutex_};
    if (!ready_.empty())
      return false;
    asleep_ = !looks;
  }
  // Others may need the processor more.
  if (looks)
    std::this_thread::yield();
  return !looks;
}

void io_host::report(const redis::poller::event& x) {
  caf::strong_actor_ptr owner;
  {
    std::lock_guard guard{owners_mutex_};
    if (const auto i = owners_.find(x.number); i != owners_.end())
      owner = i->second.lock();
  }
  if (owner)
    tell(caf::actor_cast<socket_owner>(owner), atom::ready_v, x.number, x.what);
}

// -- messages -----------------------------------------------------------------

io_host_ptr host_of(const caf::actor& x) {
  const auto* hosted = dynamic_cast<const hosted_actor*>(
    caf::actor_cast<caf::abstract_actor*>(x));
  return hosted != nullptr ? hosted->host() : nullptr;
}

void enqueue_beside(caf::abstract_actor& to, caf::mailbox_element_ptr x,
                    execution_unit* unit) {
  auto* hosted = dynamic_cast<hosted_actor*>(&to);
  if (hosted != nullptr && is_of_scheduler(unit))
    hosted->enqueue_on(std::move(x), unit);
  else
    to.enqueue(std::move(x), unit);
}

} // namespace pulse::internal
