#pragma once

#include "pulse/core/event_id.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pulse {

/// How often a sink delivered an event before, and why it had to again.
/// All zero for readers, and `deliveries` is 1 for a first delivery.
struct delivery_counts {
  /// Deliveries including this one, as far as Redis and this sink know.
  uint32_t deliveries = 0;
  /// Of the earlier ones: ended by a nack, an error or `ack_wait`.
  uint32_t failures = 0;
  /// Of the earlier ones: ended by the death of a worker or a node.
  uint32_t crashes = 0;
};

/// Names one delivery of a sink: what a worker acknowledges.
struct delivery_id {
  std::string stream;
  event_id id;
};

/// What an event block stores per event: where its parts are in the bytes.
struct event_extent {
  event_id id;
  uint32_t stream = 0; // index into event_block::streams
  bool has_name = false;
  bool has_payload = false;
  uint32_t name_pos = 0;
  uint32_t name_len = 0;
  uint32_t topic_pos = 0;
  uint32_t topic_len = 0;
  uint32_t payload_pos = 0;
  uint32_t payload_len = 0;
};

/// The immutable storage behind the events of one reply: the bytes as they
/// came from the socket, and where in them each event lies. Shared by all its
/// events, freed with the last one.
struct event_block {
  std::string bytes;
  std::vector<std::string> streams;
  std::vector<event_extent> extents;
  /// Name of the sink that read the block; empty for readers.
  std::string sink;
};

/// An event as readers and sinks deliver it: a cheap, immutable, reference
/// counted view. Copies share the payload; thread-safe to copy and to read.
/// The string views live as long as any copy of the event.
class event {
public:
  /// An empty event, of no stream.
  event() = default;

  /// @pre `index < block->extents.size()`
  event(std::shared_ptr<const event_block> block, uint32_t index,
        delivery_counts counts = {}) noexcept
    : block_(std::move(block)), index_(index), counts_(counts) {
    // nop
  }

  /// Makes an event of its own block: for tests, and for what the network
  /// brought. `from` names stream and ID.
  static event make(const delivery_id& from, std::string_view name,
                    std::string_view payload, std::string_view topic = {},
                    std::string_view sink = {}, delivery_counts counts = {});

  [[nodiscard]] event_id id() const noexcept {
    return block_ ? extent().id : event_id{};
  }

  /// Name of the stream, without the key prefix.
  [[nodiscard]] std::string_view stream() const noexcept {
    return block_ ? std::string_view{block_->streams[extent().stream]}
                  : std::string_view{};
  }

  /// Name of the sink; empty if a reader delivered the event.
  [[nodiscard]] std::string_view sink() const noexcept {
    return block_ ? std::string_view{block_->sink} : std::string_view{};
  }

  /// Name of the event: its kind, e.g. "order_placed".
  [[nodiscard]] std::string_view name() const noexcept {
    return block_ ? part(extent().name_pos, extent().name_len)
                  : std::string_view{};
  }

  /// Topic of the event; empty if it has none.
  [[nodiscard]] std::string_view topic() const noexcept {
    return block_ ? part(extent().topic_pos, extent().topic_len)
                  : std::string_view{};
  }

  /// Payload: any bytes.
  [[nodiscard]] std::string_view payload() const noexcept {
    return block_ ? part(extent().payload_pos, extent().payload_len)
                  : std::string_view{};
  }

  /// @returns false if the entry in Redis lacked the field n or p. Readers and
  /// sinks never hand such an event to a subscriber.
  [[nodiscard]] bool well_formed() const noexcept {
    return block_ && extent().has_name && extent().has_payload;
  }

  [[nodiscard]] const delivery_counts& counts() const noexcept {
    return counts_;
  }

  /// What to name in ack, nack, extend and term.
  [[nodiscard]] delivery_id delivery() const {
    return {std::string{stream()}, id()};
  }

  /// @returns the same event with other counts, sharing the block.
  [[nodiscard]] event with(delivery_counts counts) const {
    return {block_, index_, counts};
  }

private:
  [[nodiscard]] const event_extent& extent() const noexcept {
    return block_->extents[index_];
  }

  [[nodiscard]] std::string_view part(uint32_t pos,
                                      uint32_t len) const noexcept {
    return {block_->bytes.data() + pos, len};
  }

  std::shared_ptr<const event_block> block_;
  uint32_t index_ = 0;
  delivery_counts counts_;
};

/// Same stream, ID, name, topic and payload; the counts do not matter.
bool operator==(const event& a, const event& b) noexcept;

inline bool operator!=(const event& a, const event& b) noexcept {
  return !(a == b);
}

/// One line for logs: stream, ID, name, topic and the size of the payload.
std::string to_string(const event& x);

/// An event that does not exist yet: what a producer adds.
struct new_event {
  /// Kind of the event, 1 to 512 bytes (see names.hpp).
  std::string name;
  /// Any bytes, empty allowed, at most `stream_options::max_payload`.
  std::string payload;
  /// Optional; what topic filters look at.
  std::string topic;
  /// Optional, any bytes, at most 512 of them: adding an event with an ID that
  /// was used within `stream_options::dedup_window`, by whatever producer,
  /// adds nothing and answers the ID of the event that is there. Another
  /// event under the same ID is an error (`errc::dedup_conflict`).
  std::string dedup_id = {};
};

} // namespace pulse
