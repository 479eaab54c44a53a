#pragma once

#include "pulse/actors/internal/hub/actor.hpp"
#include "pulse/actors/internal/runtime/delayed_calls.hpp"
#include "pulse/actors/internal/runtime/retry_backoff.hpp"
#include "pulse/core/reading/page_hub.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <string>

namespace pulse::internal {

/// A hub with the message that only the hub itself sends.
using hub_self
  = extended_interface<hub_actor, caf::result<void>(caf::tick_atom)>;

using hub_ptr = hub_self::pointer;

using hub_timers = delayed_calls<hub_ptr>;

/// What the parts of a hub share.
struct hub_context {
  hub_ptr self;
  connection_source redis;
  hub_timers timers;
  random_engine random;
  page_hub pages;
};

} // namespace pulse::internal
