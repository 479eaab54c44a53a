#pragma once

#include "pulse/core/event_id.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// The history of a run, from its journals. Times are microseconds of
// CLOCK_BOOTTIME. The events of all producers are numbered together.

namespace pulse::chaos {

/// The settings of the run that the checker needs.
struct settings {
  int64_t lease_us = 1'000'000;
  int64_t ack_wait_us = 2'000'000;
  int64_t sweep_us = 250'000;
  /// Whether Redis may lose the last writes when it is killed.
  bool fsync_always = true;
  /// Event n of a producer has topic n modulo this.
  uint32_t keys = 64;
  /// Whether the promised times are judged, too. Do not use it on a busy
  /// machine or with sanitizers.
  bool judge_times = false;
  /// How much the memory of a process may grow from the first to the last
  /// quarter of the run, in addition to half of its first size.
  int64_t memory_slack_kb = 32'768;
};

struct add {
  enum class outcome : uint8_t { open, ok, failed, unknown };

  int64_t invoked = 0;
  int64_t answered = 0;
  event_id id;
  outcome how = outcome::open;
};

/// One sink actor of a process, from its opening to its closing or death.
struct instance {
  std::string slot;
  std::string sink;
  bool keyed = false;
  /// The pauses after failures; empty: unknown.
  std::vector<int64_t> backoff_us;
  /// Its lease; 0: that of the settings.
  int64_t lease_us = 0;
  /// When it had been opened.
  int64_t opened = 0;
};

/// One delivery of an event to a worker.
struct execution {
  enum class end : uint8_t {
    none,
    done,
    failed,
    crashed,
    /// The worker ended normally and without an answer.
    left,
  };

  uint32_t event = 0;
  uint32_t at = 0; // index of the instance
  uint32_t worker = 0;
  uint32_t deliveries = 0;
  uint32_t failures = 0;
  uint32_t crashes = 0;
  event_id id;
  int64_t began = 0;
  int64_t ended = 0;
  end how = end::none;
};

/// A fault that the harness caused, or that a worker caused on purpose.
struct fault {
  int64_t begin = 0;
  int64_t end = 0;
  std::string kind;
  /// The slot of the process that it hit, or the sink; empty: all processes.
  std::string slot;
  /// The time until which it explains duplicates, see find_aftermaths().
  int64_t until = 0;
  /// How many events it took from a group: pending ones (del-consumer), or ones
  /// that the group was never given (setid). For group-destroy: the number of
  /// groups.
  int64_t taken = 0;
  /// For setid: where the group was, and where it was moved to.
  event_id from;
  event_id to;
};

/// A notice of a sink.
struct sink_notice {
  int64_t at = 0;
  std::string slot;
  std::string sink;
  /// As in "stream_reset".
  std::string kind;
  bool data_loss = false;
  int64_t lost_at_most = 0;
};

struct reader_run {
  std::string slot;
  bool from_oldest = false;
  /// Whether the reader ran until it was told to end.
  bool finished = false;
  std::vector<uint32_t> events;
  std::vector<event_id> ids;
  std::vector<int64_t> times;
};

struct stored_event {
  event_id id;
  uint32_t event = 0;
};

struct group_state {
  int64_t pending = 0;
  /// Names of its consumers.
  std::vector<std::string> consumers;
  /// Whether the group has been given all events of the stream.
  bool through = false;
};

/// The content of Redis after all processes had ended.
struct final_state {
  std::vector<stored_event> stream;
  /// For each sink the events that it gave up.
  std::map<std::string, std::vector<uint32_t>> dead;
  std::map<std::string, group_state> groups;
};

/// The memory of a process at one time.
struct sample {
  int64_t at = 0;
  int64_t rss_kb = 0;
};

/// What a process did during a long outage of Redis.
struct outage {
  std::string slot;
  double seconds = 0;
  double cpu_seconds = 0;
  int64_t connections = 0;
  int64_t attempts = 0;
};

struct history {
  /// The number of an event that no producer added.
  static constexpr uint32_t nobody = UINT32_MAX;

  settings how;
  std::vector<add> adds;
  std::vector<instance> instances;
  /// For each sink its executions, in the order of the journals.
  std::map<std::string, std::vector<execution>> sinks;
  std::vector<sink_notice> notices;
  std::vector<reader_run> readers;
  std::vector<fault> faults;
  final_state end;
  /// Samples of the processes that were never killed, by slot.
  std::map<std::string, std::vector<sample>> samples;
  std::vector<outage> outages;
  /// Events that were seen, but that no producer added: "<label> (<where>)".
  std::vector<std::string> phantoms;
  /// Processes that did not end as they should: "<slot> <how>".
  std::vector<std::string> bad_ends;

  /// @returns the name of an event for reports, as in "producer-0.1:17".
  [[nodiscard]] std::string label(uint32_t event) const;

  /// @returns the number of an event, or `nobody`.
  [[nodiscard]] uint32_t find(std::string_view label) const;

  /// @returns the topic of each event, as a number.
  [[nodiscard]] std::vector<uint32_t> topics() const;

  struct producer {
    std::string name;
    uint32_t first = 0;
    uint32_t count = 0;
  };
  std::vector<producer> producers;
};

} // namespace pulse::chaos
