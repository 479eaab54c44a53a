#pragma once

#include "pulse/core/log.hpp"

#include <memory>

namespace pulse::apps {

/// Sends the library's log to standard error through spdlog: one line each,
/// with time (UTC), level and colours if that is a terminal.
void start_logging(pulse::log_level lowest);

/// Keeps the library's log until it is clear whether a command can begin. If it
/// cannot, its error says what these lines would say.
class held_log {
public:
  held_log();

  /// Drops the lines and switches logging off, unless release() was called.
  ~held_log();

  held_log(const held_log&) = delete;
  held_log& operator=(const held_log&) = delete;

  /// Calls start_logging() and logs the lines that were kept.
  void release(pulse::log_level lowest);

private:
  struct lines;
  std::shared_ptr<lines> kept_;
};

} // namespace pulse::apps
