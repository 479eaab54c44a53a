#pragma once

#include "bench/scenario.hpp"

#include <functional>
#include <string>
#include <vector>

namespace pulse::bench {

/// One program in all rounds: one entry per round, with a value per metric.
struct series {
  std::vector<values> results;
  std::vector<usage> used;
};

/// What was measured of a scenario.
struct measured {
  scenario what;
  series limit; // empty if the scenario has no limit
  series library;

  [[nodiscard]] bool is_compared(size_t metric) const {
    return !limit.results.empty() && what.metrics[metric].is_compared;
  }
  [[nodiscard]] double median_limit(size_t metric) const;
  [[nodiscard]] double median_library(size_t metric) const;
  /// The ratio of the library to the limit in each round.
  [[nodiscard]] std::vector<double> ratios(size_t metric) const;
};

/// The medians of what Redis and this process used.
usage median_usage(const series& x);

/// Measures a scenario. In each round the limit and the library follow each
/// other, on an empty server; they take turns in going first.
/// @param progress Is told what begins.
measured measure(stage& at, const scenario& what,
                 const std::function<void(const std::string&)>& progress);

} // namespace pulse::bench
