#pragma once

#include "pulse/core/event_id.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulse {

/// How often a sink has delivered an event, and how the earlier deliveries
/// ended. For the first delivery, `deliveries` is 1 and the rest is 0. For
/// events from a reader all three are 0.
struct delivery_counts {
  /// Number of deliveries, this one included, as far as Redis and this sink
  /// know.
  uint32_t deliveries = 0;
  /// How many of the earlier deliveries ended with a nack, an error or the end
  /// of `ack_wait`.
  uint32_t failures = 0;
  /// How many of the earlier deliveries ended with the death of a worker or a
  /// node.
  uint32_t crashes = 0;
};

/// Identifies an event that a sink delivered. Workers name it in their acks.
struct delivery_id {
  std::string stream;
  event_id id;
  /// Which delivery of the event: its `counts().deliveries`. So an answer that
  /// comes too late does not change a later delivery. 0: the current one.
  uint32_t attempt = 0;
};

/// What an event block stores for each event: positions and lengths of the
/// event's parts within the bytes of the block.
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

/// The immutable storage behind all events of one reply: the bytes as they came
/// from the socket, and where each event lies in them. All events of the reply
/// share the block; it is freed with the last of them.
struct event_block {
  std::string bytes;
  std::vector<std::string> streams;
  std::vector<event_extent> extents;
  /// Name of the sink that read the block; empty for readers.
  std::string sink;
};

/// An event as readers and sinks deliver it: a cheap, immutable, reference
/// counted view into an event block. Copies share the payload. Any thread may
/// copy and read an event. The string views stay valid as long as any copy of
/// the event exists.
class event {
public:
  /// An empty event, which belongs to no stream.
  event() = default;

  /// @pre `index < block->extents.size()`
  event(std::shared_ptr<const event_block> block, uint32_t index,
        delivery_counts counts = {}) noexcept
    : block_(std::move(block)), index_(index), counts_(counts) {
    // nop
  }

  /// Creates an event with an event block of its own: for tests, and for events
  /// that another node sent. `from` holds the stream and the ID.
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

  /// Payload of the event: any bytes, may be empty.
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

  /// @returns the storage that the event shares with the other events of its
  /// reply; null if it is an empty event.
  [[nodiscard]] const std::shared_ptr<const event_block>&
  block() const& noexcept {
    return block_;
  }
  [[nodiscard]] std::shared_ptr<const event_block> block() && noexcept {
    return std::move(block_);
  }

  /// @returns the position of the event in its block.
  [[nodiscard]] uint32_t index() const noexcept {
    return index_;
  }

  /// @returns what identifies this delivery in ack, nack, extend and term
  /// messages.
  [[nodiscard]] delivery_id delivery() const {
    return {std::string{stream()}, id(), counts().deliveries};
  }

  /// @returns the same event with other counts. Both share the block.
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

/// @returns whether both have the same stream, ID, name, topic and payload. The
/// counts are not compared.
bool operator==(const event& a, const event& b) noexcept;

inline bool operator!=(const event& a, const event& b) noexcept {
  return !(a == b);
}

/// One line for logs: stream, ID, name, topic and the size of the payload.
std::string to_string(const event& x);

/// An event that a producer adds to a stream. It has no ID yet.
struct new_event {
  /// Kind of the event, 1 to 512 bytes (see names.hpp).
  std::string name;
  /// Any bytes, empty allowed, at most `stream_options::max_payload`.
  std::string payload;
  /// Optional. Filters of readers and sinks can select events by topic.
  std::string topic;
  /// Optional: any bytes, at most 512. If any producer has added an event with
  /// the same `dedup_id` within `stream_options::dedup_window`, this add stores
  /// nothing, and its reply is the ID of the stored event. If that event has
  /// another content, the add fails with `errc::dedup_conflict`.
  std::string dedup_id = {};
};

} // namespace pulse
