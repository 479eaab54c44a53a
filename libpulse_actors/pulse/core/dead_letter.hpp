#pragma once

#include "pulse/core/event.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// Events that sinks gave up, and the requests that list, redrive and purge
// them. The dead letters of a sink are an ordinary stream,
// "<stream>:dead:<sink>". docs/protocol.md describes the format.

namespace pulse {

/// A dead letter: an event that a sink gave up, and why.
struct dead_letter {
  /// ID of the letter in the dead letter stream (not the ID of the event).
  event_id id;
  /// Stream and ID of the original event.
  delivery_id origin;
  std::string sink;
  /// Consumer name of the sink instance that gave the event up.
  std::string node;
  std::string reason;
  /// How often the event was delivered, and how often that ended in a failure
  /// or a crash.
  delivery_counts counts;
  /// When the sink gave the event up: Unix time in milliseconds.
  std::chrono::milliseconds time{0};
  /// How often the event has been redriven, and why it became a dead letter
  /// again each time: the last five reasons, one per line, as "<Unix time in
  /// milliseconds> <reason>".
  uint32_t redrives = 0;
  std::string history;
  /// Name, payload and topic of the event. If the entry had no name or no
  /// payload, the name is "malformed"; if the entry was no longer in the
  /// stream, the name is "trimmed". The payload is empty then.
  std::string name;
  std::string payload;
  std::string topic;
};

/// Selects dead letters of a stream to list, oldest first.
struct dead_query {
  std::string sink;
  /// Lowest and highest ID of the letters, both inclusive.
  event_id from = event_id::min();
  event_id to = event_id::max();
  /// Maximum number of letters in the reply, 1 to 1000.
  uint32_t limit = 100;
};

/// Gives dead letters to their sink once more, and to no other sink. For each
/// letter, one atomic step makes the event pending again and removes the
/// letter.
struct redrive_request {
  std::string sink;
  /// IDs of the letters. Empty: all letters that exist when the redrive begins,
  /// oldest first.
  std::vector<event_id> letters;
  /// Maximum number of letters per second; 0: no limit.
  uint32_t rate = 100;
  /// A letter stays if its event has been redriven this many times already,
  /// because the event would most likely fail again. Redis keeps these counts
  /// for 30 days.
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

/// Deletes dead letters. They cannot be restored.
struct purge_request {
  std::string sink;
  /// IDs of the letters. Empty: all letters whose ID is below `before`.
  std::vector<event_id> letters;
  event_id before = event_id::max();
};

} // namespace pulse
