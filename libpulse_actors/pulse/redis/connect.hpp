#pragma once

#include "pulse/core/outcome.hpp"
#include "pulse/redis/endpoint.hpp"

#include <string>
#include <vector>

namespace pulse::redis {

/// Addresses for connect(), which are tried one after the other.
using addresses = std::vector<std::string>;

/// @returns the addresses of `x` that are known without the resolver: the host
/// if it is an IP address, both loopback addresses for "localhost", an empty
/// text for a Unix socket. The result is empty if the name must be resolved.
addresses known_addresses(const endpoint& x);

/// Asks the resolver for the addresses of `host`. This blocks the thread,
/// perhaps for many seconds. Error: `errc::connect_failed` with the reason of
/// the resolver.
outcome<addresses> resolve(const std::string& host);

/// Begins to connect to `x` at `address` and does not wait for the end of that,
/// so an error may appear later, when the socket is used. The socket is
/// non-blocking and is closed by exec. Over TCP it sends small writes at once,
/// and notices a dead peer within 20 seconds, both if it is idle (keepalive)
/// and if data are under way.
/// @returns the socket, which its owner must close.
/// Error: `errc::connect_failed` if the attempt fails at once.
outcome<int> connect(const endpoint& x, const std::string& address);

} // namespace pulse::redis
