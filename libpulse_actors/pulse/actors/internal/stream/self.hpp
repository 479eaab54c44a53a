#pragma once

#include "pulse/actors/caf_version.hpp"
#include "pulse/actors/stream_actor.hpp"

namespace pulse::internal {

/// The interface of a stream actor with the message that only the actor itself
/// sends.
using stream_self
  = extended_interface<stream_actor, caf::result<void>(caf::tick_atom)>;

} // namespace pulse::internal
