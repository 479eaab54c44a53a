#pragma once

#include "pulse/core/delivery/broadcast_copies.hpp"
#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/event.hpp"
#include "pulse/core/options.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace pulse {

enum class entry_state : uint8_t {
  free,
  /// Waits for a worker, or for the turn of its key.
  queued,
  /// A crash candidate that waits until Redis has its mark.
  marking,
  dispatched,
  /// Waits for the time of its next attempt.
  waiting,
  /// Decided, and Redis has not confirmed that yet.
  settling,
};

/// An event that the ledger holds, and what became of it so far.
struct ledger_entry {
  event content;
  uint64_t serial = 0;
  uint32_t round = 0;
  uint32_t stream = 0;
  entry_state state = entry_state::free;
  bool was_dispatched = false;
  /// It may have killed a node.
  bool crash_candidate = false;
  /// Redis knows that a worker has it, or gets it now.
  bool marked = false;
  /// Another node took it over while a worker was at it.
  bool taken_over = false;
  /// Keyed: the hash of the topic, and whether it is this event's turn.
  uint64_t key = 0;
  bool has_turn = false;
  worker_id holder = 0;
  broadcast_copies copies;
  /// Of the last failure: what the worker said.
  std::optional<milliseconds> delay;
  std::string reason;

  [[nodiscard]] bool is_idle() const noexcept {
    return state == entry_state::queued || state == entry_state::marking
           || state == entry_state::waiting;
  }
  /// Whether no worker may get it before Redis has its mark.
  [[nodiscard]] bool needs_mark() const noexcept {
    return crash_candidate && !marked;
  }
};

/// The entries of the ledger: found by stream and ID, or by ticket. Their
/// memory is used again.
class entry_table {
public:
  /// @returns the new entry, `free` until move_to(); null if the table has this
  /// event. Entries that were found before are not valid any longer.
  ledger_entry* add(uint32_t stream, event content);

  void erase(ledger_entry& x);

  void move_to(ledger_entry& x, entry_state next) noexcept {
    --counts_[static_cast<size_t>(x.state)];
    x.state = next;
    ++counts_[static_cast<size_t>(next)];
  }

  /// Null if there is no such entry any more.
  [[nodiscard]] ledger_entry* resolve(const delivery_ticket& x) noexcept {
    // Serial 0 is a free slot.
    const bool there = x.serial != 0 && x.slot < slots_.size()
                       && slots_[x.slot].serial == x.serial;
    return there ? &slots_[x.slot] : nullptr;
  }
  /// Null also if the entry is in another state, or was dispatched since.
  [[nodiscard]] ledger_entry* resolve(const delivery_ticket& x,
                                      entry_state wanted) noexcept {
    auto* y = resolve(x);
    return y != nullptr && y->state == wanted && y->round == x.round ? y
                                                                     : nullptr;
  }
  [[nodiscard]] const ledger_entry* find(uint32_t stream, event_id id) const;
  [[nodiscard]] ledger_entry* find(uint32_t stream, event_id id);
  /// Lowest ID of a stream; nothing if there is no entry of it.
  [[nodiscard]] std::optional<event_id> lowest(uint32_t stream) const;
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
  [[nodiscard]] size_t count(entry_state x) const noexcept {
    return counts_[static_cast<size_t>(x)];
  }
  /// What the next new entry gets: older ones have lower numbers.
  [[nodiscard]] uint64_t next_serial() const noexcept {
    return next_serial_;
  }

private:
  struct key {
    uint32_t stream;
    event_id id;
    friend bool operator==(const key& a, const key& b) noexcept {
      return a.stream == b.stream && a.id == b.id;
    }
  };

  struct key_hash {
    size_t operator()(const key& x) const noexcept {
      return std::hash<event_id>{}(x.id) + x.stream;
    }
  };

  std::vector<ledger_entry> slots_;
  std::vector<uint32_t> free_;
  std::unordered_map<key, uint32_t, key_hash> index_;
  uint64_t next_serial_ = 1;
  std::array<size_t, 6> counts_{};
};

} // namespace pulse
