#pragma once

#include "pulse/actors/internal/caf/io_host.hpp"

#if CAF_MAJOR_VERSION >= 1
// typed_broker.hpp of CAF 1.0 and 1.1 uses this header without including it.
#  include <caf/log/io.hpp>
#endif
#include <caf/io/middleman.hpp>
#include <caf/io/typed_broker.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

#if CAF_MAJOR_VERSION < 1

namespace pulse::internal {

/// A broker that handles its messages in the turns of a host, if `cfg.host` is
/// one.
///
/// It closes its mailbox when it terminates. CAF 0.17.6 does not do that
/// (`abstract_broker::cleanup` omits what scheduled actors do), so requests to
/// a terminated broker would never get a reply, and would leak.
template <class Base>
class closing_broker : public Base {
public:
  explicit closing_broker(caf::actor_config& cfg)
    : Base(cfg), host_(dynamic_cast<io_host*>(cfg.host)) {
    // nop
  }

  void enqueue(caf::mailbox_element_ptr x, caf::execution_unit* unit) override {
    if (host_)
      // NOLINTNEXTLINE(bugprone-parent-virtual-call): Base ignores the host
      caf::scheduled_actor::enqueue(std::move(x), host_.get());
    else
      Base::enqueue(std::move(x), unit);
  }

  void enqueue(caf::strong_actor_ptr sender, caf::message_id id,
               caf::message content, caf::execution_unit* unit) override {
    enqueue(caf::make_mailbox_element(std::move(sender), id, {},
                                      std::move(content)),
            unit);
  }

  void launch(caf::execution_unit*, bool lazy, bool hide) override {
    Base::launch(&this->backend(), lazy, hide);
  }

  caf::resumable::resume_result resume(caf::execution_unit*,
                                       size_t throughput) override {
    return Base::resume(&this->backend(), throughput);
  }

  bool cleanup(caf::error&& why, caf::execution_unit* unit) override {
    this->close_all();
    // NOLINTNEXTLINE(bugprone-parent-virtual-call): the broker was closed above
    return caf::scheduled_actor::cleanup(std::move(why), unit);
  }

private:
  io_host_ptr host_;
};

} // namespace pulse::internal

namespace caf {

// CAF defines this trait for its own broker classes only.

template <class... Sigs>
class behavior_type_of<
  pulse::internal::closing_broker<io::typed_broker<Sigs...>>> {
public:
  using type = typed_behavior<Sigs...>;
};

template <class State, class... Sigs>
class behavior_type_of<stateful_actor<
  State, pulse::internal::closing_broker<io::typed_broker<Sigs...>>>> {
public:
  using type = typed_behavior<Sigs...>;
};

} // namespace caf

#endif

namespace pulse::internal {

#if CAF_MAJOR_VERSION < 1

template <class Handle>
using broker_base = closing_broker<typename Handle::broker_base>;

#else

template <class Handle>
using broker_base = typename Handle::broker_base;

#endif

/// Type of the pointer that the state of a broker gets as `self`.
template <class Handle>
using broker_pointer = broker_base<Handle>*;

/// As spawn_state(), for brokers: the state is `State{broker_pointer<…>,
/// xs...}`. Brokers run on the thread of the multiplexer.
template <class State, class... Ts>
auto spawn_broker_state(caf::actor_system& sys,
                        [[maybe_unused]] const io_host_ptr& host, Ts&&... xs) {
  using base = broker_base<typename State::self_type>;
  using pointer = caf::stateful_actor<state_box<State>, base>*;
  auto init = [](pointer self, std::decay_t<Ts>... ys) {
    return state_of(self).value.emplace(self, std::move(ys)...).make_behavior();
  };
#if CAF_MAJOR_VERSION < 1
  caf::actor_config cfg{host.get()};
  return sys.spawn_functor(std::true_type{}, cfg, init,
                           std::forward<Ts>(xs)...);
#else
  return sys.middleman().spawn_broker(init, std::forward<Ts>(xs)...);
#endif
}

/// @returns the bytes that arrived.
inline std::string_view bytes_of(const caf::io::new_data_msg& x) {
  return {reinterpret_cast<const char*>(x.buf.data()), x.buf.size()};
}

} // namespace pulse::internal
