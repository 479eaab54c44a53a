#pragma once

#include <cstdint>
#include <string>

namespace pulse::chaos {

/// The wall clock of a redis-server that is started while this object is young;
/// needs the library pulse-chaos-clock.so beside this program.
class shifted_clock {
public:
  /// Child processes started from here on see the clock, up to release().
  /// @param directory Where the file with the offset goes.
  explicit shifted_clock(const std::string& directory);
  shifted_clock(const shifted_clock&) = delete;
  shifted_clock& operator=(const shifted_clock&) = delete;
  ~shifted_clock();

  /// Child processes started from here on do not see it.
  static void release();

  /// Steps the clock: so far ahead of the true time it is then.
  void set(int64_t offset_us);

private:
  int fd_;
};

} // namespace pulse::chaos
