#pragma once

#include "pulse/core/options.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace pulse {

/// Decides which streams of a sink the next read asks, and for how many events.
///
/// The COUNT of XREADGROUP applies to each stream, so a read of many streams
/// must ask for few events of each, although mostly few of the streams have
/// events. So the planner remembers which streams have a backlog: those of
/// which the last read returned as many events as it asked for. It asks these
/// alone and for many events, and all streams now and then. If there are more
/// streams than the sink may hold events, it asks a part of them at a time, and
/// makes a pause after a part that had few events. It does the same if one
/// event of each stream would be too much at a time, as long as the streams
/// have events.
class read_planner {
public:
  using index = uint32_t;

  struct read {
    std::vector<index> streams;
    /// How many events of each stream.
    uint32_t count = 1;
    /// How long the read waits for events; empty: it does not wait.
    std::optional<milliseconds> block;
  };

  explicit read_planner(milliseconds block) noexcept : block_(block) {
    // nop
  }

  /// @param open The streams, in order.
  /// @param wanted How many events the sink wants.
  /// @param room How many events it may get at most.
  /// @param page How many events a read should bring at most.
  /// @pre All are at least 1, and no other read is under way.
  read next(const std::vector<index>& open, size_t wanted, size_t room,
            uint32_t page);

  /// Notes how many events of a stream the last read returned. For streams
  /// without events no call is necessary.
  void returned(index stream, size_t events) {
    returned_[stream] = events;
  }

  /// @returns how long to wait after the last read, whose events were noted,
  /// before the next one.
  [[nodiscard]] std::chrono::microseconds pause() const;

private:
  void note_results();
  void note_active(size_t asked, size_t with_events);
  read next_backlogged(size_t wanted, size_t room);
  [[nodiscard]] read next_of_all(const std::vector<index>& open, size_t wanted,
                                 size_t room) const;
  read next_part(const std::vector<index>& open, size_t room, size_t page);

  milliseconds block_;
  read last_;
  std::unordered_map<index, size_t> returned_;
  // The streams with a backlog; those that were read last come last.
  std::vector<index> backlogged_;
  // How many streams have events, as far as the last reads with events say.
  size_t active_ = 1;
  // Whether all streams were asked once. Until then, each may have events.
  bool asked_all_ = false;
  // How many streams were asked in parts since the last event.
  size_t silent_ = 0;
  // How many reads in a row asked only streams with a backlog.
  uint32_t in_a_row_ = 0;
  // If not all streams are asked at a time: where the next part begins, and
  // whether the last read asked a part.
  size_t next_ = 0;
  bool is_part_ = false;
  // How many streams were open at the last read.
  size_t open_ = 0;
};

} // namespace pulse
