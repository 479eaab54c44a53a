#pragma once

#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/options.hpp"

#include <cstdint>
#include <deque>
#include <vector>

namespace pulse {

/// The workers of a sink: how many events each worker may hold, which events it
/// holds and since when, and which worker gets the next event. This class finds
/// the events whose `ack_wait` is over; the ledger decides what becomes of
/// them.
class worker_table {
public:
  struct held {
    delivery_ticket what;
    /// When the `ack_wait` of the event began: when its worker had answered all
    /// events that it got before.
    delivery_time clock;
  };

  struct worker {
    worker_id id = 0;
    /// How many events the worker may hold.
    uint32_t credit = 0;
    /// Whether the worker gets no more events, but may finish those that it
    /// has.
    bool leaving = false;
    /// Whether the worker did not answer for a whole `ack_wait`, and has not
    /// answered since then.
    bool stuck = false;
    delivery_time last_answer;
    /// The events that the worker holds, the oldest first.
    std::vector<held> holds;
    /// The events that were taken back, but which may still keep the worker
    /// busy. `clock` is the time at which they were taken back.
    std::vector<held> overdue;
    /// In keyed mode: the events that wait for this worker.
    std::deque<delivery_ticket> assigned;

    [[nodiscard]] size_t load() const noexcept {
      return holds.size() + overdue.size();
    }
    [[nodiscard]] bool ready() const noexcept {
      return !leaving && !stuck && load() < credit;
    }
  };

  /// The events that were taken back from a late worker.
  struct taken_back {
    /// The oldest event that the worker held: its `ack_wait` is over.
    delivery_ticket late;
    /// Whether the worker is stuck: it answered nothing in that time. Then all
    /// other events that it held are taken back, too.
    bool stuck = false;
    /// These other events, the oldest first.
    std::vector<held> behind;
  };

  /// @param overdue_keeps_credit Whether an event that was taken back occupies
  /// the credit of its worker for another `ack_wait`.
  worker_table(milliseconds ack_wait, bool overdue_keeps_credit) noexcept
    : ack_wait_(ack_wait), overdue_keeps_credit_(overdue_keeps_credit) {
    // nop
  }

  [[nodiscard]] auto begin() noexcept {
    return workers_.begin();
  }
  [[nodiscard]] auto end() noexcept {
    return workers_.end();
  }
  [[nodiscard]] worker* find(worker_id id) noexcept;

  /// Adds a worker, or changes its credit. A worker that was leaving stays.
  void add(worker_id id, uint32_t credit);

  /// Removes a worker. @returns the worker with the events that it holds.
  /// @pre find(id)
  worker remove(worker_id id);

  /// Removes the workers that are leaving and hold no events.
  void remove_idle();

  // -- who gets the next event ------------------------------------------------

  /// @returns the ready worker that holds the fewest events; null if no worker
  /// is ready. The search begins after the worker that was chosen last.
  /// @param avoid This worker is chosen only if no other one is ready.
  [[nodiscard]] worker* least_loaded(worker_id avoid) noexcept;

  /// @returns the worker that processes the events of a key, whether it is
  /// ready or not; null if there is no such worker. It is always the same
  /// worker, until it leaves or is stuck.
  [[nodiscard]] worker* owner_of(uint64_t key) noexcept;

  /// @returns the sum of the credit of all workers that are not leaving.
  [[nodiscard]] size_t capacity() const noexcept;

  /// @returns how many events the ready workers can take now.
  [[nodiscard]] size_t free_slots() const noexcept;

  // -- what workers hold ------------------------------------------------------

  void assign(worker& to, const delivery_ticket& what, delivery_time now) {
    to.holds.push_back({what, now});
  }

  /// Notes that the worker answered `what`, with success or not. So the worker
  /// is alive, and will not answer any more the overdue events that it got
  /// before `what`.
  /// @returns whether the worker was stuck until now.
  bool answered(worker_id by, const delivery_ticket& what, delivery_time now);

  /// Lets the `ack_wait` of an event begin again, because its worker still
  /// works on it.
  /// @returns false if the worker does not hold the event.
  bool extend(worker_id by, const delivery_ticket& what, delivery_time now);

  /// Takes back the events that the worker should have answered by now.
  /// @param into Receives these events. Passing the same object again saves
  /// allocations.
  /// @returns false if the worker is in time.
  bool take_back(worker& w, delivery_time now, taken_back& into);

  /// Forgets events that were taken back one `ack_wait` ago. A worker that
  /// dropped the promise of an event never answers it, but may be able to work
  /// on other events.
  /// @returns whether the worker was stuck until now.
  bool expire_overdue(worker& w, delivery_time now);

private:
  void let_go(worker& from, size_t index, delivery_time now);

  milliseconds ack_wait_;
  bool overdue_keeps_credit_;
  std::vector<worker> workers_;
  size_t next_ = 0;
};

} // namespace pulse
