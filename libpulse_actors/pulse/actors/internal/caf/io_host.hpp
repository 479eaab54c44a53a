#pragma once

#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/core/event_filter.hpp"
#include "pulse/core/poll_window.hpp"
#include "pulse/redis/poller.hpp"

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/actor_config.hpp>
#include <caf/expected.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/resumable.hpp>

#if CAF_MAJOR_VERSION < 1
#  include <caf/execution_unit.hpp>
#else
#  include <caf/scheduler.hpp>
#endif

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pulse::internal {

#if CAF_MAJOR_VERSION < 1
using execution_unit = caf::execution_unit;
#else
using execution_unit = caf::scheduler;
#endif

class io_host;

/// A reference to a host, whose thread ends with the last reference, or with
/// its actor system. Null: actors run on the scheduler.
using io_host_ptr = std::shared_ptr<io_host>;

/// The owner of a socket: hears what happened to the socket with that number,
/// see redis::readiness.
using socket_owner
  = actor_interface<caf::result<void>(atom::ready, uint64_t, uint32_t)>;

/// Something that is done once at the end of a turn of a host.
class end_of_turn {
public:
  virtual void on_end_of_turn() = 0;

protected:
  ~end_of_turn() = default;
};

/// A thread that waits for the sockets of an endpoint, and runs the actors that
/// use them. A message between these actors wakes no thread, and neither does a
/// message from another thread while they run. They must not block and must not
/// run code of users, because they would stop all input and output of the
/// endpoint.
///
/// A message of another thread wakes a sleeping host once, however many actors
/// and messages follow. Actors of the scheduler that get messages from actors
/// of the host are woken when all of these have run. So an actor that gets many
/// replies is woken once.
///
/// While work comes at short intervals, the thread does not sleep between its
/// turns, see redis_options::busy_poll_us.
class io_host final : public execution_unit {
public:
  /// Starts a host.
  /// @param busy_poll Maximum time to look for work before the thread sleeps.
  /// Error: `errc::connect_failed` if the process may not open more files.
  static caf::expected<io_host_ptr> start(caf::actor_system& sys,
                                          std::chrono::microseconds busy_poll);

  io_host(caf::actor_system& sys, std::chrono::microseconds busy_poll,
          std::unique_ptr<redis::poller> sockets);
  ~io_host() override;

  /// @returns a reference; null if there is none any more.
  [[nodiscard]] io_host_ptr reference() const {
    return self_.lock();
  }

  // -- sockets ----------------------------------------------------------------

  /// Reports a socket to its owner from now on. Any thread may call this.
  /// @param number Becomes the number of the socket, which no other socket of
  /// this host ever has.
  /// Error: `errc::connect_failed`.
  status watch(int fd, const caf::strong_actor_ptr& owner, uint64_t& number);

  /// Reports as well that the socket takes bytes, or no longer.
  void watch_writes(int fd, uint64_t number, bool watches) noexcept {
    sockets_->watch_writes(fd, number, watches);
  }

  /// Ends that; call this before the socket is closed. Reports may still be in
  /// the mailbox of the owner.
  void unwatch(int fd, uint64_t number) noexcept;

  /// @returns whether the caller runs in this host.
  [[nodiscard]] bool is_running_here() const {
    return thread_ == std::this_thread::get_id();
  }

  /// Calls `x` once at the end of this turn, before threads of the scheduler
  /// are woken. Only an actor that runs in this host may call this.
  /// @param owner Keeps `x` alive until then.
  void at_end_of_turn(end_of_turn* x, caf::strong_actor_ptr owner) {
    at_end_.emplace_back(x, std::move(owner));
  }

  /// Takes that back. Only an actor that runs in this host may call this.
  void forget(end_of_turn* x) noexcept;

  /// @returns a buffer for reading. Only an actor that runs in this host may
  /// use it, and only until it returns from its handler.
  [[nodiscard]] std::vector<char>& buffer() noexcept {
    return buffer_;
  }

  // -- actors -----------------------------------------------------------------

  // Each of these takes over one reference to `x`, which runs soon: here if it
  // is an actor of a host, otherwise on the scheduler. Any thread may call
  // them.
#if CAF_MAJOR_VERSION < 1
  void exec_later(caf::resumable* x) override {
    run_soon(x);
  }
#else
  void schedule(caf::resumable* x) override {
    run_soon(x);
  }

  void delay(caf::resumable* x) override {
    run_soon(x);
  }

  void start() override {
    // nop
  }

  void stop() override {
    end();
  }
#endif

private:
  class shutdown_watch;
  using clock = std::chrono::steady_clock;

  void run_soon(caf::resumable* x);
  void end() noexcept;
  void end_unused();
  void loop();
  void run();
  bool run_ready(clock::time_point end);
  void look();
  bool may_sleep();
  void report(const redis::poller::event& x);
  void wake_others();
  void drop_ready();

  caf::actor_system& sys_;
  std::unique_ptr<redis::poller> sockets_;
  std::weak_ptr<io_host> self_;
  caf::weak_actor_ptr first_to_end_;
  std::atomic<bool> ended_{false};
  /// The thread, once it runs.
  std::atomic<std::thread::id> thread_;

  std::mutex mutex_;
  /// The actors that have something to do.
  std::vector<caf::resumable*> ready_;
  /// The thread sleeps, or is about to.
  bool asleep_ = false;

  std::mutex owners_mutex_;
  std::unordered_map<uint64_t, caf::weak_actor_ptr> owners_;
  uint64_t last_number_ = 0;

  // Only the thread uses these.
  std::vector<caf::resumable*> running_;
  /// Actors of the scheduler that got messages.
  std::vector<caf::resumable*> others_;
  std::vector<std::pair<end_of_turn*, caf::strong_actor_ptr>> at_end_;
  std::vector<char> buffer_;
  poll_window poll_;
};

/// What an actor of a host can do besides.
class hosted_actor {
public:
  /// Gets a message. If that wakes the actor, it runs on `unit`.
  virtual void enqueue_on(caf::mailbox_element_ptr x, execution_unit* unit) = 0;

  /// Makes the actor run on the scheduler from its next message on, or in its
  /// host again. Only the actor itself may call this.
  virtual void use_host(bool x) = 0;

  /// @returns where the actor runs; null if it has ended. Any thread may call
  /// this.
  [[nodiscard]] virtual io_host_ptr host() const = 0;

protected:
  ~hosted_actor() = default;
};

/// @returns the host of an actor; null if it has none, has ended or is on
/// another node.
io_host_ptr host_of(const caf::actor& x);

/// Sends a message to an actor. If that wakes the actor, it runs on the
/// scheduler, if the sender does.
/// @param unit Where the sender runs.
void enqueue_beside(caf::abstract_actor& to, caf::mailbox_element_ptr x,
                    execution_unit* unit);

/// See hosted_actor. Has no effect on an actor without a host.
template <class Self>
void use_host(Self self, bool x) {
  if (auto* hosted = dynamic_cast<hosted_actor*>(self))
    hosted->use_host(x);
}

/// An actor of a host.
template <class Base>
class hosted : public Base, public hosted_actor {
public:
  /// @pre the host of `cfg` is an io_host
  explicit hosted(caf::actor_config& cfg)
    : Base(cfg),
      unit_(static_cast<io_host*>(unit_of(cfg))),
      host_(unit_->reference()) {
    // nop
  }

#if CAF_MAJOR_VERSION < 1
  // Messages that are under way may keep the object alive for a long time, but
  // must not keep the thread.
  bool cleanup(caf::error&& why, caf::execution_unit* unit) override {
    const auto result = Base::cleanup(std::move(why), unit);
    std::atomic_store(&host_, io_host_ptr{});
    return result;
  }

  void enqueue(caf::mailbox_element_ptr x, caf::execution_unit* unit) override {
    Base::enqueue(std::move(x), unit_for(unit));
  }

  void enqueue(caf::strong_actor_ptr sender, caf::message_id id,
               caf::message content, caf::execution_unit* unit) override {
    Base::enqueue(std::move(sender), id, std::move(content), unit_for(unit));
  }

  caf::resumable::subtype_t subtype() const override {
    return is_hosted_ ? caf::resumable::io_actor : Base::subtype();
  }
#else
  bool enqueue(caf::mailbox_element_ptr x, caf::scheduler* unit) override {
    return Base::enqueue(std::move(x), unit_for(unit));
  }

  caf::resumable::subtype_t subtype() const noexcept override {
    return is_hosted_ ? caf::resumable::io_actor : Base::subtype();
  }
#endif

  void enqueue_on(caf::mailbox_element_ptr x, execution_unit* unit) override {
    Base::enqueue(std::move(x), unit);
  }

  void use_host(bool x) override {
    is_hosted_ = x;
  }

  io_host_ptr host() const override {
    return std::atomic_load(&host_);
  }

private:
  static execution_unit* unit_of(const caf::actor_config& cfg) {
#if CAF_MAJOR_VERSION < 1
    return cfg.host;
#else
    return cfg.sched;
#endif
  }

  execution_unit* unit_for(execution_unit* unit) const {
    return is_hosted_ ? unit_ : unit;
  }

  /// What runs the actor as long as it lives. After its end nothing runs it, so
  /// the host may have ended as well.
  io_host* unit_;
  io_host_ptr host_;
  std::atomic<bool> is_hosted_{true};
};

/// As spawn_state(), for an actor of a host.
/// @param host If it is null, the actor runs on the scheduler.
template <class State, class... Ts>
auto spawn_hosted_state(caf::actor_system& sys, const io_host_ptr& host,
                        Ts&&... xs) {
  using handle = typename State::self_type;
  if (!host)
    return handle{spawn_state<State>(sys, std::forward<Ts>(xs)...)};
  using base = hosted<typename handle::base>;
  using pointer = caf::stateful_actor<state_box<State>, base>*;
  auto init = [](pointer self, std::decay_t<Ts>... ys) {
    return state_of(self).value.emplace(self, std::move(ys)...).make_behavior();
  };
  caf::actor_config cfg{host.get()};
  return handle{
    sys.spawn_functor(std::true_type{}, cfg, init, std::forward<Ts>(xs)...)};
}

/// @returns where an actor runs that calls the predicate of `filter`: code of
/// users must not stop all input and output.
inline io_host_ptr host_for(const filter_options& filter,
                            const io_host_ptr& host) {
  return filter.predicate ? nullptr : host;
}

} // namespace pulse::internal

namespace caf {

// CAF defines this trait for its own actor classes only.

template <class... Sigs>
class behavior_type_of<
  pulse::internal::hosted<typed_event_based_actor<Sigs...>>> {
public:
  using type = typed_behavior<Sigs...>;
};

template <class State, class... Sigs>
class behavior_type_of<stateful_actor<
  State, pulse::internal::hosted<typed_event_based_actor<Sigs...>>>> {
public:
  using type = typed_behavior<Sigs...>;
};

} // namespace caf
