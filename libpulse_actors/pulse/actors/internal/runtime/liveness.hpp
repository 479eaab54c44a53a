#pragma once

#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>

namespace pulse::internal {

/// @returns whether `who` is a valid handle of an actor that has not
/// terminated, as far as this node knows. It may still die the next moment:
/// this is for early errors, monitors do the rest.
template <class Handle>
bool is_alive(const Handle& who) {
  return who
         && !caf::actor_cast<caf::abstract_actor*>(who)->getf(
           caf::abstract_actor::is_terminated_flag);
}

} // namespace pulse::internal
