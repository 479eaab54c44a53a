#pragma once

#include "pulse/core/delivery/broadcast_copies.hpp"
#include "pulse/core/delivery/held_blocks.hpp"
#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/event.hpp"
#include "pulse/core/options.hpp"
#include "pulse/core/slot_index.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pulse {

enum class entry_state : uint8_t {
  free,
  /// Waits for a worker, or for the turn of its key.
  queued,
  /// Would wait for a worker, but its content must be read again first.
  fetching,
  /// A crash candidate that waits until Redis has its mark.
  marking,
  /// Workers have it.
  dispatched,
  /// Waits for the time of its next attempt, without its content.
  waiting,
  /// Its outcome is decided, and Redis has not confirmed the outcome yet.
  settling,
};

/// Whether the ledger has the content of an event. Events that wait for long
/// are parked: only what the ledger must know about them stays in memory.
enum class content_state : uint8_t {
  here,
  parked,
  /// Parked, and needed soon.
  wanted,
  /// Being read again.
  fetching,
};

/// Broadcast: the copies of an event, and what a worker said at the last
/// failure.
struct broadcast_progress {
  broadcast_copies copies;
  std::optional<milliseconds> delay;
  std::string reason;
  /// Whether the event itself made a worker fail in this dispatch: it was not
  /// one of several events of a batch that failed.
  bool is_blamed = false;
};

/// An event that the ledger holds, with its history so far. Many of them may
/// wait for a long time, so the members are in an order that leaves no gaps.
struct ledger_entry {
  event_id id;
  /// The reply that the event came with; null unless `has_content()`.
  std::shared_ptr<const event_block> block;
  /// Null except in broadcast mode.
  std::unique_ptr<broadcast_progress> broadcast;
  uint64_t serial = 0;
  /// The serial number that the next entry had when Redis gave the event to
  /// this sink, the last time if that happened several times.
  uint64_t fetched_at = 0;
  /// When its next attempt is due, if it has failed.
  delivery_time due{};
  /// In keyed mode: the hash of the topic.
  uint64_t key = 0;
  worker_id holder = 0;
  delivery_counts counts;
  uint32_t round = 0;
  uint32_t stream = 0;
  /// The position of the event in `block`.
  uint32_t index = 0;
  held_blocks::index held_block = 0;
  entry_state state = entry_state::free;
  content_state where = content_state::here;
  /// The partition of the event, if it has no content.
  uint8_t partition = 0;
  /// How often the event was the oldest one of a worker that quit.
  uint8_t quits = 0;
  bool was_dispatched = false;
  /// In keyed mode: whether it is the turn of this event.
  bool has_turn = false;
  // The values of the following members are false at first.
  /// Whether the event may have caused the death of a node.
  bool crash_candidate : 1;
  /// Whether Redis knows that a worker has the event or is about to get it.
  bool marked : 1;
  /// Whether the event is about to wait in Redis for its next attempt.
  bool delays : 1;
  /// Whether another node took the event over while a worker had it.
  bool taken_over : 1;
  /// See delivery_ledger::held_event.
  bool only_here : 1;
  /// Whether the late answer of a worker acknowledges the event, although it
  /// waits for its next attempt.
  bool acked_late : 1;

  ledger_entry() noexcept
    : crash_candidate(false),
      marked(false),
      delays(false),
      taken_over(false),
      only_here(false),
      acked_late(false) {
    // nop
  }

  [[nodiscard]] bool is_idle() const noexcept {
    return state == entry_state::queued || state == entry_state::fetching
           || state == entry_state::marking || state == entry_state::waiting;
  }
  [[nodiscard]] bool has_content() const noexcept {
    return where == content_state::here;
  }
  /// @pre `has_content()`
  [[nodiscard]] event content() const {
    return {block, index, counts};
  }
  [[nodiscard]] std::string_view topic() const noexcept {
    const auto& x = block->extents[index];
    return {block->bytes.data() + x.topic_pos, x.topic_len};
  }
  /// @returns whether the event shares no batch with others. One event that is
  /// delivered again may have caused the bad end of its last delivery, and it
  /// must not do the same to others.
  [[nodiscard]] bool comes_alone() const noexcept {
    return was_dispatched || counts.deliveries > 1 || crash_candidate;
  }
  /// @returns whether Redis must have the mark before a worker gets the event.
  [[nodiscard]] bool needs_mark() const noexcept {
    return crash_candidate && !marked;
  }
};

