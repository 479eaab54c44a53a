#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace pulse {

/// Log lines of one kind that may come once per event. The first ones are
/// written one by one. If there are more, they are gathered, and one line per
/// interval has their number and the last one of them. When there were none for
/// an interval, the next ones are written one by one again.
class repeated_lines {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using write_function = std::function<void(const std::string&)>;

  /// How many lines are written one by one within an interval.
  static constexpr uint32_t max_single = 10;
  static constexpr std::chrono::seconds interval{10};

  /// @param what Follows the number in the line about many, e.g. "more events
  /// became dead letters".
  repeated_lines(std::string what, write_function write);

  /// Writes the number of lines that were gathered and not reported yet.
  ~repeated_lines();

  repeated_lines(const repeated_lines&) = delete;
  repeated_lines& operator=(const repeated_lines&) = delete;

  /// Writes or gathers a line.
  void add(std::string line, time_point now);

  /// Call this now and then, at least once per interval while lines are
  /// gathered: it writes the line about them when it is due.
  void tick(time_point now);

private:
  void write_gathered();

  std::string what_;
  write_function write_;
  // When the current interval began.
  time_point begin_;
  bool running_ = false;
  uint32_t single_ = 0;
  uint64_t gathered_ = 0;
  std::string last_;
  time_point last_time_;
};

} // namespace pulse
