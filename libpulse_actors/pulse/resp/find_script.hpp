#pragma once

#include "pulse/resp/script.hpp"

#include <string_view>

namespace pulse::resp {

/// @returns the script of the library with this digest; null if there is none.
const script* find_script(std::string_view sha1) noexcept;

} // namespace pulse::resp
