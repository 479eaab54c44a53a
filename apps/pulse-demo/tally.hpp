#pragma once

#include "pulse/core/event_id.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace pulse::apps {

/// The counts at one moment.
struct tally_counts {
  uint64_t added = 0;
  /// Lines that each node wrote.
  std::vector<uint64_t> by_node;
  /// Different events among them.
  uint64_t delivered = 0;
  /// Events that were written more than once.
  uint64_t twice = 0;
  /// Deliveries after the first one, as the nodes said.
  uint64_t redelivered = 0;
  /// Events of the reader.
  uint64_t read = 0;

  /// Events added that no node wrote.
  [[nodiscard]] uint64_t missing() const noexcept {
    return added - delivered;
  }
};

/// Counts which events were added, and which node delivered them how often.
/// Thread-safe.
class tally {
public:
  explicit tally(size_t nodes);

  void add(event_id id);

  /// A node wrote a line about the event.
  void deliver(size_t node, event_id id, uint32_t deliveries);

  /// The reader got an event.
  void read(const std::string& topic);

  [[nodiscard]] tally_counts counts() const;

  /// Events of the reader by topic, the most frequent first.
  [[nodiscard]] std::vector<std::pair<std::string, uint64_t>> topics() const;

private:
  struct record {
    bool added = false;
    uint32_t lines = 0;
  };

  mutable std::mutex mutex_;
  tally_counts counts_;
  std::unordered_map<event_id, record> records_;
  std::map<std::string, uint64_t> topics_;
};

} // namespace pulse::apps
