#pragma once

#include "pulse/core/outcome.hpp"
#include "pulse/redis/endpoint.hpp"

#include <string>
#include <vector>

namespace pulse::redis {

/// Addresses to try in turn, as dial() takes them.
using addresses = std::vector<std::string>;

/// @returns the addresses of `x` that are known without asking anybody: its
/// host if that is an IP address, both loopback addresses for "localhost", an
/// empty text for a Unix socket; nothing if the name must be resolved.
addresses known_addresses(const endpoint& x);

/// Asks the resolver for the addresses of `host`. Blocks, perhaps for many
/// seconds. Error: `errc::connect_failed` with the resolver's reason.
outcome<addresses> resolve(const std::string& host);

/// Starts to connect to `x` at `address` without waiting: an error may show up
/// later, when the socket is used. The socket neither blocks nor outlives
/// exec. Over TCP it sends small writes at once and notices a dead peer within
/// 20 seconds, whether it is idle (keepalive) or has data under way.
/// @returns the socket; its owner must close it.
/// Error: `errc::connect_failed` if it is clear already.
outcome<int> dial(const endpoint& x, const std::string& address);

} // namespace pulse::redis
