#include "common/output/log_setup.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

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

} // namespace

void start_logging(pulse::log_level lowest) {
  // Our own, not a registered one: it must outlive the last thread that logs.
  static auto& logger
    = *new std::shared_ptr<spdlog::logger>{std::make_shared<spdlog::logger>(
      "pulse", std::make_shared<spdlog::sinks::stderr_color_sink_mt>())};
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
    "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v", spdlog::pattern_time_type::utc));
  logger->set_level(level_of(lowest));
  set_log_function([](pulse::log_level level, std::string_view line) {
    logger->log(level_of(level),
                spdlog::string_view_t{line.data(), line.size()});
  });
}

} // namespace pulse::apps
