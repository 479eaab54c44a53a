#pragma once

#include "pulse/core/event_id.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pulse::simulation {

/// Names and values of an entry, in turn.
using entry_fields = std::vector<std::string>;

/// A member of a consumer group.
struct consumer {
  /// When it read or claimed last, in ms.
  int64_t seen_at = 0;
  std::set<event_id> pending;
};

/// One pending entry of a group.
struct pending_entry {
  std::string owner;
  int64_t delivered_at = 0;
  int64_t deliveries = 1;
};

/// A consumer group, as Redis 7.0 keeps it.
struct group {
  event_id last_delivered;
  /// Nothing: Redis lost count.
  std::optional<int64_t> entries_read;
  std::map<std::string, consumer> consumers;
  std::map<event_id, pending_entry> pending;

  /// Finds or creates a consumer, and notes that it was seen.
  consumer& see(const std::string& name, int64_t now);

  /// Makes `name` the owner of an entry that is pending, or becomes so.
  pending_entry& assign(event_id id, const std::string& name);

  /// @returns whether it was pending.
  bool acknowledge(event_id id);
};

/// A stream, as Redis 7.0 keeps it: its entries lie in nodes, which decide how
/// much an approximate trim removes.
class stream {
public:
  /// How entries are removed: down to a number of them, or below an ID.
  struct trim_rule {
    std::optional<int64_t> max_len;
    event_id min_id;
    bool approximate = false;
    int64_t limit = 0;
  };

  /// @param node_size Entries per node: `stream-node-max-entries`.
  explicit stream(int64_t node_size) : node_size_(node_size) {
    // nop
  }

  std::map<std::string, group> groups;
  /// The highest ID ever given, and the highest one that was ever deleted.
  event_id last_id;
  event_id max_deleted;
  int64_t entries_added = 0;

  [[nodiscard]] const std::map<event_id, entry_fields>& entries() const {
    return entries_;
  }

  [[nodiscard]] int64_t length() const {
    return static_cast<int64_t>(entries_.size());
  }

  /// The first entry's ID; `event_id::min()` if there is none.
  [[nodiscard]] event_id first_id() const;

  /// The last entry's ID; `event_id::min()` if there is none.
  [[nodiscard]] event_id last_entry() const;

  /// The ID that "*" stands for at the time `now`.
  [[nodiscard]] event_id next_id(int64_t now) const;

  /// @pre `id > last_id`
  void add(event_id id, entry_fields fields);

  bool remove(event_id id);

  /// @returns how many entries it removed.
  int64_t trim(const trim_rule& rule);

  /// Hands the next entry to a group, as XREADGROUP with ">" does.
  void deliver(group& to, const std::string& consumer, event_id id, bool acks,
               int64_t now) const;

  /// How many entries a group that was given all up to `id` has read.
  [[nodiscard]] std::optional<int64_t> entries_up_to(event_id id) const;

  /// Entries that the group was not given yet; nothing: unknown.
  [[nodiscard]] std::optional<int64_t> lag(const group& of) const;

private:
  struct node {
    int64_t live = 0;
    int64_t total = 0;
    event_id last;
  };

  [[nodiscard]] bool has_gaps_behind(event_id id) const;
  void erase(event_id id);

  int64_t node_size_;
  std::map<event_id, entry_fields> entries_;
  // By the ID of the first entry that a node ever had.
  std::map<event_id, node> nodes_;
};

} // namespace pulse::simulation
