#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pulse::chaos {

/// Microseconds of CLOCK_BOOTTIME: one clock for all processes of a machine,
/// which goes on while they are stopped.
int64_t now_us();

/// Facts that a process leaves behind, one line each, outside Redis. A line is
/// with the kernel when write() returns: it survives the process' death, and
/// the machine is not what dies here. Thread-safe.
class journal {
public:
  /// Ends the process if the file cannot be opened: without its journal it must
  /// not work.
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
