#pragma once

#include <exception>
#include <string>

namespace pulse {

/// @returns what the exception says that is being handled.
/// @pre The caller is in a catch block.
inline std::string exception_text() {
  try {
    throw;
  } catch (const std::exception& x) {
    const std::string text = x.what();
    return text.empty() ? "an exception without a text" : text;
  } catch (...) {
    return "something that is no std::exception";
  }
}

} // namespace pulse
