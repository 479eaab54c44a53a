#pragma once

#include "simulation/model/redis_model.hpp"

#include <optional>
#include <string>

namespace pulse::simulation {

/// Takes commands out of a stream of bytes that comes in pieces.
class command_reader {
public:
  void feed(const std::string& bytes) {
    buffer_ += bytes;
  }

  /// @returns the next complete command, if there is one.
  /// @pre The bytes are commands in RESP, as the library writes them.
  std::optional<arguments> next();

private:
  // The number in a line such as "*3". Moves `at` behind the line.
  [[nodiscard]] std::optional<size_t> read_number(size_t& at) const;

  std::string buffer_;
};

} // namespace pulse::simulation
