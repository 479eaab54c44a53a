#pragma once

#include <string>
#include <string_view>

namespace pulse::resp {

/// A Lua script of the library. Commands call it by EVALSHA; the connection
/// loads it when Redis does not know it (NOSCRIPT). Instances are never
/// destroyed.
struct script {
  /// For logs and error texts.
  std::string_view name;
  std::string_view source;
  /// SHA-1 of the source, 40 lower-case hex digits.
  std::string_view sha1;
};

} // namespace pulse::resp
