#pragma once

#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/options.hpp"

#include <cstdint>
#include <deque>
#include <vector>

namespace pulse {

/// The workers of a sink: how much each may hold, what it holds and since when,
/// and who is to get the next event. Time-outs are found here; what becomes of
/// an event then is for the ledger to say.
class worker_table {
public:
  struct held {
    delivery_ticket what;
    /// When its time began to count: an event's does when all that its worker
    /// was given before is answered.
    delivery_time clock;
  };

  struct worker {
    worker_id id = 0;
    uint32_t credit = 0;
    /// Gets no more events, but may finish those that it has.
    bool leaving = false;
    /// Was silent for a whole `ack_wait` and did not answer since.
    bool stuck = false;
    delivery_time last_answer;
    /// Oldest first.
    std::vector<held> holds;
    /// Given up, but the worker may still be busy with it. `clock`: since when.
    std::vector<held> overdue;
    /// Keyed dispatch: what waits for this very worker.
    std::deque<delivery_ticket> assigned;

    [[nodiscard]] size_t load() const noexcept {
      return holds.size() + overdue.size();
    }
    [[nodiscard]] bool ready() const noexcept {
      return !leaving && !stuck && load() < credit;
    }
  };

  /// What a worker is no longer expected to answer in time.
  struct given_up {
    /// The oldest event that the worker held: its `ack_wait` is over.
    delivery_ticket late;
    /// Nothing at all came back in that time, so that the worker is stuck, and
    /// what waited behind the oldest event is taken back, too.
    bool stuck = false;
    std::vector<held> behind;
  };

  /// @param overdue_keeps_credit Whether what was given up counts as held by
  /// its worker for another `ack_wait`.
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

  /// Adds a worker, or changes its credit; if it was leaving, it stays.
  void add(worker_id id, uint32_t credit);

  /// Removes a worker with what it holds, and returns that.
  /// @pre find(id)
  worker remove(worker_id id);

  /// Removes the workers that are leaving and have nothing to answer.
  void remove_idle();

  // -- who gets the next event ------------------------------------------------

  /// The ready worker that holds the least, beginning after the one that was
  /// chosen last; `avoid` only if no other is ready. Null if none is ready.
  [[nodiscard]] worker* least_loaded(worker_id avoid) noexcept;

  /// Who processes the events of a key, ready or not: always the same one, as
  /// long as it neither leaves nor is stuck. Null if there is nobody.
  [[nodiscard]] worker* owner_of(uint64_t key) noexcept;

  /// Sum of the credit of all workers that stay.
  [[nodiscard]] size_t capacity() const noexcept;

  /// How many events the ready workers can take now.
  [[nodiscard]] size_t free_slots() const noexcept;

  // -- what workers hold ------------------------------------------------------

  void assign(worker& to, const delivery_ticket& what, delivery_time now) {
    to.holds.push_back({what, now});
  }

  /// The worker is done with `what`, one way or the other: it lives, and what
  /// it was given before and has not answered yet will not be answered any
  /// more. @returns whether the worker was stuck, and is not any longer.
  bool answered(worker_id by, const delivery_ticket& what, delivery_time now);

  /// The worker is still at it: its time begins anew.
  /// @returns false if it does not hold it.
  bool extend(worker_id by, const delivery_ticket& what, delivery_time now);

  /// Takes back what the worker should have answered by now.
  /// @param into Receives it; its memory is used again.
  /// @returns false if the worker is in time.
  bool give_up(worker& w, delivery_time now, given_up& into);

  /// Forgets overdue events that were given up a second `ack_wait` ago: if the
  /// worker dropped its promise, it will never answer, but is not stuck at all.
  /// @returns whether the worker was stuck, and is not any longer.
  bool expire_overdue(worker& w, delivery_time now);

private:
  void let_go(worker& from, size_t index, delivery_time now);

  milliseconds ack_wait_;
  bool overdue_keeps_credit_;
  std::vector<worker> workers_;
  size_t next_ = 0;
};

} // namespace pulse
