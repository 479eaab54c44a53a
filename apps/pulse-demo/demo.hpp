#pragma once

#include "common/signals.hpp"

#include <string>
#include <vector>

namespace pulse::apps {

struct demo_options {
  /// Lines to feed. Must not be empty.
  std::vector<std::string> lines;
  /// What the nodes run.
  std::string config;
};

/// Plays the demo: a private Redis, two nodes that share a sink, a reader; one
/// node is killed in the middle.
/// @returns the exit status: 0 if nothing was lost, 1 if not, 128 + signal if
/// one came.
int play(const demo_options& options, stop_signals& signals);

} // namespace pulse::apps
