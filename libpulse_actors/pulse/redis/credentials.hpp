#pragma once

#include "pulse/core/options.hpp"
#include "pulse/core/outcome.hpp"
#include "pulse/redis/endpoint.hpp"

#include <string>

namespace pulse::redis {

/// @returns the password to log in with now: that of the options, else the
/// first line of `password_file`, else the URL's; empty: none.
/// Error: `errc::auth_failed` that names the file.
outcome<std::string> current_password(const redis_options& options,
                                      const endpoint& to);

} // namespace pulse::redis
