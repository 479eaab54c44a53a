#pragma once

#include "pulse/core/event.hpp"
#include "pulse/core/streams/stream_state.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace pulse {

/// A stream and a consumer group of it, at one moment.
struct group_state {
  stream_state stream;
  /// The last ID that the group was given.
  event_id at;
  /// How many events the group was given, as Redis counts (entries-read);
  /// empty: Redis does not know.
  std::optional<uint64_t> read;
  /// How many events the stream has had up to `at`. That is known if the group
  /// is at the end of the stream, or if all these events were removed.
  std::optional<uint64_t> passed;
  /// Whether the audit set Redis' count from `read` to `passed`.
  bool corrected = false;
  /// Whether the event is in the stream about which the audit asked.
  bool has_asked_event = false;
};

/// What a sink knows about one of its consumer groups, from earlier audits and
/// from the events that it read. With that it finds out
/// - which events were removed before the group was given them,
/// - whether the stream was deleted, or went back to older data,
/// - whether somebody moved the group over events that it was not given, and
/// - where a group that vanished has to begin again.
///
/// These facts are certain. The count of read events (entries-read) is not:
/// when Redis loads an append-only file or becomes a master, the count is that
/// of the last correction. So the count only tells how many events were lost if
/// other facts show that events may be lost.
class group_history {
public:
  /// What an audit asks Redis. Nothing in it may be newer than the audit.
  struct question {
    /// The last event that the sink read; `event_id::min()`: none.
    event_id last_event;
    /// Whether the sink has audited this group before.
    bool audited = false;
    /// Whether to store the count of read events: see on_audit().
    bool store_count = false;
    /// How often contact with Redis was lost.
    uint64_t disturbances = 0;
  };

  struct finding {
    enum class type : uint8_t {
      /// Events were removed before the group was given them.
      gap,
      /// Somebody moved the group forwards.
      moved,
      /// The stream was deleted, or lost its last events.
      reset,
    };

    type kind = type::gap;
    /// Lost events have IDs after this one …
    event_id after;
    /// … and before this one. For a reset: not set.
    event_id first_available;
    /// Maximum number of lost events; 0: unknown.
    uint64_t lost = 0;
    /// Whether exactly `lost` events were lost.
    bool exact = false;
  };

  /// If the stream has exactly `count` events with IDs after `from` and up to
  /// `to`, this sink has read all of them, and the group can begin after
  /// `floor`.
  struct proof {
    event_id from;
    event_id to;
    uint64_t count = 0;
    event_id floor;
  };

  /// Where a group that vanished begins again.
  struct restart {
    enum class type : uint8_t {
      /// Only the group was deleted.
      same_stream,
      /// The stream was deleted as well.
      new_stream,
      /// The sink knows too little about the stream to tell.
      unknown,
    };

    type kind = type::same_stream;
    /// The floor, or the position of the group at the last audit if that is
    /// lower: members that joined since then may hold events behind it.
    event_id after;
    /// An estimate of the number of events up to `after`.
    uint64_t read = 0;
    /// What shows that nobody else read events since the last audit, if that
    /// can be shown.
    std::optional<proof> alone;
  };

  // -- events -----------------------------------------------------------------

  /// Call this for each event that the sink reads from the group.
  void received(const event& x);

  /// @returns the ID of the last event that the sink read from the stream;
  /// `event_id::min()`: none.
  [[nodiscard]] event_id last_event() const noexcept {
    return last_event_;
  }

  // -- audits -----------------------------------------------------------------

  /// @returns what the next audit has to ask. With `store_count`, the audit
  /// sets entries-read to the value that it has, so that an append-only file
  /// has it, too: reads alone do not store it. Then a count that is missing
  /// later shows that somebody moved the group, and a count that was loaded is
  /// only a few seconds old.
  [[nodiscard]] question ask(uint64_t disturbances);

  /// Compares the answer with what was known. An event that was lost is found
  /// only once by all sinks of a group, because the audit corrects entries-read
  /// at the same moment.
  std::optional<finding> on_audit(const group_state& now,
                                  const question& asked);

  // -- a group that vanished --------------------------------------------------

  /// @param floor The position before all events that are not acknowledged.
  /// @param found The stream; empty if it does not exist.
  /// @param same_event The event at last_event() as the stream has it now;
  /// empty if the stream has no such event.
  [[nodiscard]] restart
  restart_after(event_id floor, const std::optional<stream_state>& found,
                const std::optional<event>& same_event) const;

  /// Call this when the sink has created the group again.
  void restarted(const restart& x);

  /// Call this when another member has created the group again.
  void restarted_by_other();

private:
  [[nodiscard]] bool lost_last_event(const group_state& now,
                                     const question& asked) const;
  [[nodiscard]] bool was_moved(const group_state& now) const;
  std::optional<finding> first_audit(const group_state& now);
  std::optional<finding> compare(const group_state& now);
  std::optional<finding> moved(const group_state& now);
  std::optional<finding> settle(const group_state& now);
  void note_removed(const group_state& now);
  [[nodiscard]] uint64_t surely_read(const group_state& now) const;
  void note_own_read(event_id id);
  void count_own_reads(event_id from);
  [[nodiscard]] std::optional<proof>
  proof_of_being_alone(event_id floor, const stream_state& found) const;
  void remember(const group_state& now, const question& asked);
  void forget();

  /// What the last audit found.
  std::optional<group_state> known_;
  /// The stream of the last audit with the events that the sink has read since.
  stream_state seen_;
  event_id last_event_;
  uint64_t fingerprint_ = 0;
  /// Maximum number of events that may be lost since the count was right, and
  /// after which ID they were.
  uint64_t suspected_ = 0;
  event_id suspected_after_;
  /// Whether Redis' count of read events is exact: it was once corrected, and
  /// nothing happened since that may have changed it.
  bool counted_ = false;
  /// The last count of read events that was written to the append-only file.
  std::optional<uint64_t> stored_;
  uint64_t disturbances_ = 0;
  /// How many events the sink has read since the position of the last audit,
  /// and the last of them; empty: too many.
  std::optional<uint64_t> own_reads_ = 0;
  /// The same number without a maximum; it may be too low after a group
  /// vanished.
  uint64_t reads_since_known_ = 0;
  event_id last_own_read_;
  /// Those of them that the sink has read since it asked for the next audit.
  std::vector<event_id> reads_since_asked_;
  bool asked_ = false;
};

} // namespace pulse
