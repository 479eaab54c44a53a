#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pulse::chaos {

/// @returns microseconds of CLOCK_BOOTTIME. All processes of a machine have
/// this clock in common, and it goes on while they are stopped.
int64_t now_us();

/// The facts that a process writes to a file outside Redis, one line each. The
/// kernel has a line when write() returns, so the line survives the death of
/// the process. Thread-safe.
class journal {
public:
  /// Ends the process if the file cannot be opened, because a process without a
  /// journal cannot be judged.
  explicit journal(const std::string& path);
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;
  ~journal();

  /// Writes "<now> <fact>\n". @returns the time it wrote.
  int64_t write(std::string_view fact);

private:
  int fd_;
};

} // namespace pulse::chaos
