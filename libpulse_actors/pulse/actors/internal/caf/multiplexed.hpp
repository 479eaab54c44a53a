#pragma once

#include "pulse/actors/internal/caf/spawn_state.hpp"

#if CAF_MAJOR_VERSION < 1
#  include <caf/scheduler/test_coordinator.hpp>
#else
#  include <caf/actor_system_config.hpp>
// Headers of CAF 1.0 and 1.1 use this one without including it.
#  include <caf/log/io.hpp>
#endif
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>

#include <utility>

namespace pulse::internal {

#if CAF_MAJOR_VERSION < 1
using actor_host = caf::execution_unit;
#else
using actor_host = caf::scheduler;
#endif

/// An actor that runs on the thread of the multiplexer, as connections do. A
/// message between it and a connection wakes no thread. It must not run code of
/// users and must not block, because it would stop all input and output.
///
/// In an actor system without a middleman, it runs as any other actor. So it
/// does under CAF's scheduler for tests, which runs actors step by step.
template <class Base>
struct multiplexed : Base {
  explicit multiplexed(caf::actor_config& cfg)
    : Base(cfg), thread_(thread_of(this->home_system())) {
    // nop
  }

  auto enqueue(caf::mailbox_element_ptr x, actor_host* host)
    -> decltype(Base::enqueue(std::move(x), host)) override {
    return Base::enqueue(std::move(x), thread_ != nullptr ? thread_ : host);
  }

  void launch(actor_host* host, bool lazy, bool hide) override {
    Base::launch(thread_ != nullptr ? thread_ : host, lazy, hide);
  }

  // The multiplexer leaves actors of any other type to the scheduler.
  caf::resumable::subtype_t subtype() const
#if CAF_MAJOR_VERSION >= 1
    noexcept
#endif
    override {
    return thread_ != nullptr ? caf::resumable::io_actor : Base::subtype();
  }

private:
  static actor_host* thread_of(caf::actor_system& sys) {
    return sys.has_middleman() && !runs_step_by_step(sys)
             ? &sys.middleman().backend()
             : nullptr;
  }

  static bool runs_step_by_step(caf::actor_system& sys) {
#if CAF_MAJOR_VERSION < 1
    auto* scheduler = &sys.scheduler();
    return dynamic_cast<caf::scheduler::test_coordinator*>(scheduler)
           != nullptr;
#else
    return get_or(sys.config(), "caf.scheduler.policy", "") == "testing";
#endif
  }

  actor_host* thread_;
};

} // namespace pulse::internal

#if CAF_MAJOR_VERSION < 1

namespace caf {

// CAF defines this trait for its own actor classes only.

template <class... Sigs>
class behavior_type_of<
  pulse::internal::multiplexed<typed_event_based_actor<Sigs...>>> {
public:
  using type = typed_behavior<Sigs...>;
};

template <class State, class... Sigs>
class behavior_type_of<stateful_actor<
  State, pulse::internal::multiplexed<typed_event_based_actor<Sigs...>>>> {
public:
  using type = typed_behavior<Sigs...>;
};

} // namespace caf

#endif

namespace pulse::internal {

/// As spawn_state(), for an actor that runs on the thread of the multiplexer.
template <class State, class... Ts>
auto spawn_multiplexed_state(caf::actor_system& sys, Ts&&... xs) {
  using base = multiplexed<typename State::self_type::base>;
  using pointer = caf::stateful_actor<state_box<State>, base>*;
  auto init = [](pointer self, std::decay_t<Ts>... ys) {
    return state_of(self).value.emplace(self, std::move(ys)...).make_behavior();
  };
  return sys.spawn(init, std::forward<Ts>(xs)...);
}

} // namespace pulse::internal
