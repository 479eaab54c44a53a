#pragma once

#include "pulse/actors/messages.hpp"
#include "pulse/core/outcome.hpp"

#include <caf/error.hpp>

#include <string>

namespace pulse {

/// The `caf::error` for a failure: category "pulse", the text as context.
caf::error make_error(const failure& x);

/// The failure in a `caf::error`. Errors of CAF itself become the errc that
/// fits best: a request timeout is `timed_out`, a dead receiver `closed`, all
/// else `internal`; the text says which.
failure to_failure(const caf::error& x);

/// "connection_lost: …": what to print for people.
std::string describe(const caf::error& x);

} // namespace pulse
