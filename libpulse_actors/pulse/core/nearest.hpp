#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pulse {

/// @returns the choice that `text` most likely was meant to be; empty if none
/// is close.
std::string nearest(std::string_view text,
                    const std::vector<std::string>& choices);

/// For error texts: "a, b or c", and "; did you mean b?" if `text` is close to
/// one of them.
std::string list_choices(std::string_view text,
                         const std::vector<std::string>& choices);

} // namespace pulse
