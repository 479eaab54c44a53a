#pragma once

#include "pulse/core/outcome.hpp"

#include <string_view>

namespace pulse::internal {

/// @param where What failed, for instance a stream. It goes in front of the
/// text.
/// @returns the failure, with the advice for its code if its text is one of
/// Redis, which does not know what a user of this library can do.
failure with_advice(std::string_view where, const failure& x);

} // namespace pulse::internal
