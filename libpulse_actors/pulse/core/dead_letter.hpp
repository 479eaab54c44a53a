#pragma once

#include "pulse/core/event.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// What sinks give up, and what can be done about it. The letters of a sink are
// an ordinary stream, "<stream>:dead:<sink>"; the formats are in
// docs/protocol.md.

namespace pulse {

/// An event that a sink gave up.
struct dead_letter {
  /// Of the letter: its place in the dead letter stream.
  event_id id;
  /// Stream and ID of the event.
  delivery_id origin;
  std::string sink;
  /// The sink's instance: its consumer.
  std::string node;
  std::string reason;
  /// How often it was delivered, and how that ended.
  delivery_counts counts;
  /// When it was given up, since 1970.
  std::chrono::milliseconds time{0};
  /// How often it has been redriven, and why it died again each time: lines of
  /// "<milliseconds since 1970> <reason>", the last five of them.
  uint32_t redrives = 0;
  std::string history;
  /// The event itself. The name is "malformed" or "trimmed", and the payload
  /// empty, if the entry had none or was gone.
  std::string name;
  std::string payload;
  std::string topic;
};

/// Which dead letters of a stream to list: oldest first.
struct dead_query {
  std::string sink;
  /// IDs of letters; inclusive.
  event_id from = event_id::min();
  event_id to = event_id::max();
  /// Most letters in the answer, 1 to 1000.
  uint32_t limit = 100;
};

/// Gives dead letters to their sink once more, and to no other sink: the event
/// itself becomes pending again, the letter is removed. Atomic per letter.
struct redrive_request {
  std::string sink;
  /// Which letters; empty: all that are there when the redrive begins, oldest
  /// first.
  std::vector<event_id> letters;
  /// Most letters per second; 0: no limit.
  uint32_t rate = 100;
  /// A letter whose event was redriven so often stays: it would only die
  /// again. Counted for 30 days.
  uint32_t max_redrives = 3;
};

/// What became of the letters of a redrive.
struct redrive_result {
  /// The sink gets their events once more.
  uint64_t redriven = 0;
  /// Letters that stay, since `max_redrives` was reached.
  uint64_t skipped_limit = 0;
  /// Letters that stay, since their event is no longer in the stream, or their
  /// sink does not exist any more: add the event anew from the letter, or purge
  /// the letter.
  uint64_t skipped_missing = 0;
};

/// Deletes dead letters for good.
struct purge_request {
  std::string sink;
  /// Which letters; empty: all whose ID is below `before`.
  std::vector<event_id> letters;
  event_id before = event_id::max();
};

} // namespace pulse
