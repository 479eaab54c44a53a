#pragma once

#include "pulse/core/backoff.hpp"
#include "pulse/core/event.hpp"
#include "pulse/core/options.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
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
  using time_point = std::chrono::steady_clock::time_point;
  /// Chosen by the owner, not 0, never reused.
  using worker_id = uint64_t;

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

  /// Names an entry, and which of its dispatches.
  struct ticket {
    uint32_t slot = 0;
    uint32_t round = 0;
    uint64_t serial = 0;
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

  // -- what comes from Redis --------------------------------------------------

  /// Queues an event. `stream` is the owner's index of the stream; the event's
  /// `counts().deliveries` are Redis' counter, this delivery included.
  /// @param crash_candidate Whether a node died that held it.
  /// @returns false, and changes nothing, if it is held already.
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
    return next_serial_;
  }

  /// Drops the queued and waiting entries of `stream` that were fetched when
  /// next_serial() was lower than `before`, and that are not among `still_ours`
  /// (sorted): other nodes took them. What workers have goes on.
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
    return index_.count(key{stream, id}) > 0;
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
  bool extend(const ticket& entry, worker_id by, time_point now);

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
    return index_.size();
  }
  [[nodiscard]] size_t dispatched() const noexcept {
    return states_[static_cast<size_t>(state::dispatched)];
  }
  /// Crash candidates that wait for their mark included.
  [[nodiscard]] size_t queued() const noexcept {
    return states_[static_cast<size_t>(state::queued)]
           + states_[static_cast<size_t>(state::marking)];
  }
  [[nodiscard]] size_t waiting() const noexcept {
    return states_[static_cast<size_t>(state::waiting)];
  }
  /// Sum of the credit of all workers.
  [[nodiscard]] size_t capacity() const noexcept;
  [[nodiscard]] const counters& count() const noexcept {
    return counters_;
  }
  /// Lowest ID of `stream` that is held; nothing if none is.
  [[nodiscard]] std::optional<event_id> lowest(uint32_t stream) const;
  /// @returns whether a worker is at an event of `stream`.
  [[nodiscard]] bool busy(uint32_t stream) const;

private:
  enum class state : uint8_t {
    free,
    queued,
    marking,
    dispatched,
    waiting,
    settling,
  };

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

  struct entry {
    event content;
    uint64_t serial = 0;
    uint32_t round = 0;
    uint32_t stream = 0;
    state at = state::free;
    bool was_dispatched = false;
    // it may have killed a node; Redis knows that a worker has it
    bool suspect = false;
    bool marked = false;
    // keyed: hash of the topic, and whether it is the one whose turn it is
    uint64_t lane = 0;
    bool lane_head = false;
    worker_id holder = 0;
    // broadcast: who is still at it, who has to get it once more, and whether
    // anybody succeeded
    std::vector<worker_id> holders;
    std::vector<worker_id> failed_for;
    bool succeeded = false;
    std::optional<milliseconds> delay;
    std::string reason;
  };

  struct held {
    ticket what;
    time_point clock;
  };

  struct worker {
    worker_id id = 0;
    uint32_t credit = 0;
    bool leaving = false;
    bool stuck = false;
    time_point last_answer;
    std::vector<held> holds; // oldest first
    // Given up, but the worker may still be busy with it: until when it counts.
    std::vector<held> overdue;
    std::deque<ticket> lane_queue; // keyed: what is assigned to it
    [[nodiscard]] size_t load() const noexcept {
      return holds.size() + overdue.size();
    }
    [[nodiscard]] bool ready() const noexcept {
      return !leaving && !stuck && load() < credit;
    }
  };

  struct due {
    time_point at;
    ticket what;
    friend bool operator<(const due& a, const due& b) noexcept {
      return a.at > b.at; // earliest first in a priority queue
    }
  };

  // ledger.cpp: the life of an entry
  [[nodiscard]] entry* resolve(const ticket& x) noexcept;
  [[nodiscard]] ticket ticket_of(const entry& x) const noexcept;
  void move_to(entry& x, state next);
  void erase(entry& x);
  void enqueue(entry& x, bool in_front);
  void acknowledge(entry& x);
  void kill(entry& x, std::string reason);
  void retry(entry& x, const std::string& reason,
             std::optional<milliseconds> delay, time_point now);
  void crashed(entry& x, const std::string& reason);
  void requeue(entry& x, const std::string& reason);
  [[nodiscard]] released_entry hand_over_to_redis(entry& x);
  void enter_lane(entry& x);
  void leave_lane(entry& x);
  void decide(const entry& x, action_kind what, std::string reason = {});
  [[nodiscard]] static bool is_idle(const entry& x) noexcept;

  // suspects.cpp: what may have killed a node
  [[nodiscard]] bool must_wait(const entry& x) const noexcept;
  [[nodiscard]] bool must_be_alone(const entry& x) const noexcept;
  [[nodiscard]] bool may_mark(const entry& x) const noexcept;
  void hold_back(entry& x);
  void ask_mark(const entry& x);
  void next_lone();

  // dispatch.cpp: who gets what
  [[nodiscard]] entry* next_of(std::deque<ticket>& queue);
  void dispatch_balanced(std::vector<dispatch>& out, time_point now);
  void dispatch_broadcast(std::vector<dispatch>& out, time_point now);
  void dispatch_keyed(std::vector<dispatch>& out, time_point now);
  [[nodiscard]] worker* pick_balanced(worker_id avoid);
  [[nodiscard]] worker* pick_keyed(uint64_t lane);
  [[nodiscard]] std::vector<worker*> broadcast_targets(const entry& x);
  void reassign_lanes();
  void begin_round(entry& x);
  void hand_over(entry& x, worker& to, std::vector<dispatch>& out,
                 time_point now);

  // workers.cpp: what workers hold, and how long
  [[nodiscard]] worker* find_worker(worker_id id) noexcept;
  [[nodiscard]] static bool same(const ticket& a, const ticket& b) noexcept;
  void answered(worker_id by, const ticket& what, time_point now);
  void let_go(worker& from, size_t index, time_point now);
  void finish_copy(entry& x, worker_id by, bool failure, time_point now);
  void give_up_head(worker& w, time_point now);
  void take_back(worker& w, time_point now);
  void expire_overdue(worker& w, time_point now);

  settings settings_;
  random_engine random_;
  std::vector<entry> slots_;
  std::vector<uint32_t> free_;
  std::unordered_map<key, uint32_t, key_hash> index_;
  std::vector<worker> workers_;
  size_t next_worker_ = 0;
  std::deque<ticket> ready_;
  // keyed: events of a topic that wait for the one before them
  std::unordered_map<uint64_t, std::deque<ticket>> lanes_;
  std::priority_queue<due> waiting_;
  std::vector<action> actions_;
  uint64_t next_serial_ = 1;
  size_t states_[6] = {};
  // Suspects that must be alone: the one at work, and those that wait for it.
  ticket lone_;
  std::deque<ticket> lone_queue_;
  counters counters_;
};

} // namespace pulse
