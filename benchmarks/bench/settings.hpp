#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace pulse::bench {

/// What the command line says about all scenarios.
struct settings {
  /// How often each scenario is measured.
  int rounds = 5;
  /// Scenarios that run for a time run this long; the numbers of events of the
  /// others are multiplied by it.
  double seconds = 1;
  /// Bytes of each payload.
  size_t payload = 64;
  /// Whether clients connect by TCP on the loopback interface, or by the Unix
  /// socket of the server.
  bool tcp = true;
  /// Number of threads of CAF's scheduler; 0: CAF's default.
  size_t threads = 0;

  [[nodiscard]] std::chrono::duration<double> duration() const {
    return std::chrono::duration<double>{seconds};
  }

  /// @returns `n` events, adapted to the wanted length.
  [[nodiscard]] size_t events(size_t n) const {
    const auto result = static_cast<size_t>(static_cast<double>(n) * seconds);
    return result > 0 ? result : 1;
  }
};

} // namespace pulse::bench
