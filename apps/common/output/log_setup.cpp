#include "common/output/log_setup.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace pulse::apps {

namespace {

spdlog::level::level_enum level_of(pulse::log_level x) {
  switch (x) {
    case pulse::log_level::debug:
      return spdlog::level::debug;
    case pulse::log_level::info:
      return spdlog::level::info;
    case pulse::log_level::warning:
      return spdlog::level::warn;
    case pulse::log_level::error:
      break;
  }
  return spdlog::level::err;
}

spdlog::logger& stderr_logger() {
  // Our own, not a registered one: it must outlive the last thread that logs.
  static auto& result = *new spdlog::logger{
    "pulse", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()};
  return result;
}

void write(pulse::log_level level, std::string_view line) {
  stderr_logger().log(level_of(level),
                      spdlog::string_view_t{line.data(), line.size()});
}

} // namespace

void start_logging(pulse::log_level lowest) {
  auto& logger = stderr_logger();
  logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
    "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v", spdlog::pattern_time_type::utc));
  logger.set_level(level_of(lowest));
  set_log_function(write);
}

struct held_log::lines {
  std::mutex mutex;
  std::vector<std::pair<pulse::log_level, std::string>> all;
};

held_log::held_log() : kept_(std::make_shared<lines>()) {
  set_log_function(
    [kept = kept_](pulse::log_level level, std::string_view line) {
      std::lock_guard<std::mutex> guard{kept->mutex};
      kept->all.emplace_back(level, line);
    });
}

held_log::~held_log() {
  if (kept_ != nullptr)
    set_log_function(nullptr);
}

void held_log::release(pulse::log_level lowest) {
  if (kept_ == nullptr)
    return;
  start_logging(lowest);
  const auto kept = std::exchange(kept_, nullptr);
  std::lock_guard<std::mutex> guard{kept->mutex};
  for (const auto& [level, line] : kept->all)
    write(level, line);
}

} // namespace pulse::apps
