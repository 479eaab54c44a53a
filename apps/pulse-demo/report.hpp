#pragma once

#include "pulse-demo/tally.hpp"

#include <chrono>
#include <mutex>
#include <string>

namespace pulse::apps {

/// What Redis says about the demo's stream and sink.
struct sink_state {
  uint64_t consumers = 0;
  uint64_t pending = 0;
  uint64_t lag = 0;
  uint64_t acked = 0;
  bool finished = false;
};

/// Prints the output of the demo. Thread-safe.
class report {
public:
  /// @param total Number of lines to add.
  explicit report(size_t total);

  /// Prints a line with the time since the start.
  void print(const std::string& text);

  /// Rewrites the progress line. Without a terminal, prints a line per second.
  void progress(const tally_counts& counts, const sink_state& sink);

  /// Ends the progress line.
  void end_progress();

  /// Prints the table at the end. @returns whether nothing was lost.
  bool summary(const tally& totals, const sink_state& sink);

private:
  using clock = std::chrono::steady_clock;

  void clear_line();
  [[nodiscard]] std::string elapsed() const;

  std::mutex mutex_;
  uint64_t total_;
  bool terminal_;
  bool line_shown_ = false;
  clock::time_point begin_ = clock::now();
  clock::time_point last_line_;
};

} // namespace pulse::apps
