#pragma once

#include "pulse/core/options.hpp"
#include "pulse/core/outcome.hpp"
#include "pulse/redis/endpoint.hpp"

#include <string>

namespace pulse::redis {

/// @returns the password for the next login: the password of the options, or
/// else the first line of `password_file`, or else the password of the URL. The
/// result is empty if there is none. Does not block: the file must be a regular
/// one.
/// Error: `errc::auth_failed` with the name of the file.
outcome<std::string> current_password(const redis_options& options,
                                      const endpoint& to);

} // namespace pulse::redis
