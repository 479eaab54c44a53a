#pragma once

#include "pulse/actors/caf_version.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace pulse::internal {

/// Holds a `State` that is constructed once its arguments are available.
template <class State>
struct state_box {
  static inline const char* name = State::name;
  std::optional<State> value;
};

template <class Self>
auto& state_of(Self self) {
#if CAF_MAJOR_VERSION < 1
  return self->state;
#else
  return self->state();
#endif
}

/// Spawns a typed actor that constructs `State{self, xs...}`, runs
/// `State::make_behavior()` and destroys the state when the actor terminates.
/// CAF 1.x has `actor_from_state` for this purpose.
template <class State, caf::spawn_options Os = caf::no_spawn_options,
          class... Ts>
auto spawn_state(caf::actor_system& sys, Ts&&... xs) {
  using self_type = typename State::self_type;
  using pointer =
    typename self_type::template stateful_pointer<state_box<State>>;
  auto init = [](pointer self, std::decay_t<Ts>... ys) {
    return state_of(self).value.emplace(self, std::move(ys)...).make_behavior();
  };
  return sys.spawn<Os>(init, std::forward<Ts>(xs)...);
}

} // namespace pulse::internal
