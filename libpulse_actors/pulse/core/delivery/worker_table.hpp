#pragma once

#include "pulse/core/delivery/event_key.hpp"
#include "pulse/core/delivery/held_queue.hpp"
#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/event_id.hpp"
#include "pulse/core/options.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace pulse {

/// The workers of a sink: how many events each worker may hold, which events it
/// holds and since when, and which worker gets the next event. This class finds
/// the events whose `ack_wait` is over; the ledger decides what becomes of
/// them.
///
/// An event that was taken back from a late worker still occupies the credit of
/// that worker, because its handler may be running. Only the worker itself
/// knows when that ends: if its handler returns no answer at all, the answer to
/// a probe shows it. A probe is a message that waits in the mailbox of the
/// worker behind these events.
class worker_table {
public:
  using held = held_event;

  /// A probe to send to a worker.
  struct probe {
    worker_id to = 0;
    uint32_t number = 0;
  };

  /// What an answer of a worker says.
  struct answer {
    /// Whether the worker was stuck until now.
    bool was_stuck = false;
    /// The event that was answered, if it had been taken back before.
    std::optional<held> late;
  };

  /// A batch that has not been sent.
  struct batch {
    /// See begin_messages().
    uint64_t turn = 0;
    /// See assign().
    uint32_t number = 0;
    uint32_t size = 0;
    /// See held_event.
    uint64_t message = 0;
  };

  struct worker {
    worker_id id = 0;
    /// How many events the worker may hold.
    uint32_t credit = 0;
    /// How many events a batch for the worker may have; 0: it takes single
    /// events.
    uint32_t max_batch = 0;
    /// Whether the worker gets no more events, but may finish those that it
    /// has.
    bool leaving = false;
    /// Whether the worker did not answer for a whole `ack_wait`, and has
    /// answered neither an event nor a probe since then.
    bool stuck = false;
    /// Whether the worker works on several events at the same time, as it has
    /// shown by its answers.
    bool parallel = false;
    /// Whether the worker has answered any event.
    bool has_answered = false;
    /// Number of the last probe.
    uint32_t last_probe = 0;
    delivery_time last_answer;
    /// The events that the worker holds, the oldest first.
    held_queue holds;
    /// The events that were taken back, and that the worker may still answer,
    /// the oldest first. A handler that keeps a promise may still answer those
    /// that are past.
    held_queue overdue;
    /// The worker does not work any more on the overdue events with lower
    /// numbers than this one, as its later answers show: they are past.
    uint64_t past_end = 0;
    /// How many overdue events are not past.
    size_t still_worked_on = 0;
    /// In keyed mode: the events that wait for this worker.
    std::deque<delivery_ticket> assigned;
    /// The last batch for the worker, which may get further events.
    batch next;

    /// How many events may keep the worker busy.
    [[nodiscard]] size_t load() const noexcept {
      return holds.size() + still_worked_on;
    }
    [[nodiscard]] bool ready() const noexcept {
      return !leaving && !stuck && load() < credit;
    }
  };

  /// What is to be known about an event to find a worker for it.
  struct candidate {
    /// The worker that failed at the event gets it only if no other worker can
    /// take it.
    worker_id avoid = 0;
    /// Whether the event shares its message with no other event.
    bool alone = false;
    /// How many events wait, this one included.
    size_t waiting = 1;
  };

  /// The events that were taken back from a late worker.
  struct taken_back {
    /// The oldest message that the worker held: its `ack_wait` is over. It is
    /// one event, or those of a batch, the oldest first.
    std::vector<held> late;
    /// Whether the worker is stuck: it answered nothing in that time. Then all
    /// other events that it held are taken back, too.
    bool stuck = false;
    /// These other events, the oldest first.
    std::vector<held> behind;
  };

  explicit worker_table(milliseconds ack_wait) noexcept : ack_wait_(ack_wait) {
    // nop
  }

  [[nodiscard]] auto begin() noexcept {
    return workers_.begin();
  }
  [[nodiscard]] auto end() noexcept {
    return workers_.end();
  }
  [[nodiscard]] worker* find(worker_id id) noexcept;

  /// Adds a worker, or changes what it takes. A worker that was leaving stays.
  void add(worker_id id, uint32_t credit, uint32_t max_batch = 0);

  /// Removes a worker. @returns the worker with the events that it holds.
  /// @pre find(id)
  worker remove(worker_id id);

  /// Removes the workers that are leaving and hold no events.
  void remove_idle();

