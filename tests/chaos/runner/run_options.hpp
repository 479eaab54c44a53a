#pragma once

#include "chaos/node/misbehaviour.hpp"
#include "chaos/runner/plan.hpp"

#include <string>

namespace pulse::chaos {

/// The options of a run: the command line of pulse-chaos.
struct run_options {
  uint64_t seed = 0;
  int64_t duration_ms = 120'000;
  /// Events per second of all producers together.
  uint64_t rate = 400;
  /// Number of all events; 0: as many as fit into the duration.
  uint64_t events = 0;
  /// One event in this many is large, from 64 KiB up to 8 MiB; 0: none.
  uint64_t large = 2'000;
  bool fsync_always = false;
  std::vector<fault_kind> kinds;
  int64_t shortest_pause_ms = 300;
  int64_t longest_pause_ms = 1'500;
  /// Length of one long outage; 0: there is none.
  int64_t outage_ms = 0;
  /// How workers misbehave.
  std::vector<misdeed> misdeeds;
  size_t producers = 2;
  size_t audit = 3;
  size_t billing = 2;
  size_t readers = 2;
  size_t workers = 4;
  int64_t lease_ms = 1'000;
  /// Whether every second member of a sink has three times this lease.
  bool mixed_leases = false;
  int64_t ack_wait_ms = 2'000;
  int64_t sweep_ms = 250;
  int64_t work_us = 500;
  uint64_t keys = 64;
  /// How long it may take after the last fault until all events are delivered.
  int64_t drain_ms = 60'000;
  bool judge_times = false;
  int64_t memory_slack_kb = 32'768;
  /// The program of the nodes.
  std::string node;
  /// The directory for the journals; empty: a new one in /tmp, which is removed
  /// if no rule was violated.
  std::string directory;
  bool keep = false;
  /// The rule that must be violated, for nodes with a planted fault.
  std::string expect;
};

/// Reads the command line. @returns the exit status, or -1 if the run can
/// begin.
int parse(int argc, char** argv, run_options& out);

} // namespace pulse::chaos