/// The entries of the ledger, which are found by stream and ID, or by ticket.
/// The memory of an erased entry is used for a later one.
class entry_table {
public:
  /// Adds an entry and invalidates pointers to other entries.
  /// @returns the new entry, whose state is `free` until move_to(); null if the
  /// table already has this event.
  ledger_entry* add(uint32_t stream, event content);

  void erase(ledger_entry& x);

  /// Notes that Redis gave the event to this sink again.
  void fetched_again(ledger_entry& x) noexcept {
    x.fetched_at = next_serial_++;
  }

  void move_to(ledger_entry& x, entry_state next) noexcept {
    --counts_[static_cast<size_t>(x.state)];
    x.state = next;
    ++counts_[static_cast<size_t>(next)];
  }

  /// Drops the content of an entry.
  void park(ledger_entry& x);

  /// Notes that the content of an entry, which is not here, is needed or being
  /// read.
  void set_content_state(ledger_entry& x, content_state next);

  /// Gives an entry its content back.
  void unpark(ledger_entry& x, event content);

  /// @returns the entry of a ticket; null if that entry was erased.
  [[nodiscard]] ledger_entry* resolve(const delivery_ticket& x) noexcept {
    // A free slot has the serial number 0.
    const bool there = x.serial != 0 && x.slot < slots_.size()
                       && slots_[x.slot].serial == x.serial;
    return there ? &slots_[x.slot] : nullptr;
  }
  /// The same, but the result is null also if the entry is not in the state
  /// `wanted`, or was dispatched again after the ticket was made.
  [[nodiscard]] ledger_entry* resolve(const delivery_ticket& x,
                                      entry_state wanted) noexcept {
    auto* y = resolve(x);
    return y != nullptr && y->state == wanted && y->round == x.round ? y
                                                                     : nullptr;
  }
  [[nodiscard]] const ledger_entry* find(uint32_t stream, event_id id) const;
  [[nodiscard]] ledger_entry* find(uint32_t stream, event_id id);
  /// @returns the lowest ID of a stream; nothing if the table has no entry of
  /// that stream.
  [[nodiscard]] std::optional<event_id> lowest(uint32_t stream) const;
  /// @returns the streams that the table has entries of.
  [[nodiscard]] std::set<uint32_t> streams() const;
  /// @returns the entry of a ticket's slot, which may be free or have another
  /// event now.
  [[nodiscard]] ledger_entry& at(uint32_t slot) noexcept {
    return slots_[slot];
  }
  [[nodiscard]] delivery_ticket
  ticket_of(const ledger_entry& x) const noexcept {
    return {static_cast<uint32_t>(&x - slots_.data()), x.round, x.serial};
  }

  /// All slots, free ones included.
  [[nodiscard]] auto begin() noexcept {
    return slots_.begin();
  }
  [[nodiscard]] auto end() noexcept {
    return slots_.end();
  }
  [[nodiscard]] auto begin() const noexcept {
    return slots_.begin();
  }
  [[nodiscard]] auto end() const noexcept {
    return slots_.end();
  }

  [[nodiscard]] size_t size() const noexcept {
    return index_.size();
  }
  /// @returns how many bytes the replies have that the events came with.
  [[nodiscard]] size_t bytes() const noexcept {
    return blocks_.bytes();
  }
  [[nodiscard]] size_t count(entry_state x) const noexcept {
    return counts_[static_cast<size_t>(x)];
  }
  /// @returns for each stream that has any, how many entries are parked or
  /// wanted.
  [[nodiscard]] const std::map<uint32_t, size_t>& parked() const noexcept {
    return parked_;
  }
  [[nodiscard]] size_t parked_in_all() const noexcept {
    return parked_in_all_;
  }
  /// @returns the serial number of the next new entry. Older entries have lower
  /// numbers.
  [[nodiscard]] uint64_t next_serial() const noexcept {
    return next_serial_;
  }

private:
  void set_content(ledger_entry& x, event content);
  void drop_content(ledger_entry& x);

  static uint64_t hash_of(uint32_t stream, event_id id) noexcept {
    return std::hash<event_id>{}(id) + stream;
  }
  [[nodiscard]] std::optional<uint32_t> slot_of(uint32_t stream,
                                                event_id id) const;

  std::vector<ledger_entry> slots_;
  std::vector<uint32_t> free_;
  slot_index index_;
  held_blocks blocks_;
  uint64_t next_serial_ = 1;
  std::array<size_t, 7> counts_{};
  std::map<uint32_t, size_t> parked_;
  size_t parked_in_all_ = 0;
};

} // namespace pulse
