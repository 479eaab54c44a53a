#pragma once

#include "pulse/actors/internal/caf/counted_task.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/core/event_filter.hpp"

#include <caf/intrusive_ptr.hpp>

#if CAF_MAJOR_VERSION < 1
#  include "pulse/core/poll_window.hpp"

#  include <caf/actor_config.hpp>
#  include <caf/execution_unit.hpp>
#  include <caf/io/network/multiplexer.hpp>
#  include <caf/mailbox_element.hpp>
#endif

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace pulse::internal {

#if CAF_MAJOR_VERSION < 1

/// Runs actors on the thread of the multiplexer, beside the connections of
/// their endpoint. A message between them wakes no thread, and neither does a
/// message from another thread while they run. The actors must not block and
/// must not run code of users, because they would stop all input and output.
///
/// The multiplexer itself would take one woken actor from its pipe between two
/// calls of epoll_wait. Here, one write to the pipe wakes all actors that have
/// something to do.
///
/// Actors of the scheduler that get messages from actors of the host are woken
/// when all of these have run. So an actor that gets many replies is woken
/// once. Brokers wake them at once.
///
/// While work comes at short intervals, the thread does not sleep between its
/// turns, see redis_options::busy_poll_us.
class io_host final : public caf::execution_unit, public counted_task {
public:
  /// @param busy_poll Maximum time to look for work before the thread sleeps.
  io_host(caf::actor_system& sys, std::chrono::microseconds busy_poll);

  /// Runs an actor soon: on the thread of the multiplexer if it is an actor of
  /// a host or a broker, otherwise on the scheduler. Any thread may call this.
  /// @param x Takes over one reference.
  void exec_later(caf::resumable* x) override;

  resume_result resume(caf::execution_unit* thread, size_t throughput) override;

private:
  [[nodiscard]] bool is_running_here() const {
    return running_in_ == std::this_thread::get_id();
  }

  using clock = std::chrono::steady_clock;

  bool run(size_t throughput);
  bool run_ready(size_t throughput, clock::time_point end);
  void run_later(caf::resumable* x);
  void wake_others();

  caf::io::network::multiplexer& multiplexer_;
  std::mutex mutex_;
  /// The actors that have something to do.
  std::vector<caf::resumable*> ready_;
  /// The multiplexer knows that this has something to do.
  bool posted_ = false;
  /// The thread that runs the actors at the moment.
  std::atomic<std::thread::id> running_in_;

  // Only the thread that runs the actors uses these.
  std::vector<caf::resumable*> running_;
  /// Actors of the scheduler that got messages.
  std::vector<caf::resumable*> others_;
  poll_window poll_;
};

/// Null: actors run on the scheduler.
using io_host_ptr = caf::intrusive_ptr<io_host>;

/// @returns null if the actor system has no middleman, or has CAF's scheduler
/// for tests, which runs actors step by step.
io_host_ptr make_io_host(caf::actor_system& sys,
                         std::chrono::microseconds busy_poll);

/// What an actor of a host can do besides.
class hosted_actor {
public:
  /// Gets a message. If that wakes the actor, it runs on `unit`.
  virtual void enqueue_on(caf::mailbox_element_ptr x, caf::execution_unit* unit)
    = 0;

  /// Makes the actor run on the scheduler from its next message on, or in its
  /// host again. Only the actor itself may call this.
  virtual void use_host(bool x) = 0;

protected:
  ~hosted_actor() = default;
};

/// Sends a message to an actor. If that wakes the actor, it runs on the
/// scheduler, if the sender does.
/// @param unit Where the sender runs.
void enqueue_beside(caf::abstract_actor& to, caf::mailbox_element_ptr x,
                    caf::execution_unit* unit);

/// See hosted_actor. Has no effect on an actor without a host.
template <class Self>
void use_host(Self self, bool x) {
  if (auto* hosted = dynamic_cast<hosted_actor*>(self))
    hosted->use_host(x);
}

/// An actor of a host, if `cfg.host` is one. Otherwise it is as any other.
template <class Base>
class hosted : public Base, public hosted_actor {
public:
  explicit hosted(caf::actor_config& cfg)
    : Base(cfg),
      host_(dynamic_cast<io_host*>(cfg.host)),
      is_hosted_(host_ != nullptr) {
    // nop
  }

  void enqueue(caf::mailbox_element_ptr x, caf::execution_unit* unit) override {
    Base::enqueue(std::move(x), is_hosted_ ? host_.get() : unit);
  }

  void enqueue(caf::strong_actor_ptr sender, caf::message_id id,
               caf::message content, caf::execution_unit* unit) override {
    Base::enqueue(std::move(sender), id, std::move(content),
                  is_hosted_ ? host_.get() : unit);
  }

  void enqueue_on(caf::mailbox_element_ptr x,
                  caf::execution_unit* unit) override {
    Base::enqueue(std::move(x), unit);
  }

  void use_host(bool x) override {
    is_hosted_ = x && host_;
  }

  caf::resumable::subtype_t subtype() const override {
    return is_hosted_ ? caf::resumable::io_actor : Base::subtype();
  }

private:
  io_host_ptr host_;
  std::atomic<bool> is_hosted_;
};

/// As spawn_state(), for an actor of a host.
template <class State, class... Ts>
auto spawn_hosted_state(caf::actor_system& sys, const io_host_ptr& host,
                        Ts&&... xs) {
  using base = hosted<typename State::self_type::base>;
  using pointer = caf::stateful_actor<state_box<State>, base>*;
  auto init = [](pointer self, std::decay_t<Ts>... ys) {
    return state_of(self).value.emplace(self, std::move(ys)...).make_behavior();
  };
  caf::actor_config cfg{host.get()};
  return sys.spawn_functor(std::true_type{}, cfg, init,
                           std::forward<Ts>(xs)...);
}

#else

/// The actors of CAF 1.x run on the scheduler.
using io_host_ptr = std::nullptr_t;

inline io_host_ptr make_io_host(caf::actor_system&, std::chrono::microseconds) {
  return nullptr;
}

template <class Self>
void use_host(Self, bool) {
  // nop
}

inline void enqueue_beside(caf::abstract_actor& to, caf::mailbox_element_ptr x,
                           caf::scheduler* unit) {
  to.enqueue(std::move(x), unit);
}

template <class State, class... Ts>
auto spawn_hosted_state(caf::actor_system& sys, io_host_ptr, Ts&&... xs) {
  return spawn_state<State>(sys, std::forward<Ts>(xs)...);
}

#endif

/// @returns where an actor runs that calls the predicate of `filter`: code of
/// users must not stop all input and output.
inline io_host_ptr host_for(const filter_options& filter,
                            const io_host_ptr& host) {
  return filter.predicate ? nullptr : host;
}

} // namespace pulse::internal

#if CAF_MAJOR_VERSION < 1

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

#endif
