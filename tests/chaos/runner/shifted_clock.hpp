#pragma once

#include <cstdint>
#include <string>

namespace pulse::chaos {

/// Controls the wall clock of a redis-server that is started between the
/// constructor and release(). Needs the library pulse-chaos-clock.so in the
/// directory of this program.
class shifted_clock {
public:
  /// From now on until release(), new child processes use the shifted clock.
  /// @param directory The directory for the file with the offset.
  explicit shifted_clock(const std::string& directory);
  shifted_clock(const shifted_clock&) = delete;
  shifted_clock& operator=(const shifted_clock&) = delete;
  ~shifted_clock();

  /// From now on, new child processes use the true clock.
  static void release();

  /// Sets how far the clock is ahead of the true time.
  void set(int64_t offset_us);

private:
  int fd_;
};

} // namespace pulse::chaos
