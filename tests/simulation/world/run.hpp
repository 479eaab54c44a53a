#pragma once

#include "simulation/checker/findings.hpp"
#include "simulation/world/plan.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace pulse::simulation {

/// How to run a plan.
struct run_options {
  /// How many of the last steps to keep as text.
  size_t keep = 0;
  /// Gets each step as text, if set.
  std::function<void(const std::string&)> print;
};

/// What a run came to.
struct run_result {
  uint64_t seed = 0;
  std::vector<finding> found;
  uint64_t digest = 0;
  uint64_t steps = 0;
  std::chrono::milliseconds time{0};
  std::deque<std::string> last_steps;
};

run_result run(const plan& what, const run_options& how);

} // namespace pulse::simulation
