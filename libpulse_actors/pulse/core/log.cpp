#include "pulse/core/log.hpp"

#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>

namespace pulse {

namespace {

void write_to_stderr(log_level level, std::string_view line) {
  if (level < log_level::warning)
    return;
  // One call per line, so that the lines of several threads do not mix.
  const auto text = "pulse " + to_string(level) + ": " + std::string{line}
                    + '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
}

using shared_function = std::shared_ptr<const log_function>;

// The log target is never destroyed, because threads may still log while the
// process ends.
struct log_target {
  std::mutex mutex;
  shared_function fn = std::make_shared<log_function>(write_to_stderr);

  static log_target& instance() {
    static auto* result = new log_target;
    return *result;
  }

  shared_function get() {
    std::lock_guard<std::mutex> guard{mutex};
    return fn;
  }

  void set(shared_function x) {
    // The old function is destroyed after the lock was released.
    std::unique_lock<std::mutex> guard{mutex};
    fn.swap(x);
    guard.unlock();
  }
};

} // namespace

std::string to_string(log_level x) {
  switch (x) {
    case log_level::debug:
      return "debug";
    case log_level::info:
      return "info";
    case log_level::warning:
      return "warning";
    case log_level::error:
      return "error";
  }
  return "unknown";
}

void set_log_function(log_function fn) {
  log_target::instance().set(std::make_shared<log_function>(std::move(fn)));
}

void log(log_level level, std::string_view component, std::string_view line) {
  const auto fn = log_target::instance().get();
  if (!*fn)
    return;
  std::string text{component};
  text.append(": ").append(line);
  (*fn)(level, text);
}

} // namespace pulse
