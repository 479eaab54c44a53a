#pragma once

#include "pulse/actors/messages.hpp"
#include "pulse/core/outcome.hpp"

#include <caf/error.hpp>

#include <string>

namespace pulse {

/// @returns the failure as a `caf::error`: its category is "pulse", its context
/// is the text. A failure with `errc::none` gives an empty error.
[[nodiscard]] caf::error make_error(const failure& x);

/// @returns the failure that a `caf::error` holds. Errors of CAF itself are
/// translated: a request timeout to `timed_out`, a terminated receiver to
/// `closed`, a failed connection between nodes to `connect_failed`, all others
/// to `internal`. The text then has the error of CAF.
[[nodiscard]] failure to_failure(const caf::error& x);

/// @returns code and text for people, e.g. "connection_lost: …".
[[nodiscard]] std::string describe(const caf::error& x);

} // namespace pulse
