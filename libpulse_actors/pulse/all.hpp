#pragma once

/// Everything that users of the library need. For a private Redis in examples
/// and tests, see pulse/testing/demo_redis.hpp and local_redis.hpp.

#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/system.hpp"
#include "pulse/core/log.hpp"
