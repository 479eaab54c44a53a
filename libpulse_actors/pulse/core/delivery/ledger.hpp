#pragma once

#include "pulse/core/backoff.hpp"
#include "pulse/core/delivery/dispatcher.hpp"
#include "pulse/core/delivery/entry_table.hpp"
#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/delivery/worker_table.hpp"
#include "pulse/core/event.hpp"
#include "pulse/core/options.hpp"

#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <vector>

namespace pulse {

/// Who holds what, since when, at which attempt: the deliveries of one sink.
/// Pure: callers pass the time and act on what it decides.
///
///     queued ─▶ dispatched ─┬─ done ─────────────▶ settling (ack)
///       ▲                   ├─ failed, overdue ──▶ waiting ─▶ queued
///       └───────────────────┼─ worker died
///                           └─ rejected, used up ▶ settling (dead_letter)
///
/// An event that a node held when it died is a crash candidate: it may have
/// killed the node. Before a worker gets such an event, Redis is told (mark),
/// so that the next node knows of it, should this node die as well. Of the
/// candidates that one more crash would make dead letters, one at a time is at
/// work: if the node dies then, only this one is blamed.
///
/// A decided event stays in the ledger, settling, until forget(). So long it
/// counts as held, and a second copy of it is recognized.
class delivery_ledger {
public:
  using time_point = delivery_time;
  using worker_id = pulse::worker_id;
  using ticket = delivery_ticket;

  /// The part of the sink's options that decides here.
  struct settings {
    dispatch_mode dispatch = dispatch_mode::balanced;
    /// Counts from the moment at which the event is the oldest one that its
    /// worker holds: what waits behind it in the mailbox is not late.
    milliseconds ack_wait{30'000};
    std::vector<milliseconds> backoff;
    uint32_t max_deliveries = 20;
    uint32_t max_crashes = 3;
    /// Whether an overdue delivery keeps its worker's credit for another
    /// `ack_wait`: true if workers answer each event by returning.
    bool overdue_keeps_credit = true;
    /// Off: at most once. What fails is settled as `dead_letter`, never queued
    /// again.
    bool redeliver = true;
  };

  /// An event on its way to a worker.
  struct dispatch {
    ticket what;
    worker_id to = 0;
    event content;
  };

  enum class action_kind : uint8_t {
    /// XACK, then forget().
    ack,
    /// Write the dead letter and ack, then forget().
    dead_letter,
    /// Store the counts as the delivery counter.
    store_counts,
    /// The same before a worker gets a crash candidate, with the crash that
    /// this may become; then marked() or lost().
    mark,
  };

  /// What the owner has to tell Redis.
  struct action {
    action_kind kind = action_kind::ack;
    ticket entry;
    uint32_t stream = 0;
    event_id id;
    delivery_counts counts;
    /// For `dead_letter`: why.
    std::string reason;
  };

  /// An entry that goes back to Redis, for other nodes.
  struct released_entry {
    uint32_t stream = 0;
    event_id id;
    /// What the delivery counter shall say; the next taker adds a delivery.
    delivery_counts counts;
  };

  struct counters {
    uint64_t redelivered = 0;
    uint64_t nacks = 0;
    uint64_t timeouts = 0;
    uint64_t crashes = 0;
  };

  delivery_ledger(settings how, random_engine random);

  // Its parts refer to each other.
  delivery_ledger(const delivery_ledger&) = delete;
  delivery_ledger& operator=(const delivery_ledger&) = delete;

  // -- what comes from Redis --------------------------------------------------

  /// Queues an event. `stream` is the owner's index of the stream; the event's
  /// `counts().deliveries` are Redis' counter, this delivery included.
  /// @param crash_candidate Whether a node died that held it.
  /// @returns false if it is held already. Then nothing changes, except that
  /// the event counts as ours again if another node had taken it over.
  bool fetched(uint32_t stream, event x, time_point now,
               bool crash_candidate = false);

  /// Removes a settled entry after Redis confirmed. Stale tickets are ignored.
  void forget(const ticket& entry);

  /// Redis has the mark of a crash candidate: a worker may get it.
  void marked(const ticket& entry);

  /// Redis has no such entry of ours any more: drops the crash candidate.
  /// @returns whether it was there.
  bool lost(const ticket& entry);

  /// Number of the next event that is fetched, for retain_only().
  [[nodiscard]] uint64_t next_serial() const noexcept {
    return entries_.next_serial();
  }

  /// Drops the queued and waiting entries of `stream` that were fetched when
  /// next_serial() was lower than `before`, and that are not among `still_ours`
  /// (sorted): other nodes took them. What workers have goes on; if a worker
  /// fails at such an event, the ledger drops it, since the next attempt is up
  /// to the other node.
  /// @returns how many it dropped.
  size_t retain_only(uint32_t stream, uint64_t before,
                     const std::vector<event_id>& still_ours);

