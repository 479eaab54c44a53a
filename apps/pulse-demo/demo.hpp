#pragma once

#include "common/process/signals.hpp"

#include <string>
#include <vector>

namespace pulse::apps {

struct demo_options {
  /// Lines to feed. Must not be empty.
  std::vector<std::string> lines;
  /// What the nodes run.
  std::string config;
};

/// Runs the demo: it starts a private Redis, two nodes that share a sink, and a
/// reader, and kills one of the nodes in the middle.
/// @returns the exit status: 0 if nothing was lost, 1 if something failed,
/// 128 + signal if a signal ended the demo.
int run_demo(const demo_options& options, stop_signals& signals);

} // namespace pulse::apps
