#pragma once

#include "pulse/core/options.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pulse::simulation {

/// How often workers misbehave: once in so many events; 0: never.
struct moods {
  uint32_t fail = 0;
  uint32_t reject = 0;
  uint32_t crash = 0;
  uint32_t hang = 0;
  /// Longest time of a handler that does not hang.
  milliseconds longest_work{20};
};

struct sink_plan {
  sink_options options;
  /// Nodes that open it, by their place.
  std::vector<uint32_t> places;
  uint32_t workers = 1;
  /// Most events of a batch, for about a third of the workers; the others take
  /// single events.
  uint32_t max_batch = 0;
};

struct reader_plan {
  reader_options options;
  uint32_t place = 0;
};

struct producer_plan {
  std::string stream;
  uint32_t place = 0;
  uint32_t events = 0;
  /// Longest pause between two adds.
  milliseconds longest_pause{100};
};

enum class fault_kind : uint8_t {
  /// One link breaks.
  cut_link,
  /// Nothing gets through for a time.
  black_hole,
  /// The node dies, and another one comes to its place later.
  kill_node,
  /// The node stands still for a time, while the clocks go on.
  pause_node,
  /// The machine sleeps: only the time since boot goes on.
  suspend_node,
  /// The server is away for a time.
  stop_server,
  flush_scripts,
  /// One sink is closed, and opened again later.
  close_sink,
  /// What the server says on one link does not arrive for a time.
  mute_link,
  /// A consumer group is deleted.
  destroy_group,
  /// A worker leaves a sink, and another one comes.
  swap_worker,
  count,
  /// The consumer of a live sink is deleted. This happens only in runs of their
  /// own, without the faults that make such a deletion a loss.
  delete_consumer = count
};

struct fault_plan {
  fault_kind kind = fault_kind::cut_link;
  milliseconds at{0};
  milliseconds length{0};
  uint32_t place = 0;
};

/// Everything about a run that its seed decides beforehand.
struct plan {
  uint64_t seed = 0;
  uint32_t places = 1;
  std::vector<std::string> streams;
  std::vector<sink_plan> sinks;
  std::vector<reader_plan> readers;
  std::vector<producer_plan> producers;
  std::vector<fault_plan> faults;
  redis_options redis;
  moods workers;
  std::chrono::microseconds longest_delay{2'000};
  /// How long faults may begin.
  milliseconds active{5'000};
  /// How long all may take to settle once faults have ended.
  milliseconds patience{120'000};
};

/// What a run may contain.
struct plan_limits {
  bool faults = true;
  bool misbehaviour = true;
};

plan make_plan(uint64_t seed, const plan_limits& limits);

std::string to_string(fault_kind x);

} // namespace pulse::simulation