  // -- who gets the next event ------------------------------------------------

  /// @returns whether the worker takes the event now. A worker that handles
  /// batches and holds events gets a further batch only if at least as many
  /// events wait as it holds, or enough for a full batch: so it gets few large
  /// batches, although nobody waits for more events.
  [[nodiscard]] bool takes(const worker& w, const candidate& x) const noexcept;

  /// @returns the worker that holds the fewest events of those that take the
  /// event; null if no worker does. The search begins after the worker that was
  /// chosen last.
  [[nodiscard]] worker* least_loaded(const candidate& x) noexcept;

  /// @returns the worker that processes the events of a key, whether it is
  /// ready or not; null if there is no such worker. It is always the same
  /// worker, until it leaves or is stuck.
  [[nodiscard]] worker* owner_of(uint64_t key) noexcept;

  /// @returns the sum of the credit of all workers that are neither leaving nor
  /// stuck.
  [[nodiscard]] size_t capacity() const noexcept;

  /// @returns how many events the ready workers can take now.
  [[nodiscard]] size_t free_slots() const noexcept;

  // -- what workers hold ------------------------------------------------------

  /// The events that are assigned from now on are sent together: those of a
  /// worker that handles batches come in batches.
  void begin_messages() noexcept {
    ++turn_;
    batches_ = 0;
  }

  /// @param alone Whether the event shares its message with no other event.
  /// @returns the number of the batch that the event belongs to, beginning at 1
  /// after begin_messages(); 0 if it is a message of its own.
  uint32_t assign(worker& to, const delivery_ticket& what, uint32_t stream,
                  event_id id, bool alone, delivery_time now);

  /// Notes that the worker answered `what`, with success or not. So the worker
  /// is alive, and will not answer any more the overdue events that it got
  /// before `what`.
  answer answered(worker_id by, const delivery_ticket& what, delivery_time now);

  /// Lets the `ack_wait` of an event and its batch begin again, because the
  /// worker still works on it.
  /// @returns false if the worker does not hold the event.
  bool extend(worker_id by, const delivery_ticket& what, delivery_time now);

  /// The event of this delivery is decided, although its worker still works on
  /// it. The worker holds it no more, and gets the next event when it answers a
  /// probe.
  void expect_no_answer(worker_id by, const delivery_ticket& what,
                        delivery_time now);

  /// Takes back the events that the worker should have answered by now.
  /// @param into Receives these events. Passing the same object again saves
  /// allocations.
  /// @returns false if the worker is in time.
  bool take_back(worker& w, delivery_time now, taken_back& into);

  /// Does not count `time`, which ends now, for the `ack_wait` of any event:
  /// this node stood still, so the workers may have done so as well, and their
  /// answers may still wait for the caller.
  void stood_still(milliseconds time, delivery_time now);

  /// Appends the probes that must be sent, because events were taken back since
  /// the last one.
  void take_probes(std::vector<probe>& into);

  /// Notes that a worker answered a probe: it works on none of the events that
  /// were taken back before the probe was sent. Either it dropped their
  /// promises, or it works on several events at the same time.
  /// @returns whether the worker was stuck until now.
  bool answered_probe(const probe& x);

  /// The outcome of an event is decided: later answers about it mean nothing.
  void forget_overdue(uint32_t stream, event_id id);

  /// An event that was taken back from a worker, which may still work on it.
  struct overdue_event {
    worker_id by = 0;
    delivery_ticket what;
  };
  [[nodiscard]] std::optional<overdue_event>
  find_overdue(uint32_t stream, event_id id) const noexcept;

private:
  [[nodiscard]] bool may_join(const batch& x, const worker& w) const noexcept {
    return x.turn == turn_ && x.size < w.max_batch;
  }
  static void let_go(worker& from, held* x, delivery_time now);
  void add_overdue(worker& by, const held& x);
  bool remove_overdue(worker& by, held* x);
  bool forget_undecided(worker_id by, const held& x);
  void forget_all_of(worker& x);
  void forget_old(worker& w);
  static void end_work_before(worker& w, uint64_t number);

  milliseconds ack_wait_;
  std::vector<worker> workers_;
  // The overdue events whose outcome is not decided, so that a late answer
  // still counts.
  std::unordered_multimap<event_key, overdue_event, event_key_hash> undecided_;
  size_t next_ = 0;
  // What is assigned in the same turn is sent together.
  uint64_t turn_ = 1;
  uint32_t batches_ = 0;
};

} // namespace pulse
