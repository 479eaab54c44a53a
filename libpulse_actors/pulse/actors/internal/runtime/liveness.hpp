#pragma once

#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>

namespace pulse::internal {

/// @returns whether `who` is the handle of an actor that has not terminated, as
/// far as this node knows. The actor may still terminate the next moment: use
/// this for early errors only, and a monitor to learn of the end.
template <class Handle>
bool is_alive(const Handle& who) {
  return who
         && !caf::actor_cast<caf::abstract_actor*>(who)->getf(
           caf::abstract_actor::is_terminated_flag);
}

} // namespace pulse::internal
