#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pulse {

/// @returns the choice that the user most likely meant with `text`; empty if no
/// choice is similar to it.
std::string nearest(std::string_view text,
                    const std::vector<std::string>& choices);

/// @returns the choices for an error text, as "a, b or c", followed by "; did
/// you mean b?" if `text` is similar to one of them.
std::string list_choices(std::string_view text,
                         const std::vector<std::string>& choices);

} // namespace pulse
