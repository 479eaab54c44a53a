#pragma once

/// Everything that users of the library need. For a private Redis in examples
/// and tests, see pulse/testing/demo_redis.hpp and local_redis.hpp.

#include "pulse/actors/ask.hpp"
#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/system.hpp"
#include "pulse/core/log.hpp"

// What every program with actors uses of CAF.
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