  /// Has the counts of the entries of `stream` stored again, since Redis
  /// counted a reading that was no delivery. Not of those whose workers died:
  /// their marks say more.
  void recount(uint32_t stream);

  /// Removes and returns all entries that are not settling, or with `stream`
  /// only the queued and waiting ones of that stream.
  std::vector<released_entry> release(std::optional<uint32_t> stream = {});

  // -- workers ----------------------------------------------------------------

  /// @returns whether the event is held, settling included.
  [[nodiscard]] bool holds(uint32_t stream, event_id id) const {
    return entries_.find(stream, id) != nullptr;
  }

  /// Adds a worker, or changes its credit (> 0).
  void add_worker(worker_id worker, uint32_t credit);

  /// No more events for it; it may finish what it holds.
  void remove_worker(worker_id worker, time_point now);

  /// It died: what it held goes to others at once. The oldest of it is what
  /// killed it, as far as we know, and counts as a crash.
  void worker_died(worker_id worker, const std::string& reason, time_point now);

  // -- dispatch and outcome ---------------------------------------------------

  /// Assigns queued events to workers with credit, and appends them to `out`.
  void dispatch_to(std::vector<dispatch>& out, time_point now);

  /// The worker processed the event, perhaps after we gave it up: then it still
  /// counts.
  void done(const ticket& entry, worker_id by, time_point now);

  /// The worker failed; next attempt after `delay` or the backoff list's.
  void failed(const ticket& entry, worker_id by, const std::string& reason,
              std::optional<milliseconds> delay, time_point now);

  /// No use trying again.
  void rejected(const ticket& entry, worker_id by, const std::string& reason,
                time_point now);

  /// The worker is still at it. @returns false if it no longer holds it.
  bool extend(const ticket& entry, worker_id by, time_point now) {
    return workers_.extend(by, entry, now);
  }

  /// Finds a held entry that is not settling.
  struct found {
    ticket entry;
    /// Who holds it; 0: nobody at the moment.
    worker_id holder = 0;
  };
  [[nodiscard]] std::optional<found> find(uint32_t stream, event_id id) const;

  /// Gives up on overdue deliveries, queues what has waited long enough.
  void tick(time_point now);

  /// @returns what there is to tell Redis since the last call, in order.
  std::vector<action> take_actions();

  // -- facts ------------------------------------------------------------------

  /// All entries, settling ones included.
  [[nodiscard]] size_t size() const noexcept {
    return entries_.size();
  }
  [[nodiscard]] size_t dispatched() const noexcept {
    return entries_.count(entry_state::dispatched);
  }
  /// Crash candidates that wait for their mark included.
  [[nodiscard]] size_t queued() const noexcept {
    return entries_.count(entry_state::queued)
           + entries_.count(entry_state::marking);
  }
  [[nodiscard]] size_t waiting() const noexcept {
    return entries_.count(entry_state::waiting);
  }
  /// Sum of the credit of all workers.
  [[nodiscard]] size_t capacity() const noexcept {
    return workers_.capacity();
  }
  [[nodiscard]] const counters& count() const noexcept {
    return counters_;
  }
  /// Lowest ID of `stream` that is held; nothing if none is.
  [[nodiscard]] std::optional<event_id> lowest(uint32_t stream) const {
    return entries_.lowest(stream);
  }
  /// @returns whether a worker is at an event of `stream`.
  [[nodiscard]] bool busy(uint32_t stream) const;

private:
  using entry = ledger_entry;

  struct retry_at {
    time_point when;
    ticket what;
    friend bool operator<(const retry_at& a, const retry_at& b) noexcept {
      return a.when > b.when; // earliest first in a priority queue
    }
  };

  // dispatch
  void send_to_targets(entry& x, std::vector<dispatch>& out, time_point now);
  void begin_round(entry& x);
  void ask_for_mark(const entry& x);

  // outcomes
  void acknowledge(entry& x);
  void kill(entry& x, std::string reason);
  void retry(entry& x, const std::string& reason,
             std::optional<milliseconds> delay, time_point now);
  void crashed(entry& x, const std::string& reason);
  void requeue(entry& x, const std::string& reason);
  void finish_copy(entry& x, worker_id by, broadcast_copies::copy how,
                   time_point now);
  void give_up(const worker_table::given_up& x, worker_id by, time_point now);
  void erase(entry& x);
  void tell_redis(action_kind kind, const entry& x, std::string reason = {});

  [[nodiscard]] bool broadcasts() const noexcept {
    return settings_.dispatch == dispatch_mode::broadcast;
  }

  settings settings_;
  random_engine random_;
  entry_table entries_;
  worker_table workers_;
  dispatcher dispatcher_;
  std::priority_queue<retry_at> retries_;
  std::vector<action> actions_;
  counters counters_;
  // Only kept for its memory.
  worker_table::given_up given_up_;
};

} // namespace pulse
