#pragma once

/// Everything that users of the library need.

#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/system.hpp"
#include "pulse/core/log.hpp"
#include "pulse/redis/local_redis.hpp"
