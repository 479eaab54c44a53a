#pragma once

#include "pulse/core/backoff.hpp"
#include "pulse/core/delivery/dispatcher.hpp"
#include "pulse/core/delivery/entry_table.hpp"
#include "pulse/core/delivery/failure_memory.hpp"
#include "pulse/core/delivery/partition.hpp"
#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/delivery/worker_table.hpp"
#include "pulse/core/event.hpp"
#include "pulse/core/options.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pulse {

/// The deliveries of one sink: which worker holds which event, since when, and
/// at which attempt. The ledger has no clock and does no I/O: callers pass the
/// time, and carry out what the ledger decides.
///
///     queued ─▶ dispatched ─┬─ done ─────────────▶ settling (ack)
///       ▲                   ├─ failed, overdue ──▶ settling (delay)
///       └───────────────────┼─ worker died
///                           └─ rejected, used up ▶ settling (dead_letter)
///
/// An event that failed leaves the ledger and waits in Redis for its next
/// attempt. So it needs no place here, and any node may make that attempt. In
/// keyed dispatch it stays (state waiting), because it keeps the turn of its
/// key; in broadcast dispatch as well, because only this ledger knows which
/// workers failed. But it is parked there, without its content, and in keyed
/// dispatch so are the later events of its key. The owner of the ledger reads
/// the content again when it is wanted.
///
/// An event that a node held when the node died is a crash candidate: the event
/// may have killed the node. Before a worker gets a crash candidate, its
/// counter in Redis is changed (mark). If this node dies as well, the next node
/// sees from the mark that a worker had the event. Candidates that would become
/// dead letters after one more crash are given to workers one at a time: if the
/// node dies then, only one event is blamed.
///
/// A decided event stays in the ledger, in the state settling, until forget().
/// During that time the event counts as held, and if it is read again, the
/// ledger recognizes it.
class delivery_ledger {
public:
  using time_point = delivery_time;
  using worker_id = pulse::worker_id;
  using ticket = delivery_ticket;

  /// The options of the sink that the ledger needs.
  struct settings {
    dispatch_mode dispatch = dispatch_mode::balanced;
    /// Begins when the event is the oldest one that its worker holds, because
    /// the events behind it wait in the mailbox of the worker.
    milliseconds ack_wait{30'000};
    std::vector<milliseconds> backoff;
    uint32_t max_deliveries = 20;
    uint32_t max_crashes = 3;
    /// False: events are delivered at most once, and a failed event is settled
    /// as `dead_letter`.
    bool redeliver = true;
  };

  /// An event on its way to a worker.
  struct dispatch {
    ticket what;
    worker_id to = 0;
    event content;
    /// Events with the same number are one message, a batch. The numbers of
    /// each dispatch_to() begin at 1. 0: the event is a message of its own.
    uint32_t batch = 0;
  };

  /// Whose fault the bad end of a delivery is.
  enum class blame : uint8_t {
    /// That of the event.
    event,
    /// That of one of several events of a batch. Nobody knows which one, so no
    /// event becomes a dead letter for that: each of them is delivered once
    /// more, alone.
    batch,
  };

  enum class action_kind : uint8_t {
    /// Acknowledge the event, then call forget().
    ack,
    /// Write the dead letter and acknowledge the event, then call forget().
    dead_letter,
    /// Let the event wait in Redis for its next attempt, then call forget().
    delay,
    /// Give the event back to Redis, because no worker here can take it, then
    /// call forget().
    release,
    /// Store the counts as the delivery counter, and whether the event waits
    /// here for its next attempt.
    store_counts,
    /// Store the counts of a crash candidate, which include one crash in
    /// advance, then call marked() or lost().
    mark,
  };

  /// A change in Redis that the owner of the ledger has to make.
  struct action {
    action_kind kind = action_kind::ack;
    ticket entry;
    uint32_t stream = 0;
    event_id id;
    delivery_counts counts;
    /// Why the event becomes a dead letter.
    std::string reason;
    /// delay: how long the event waits for its next attempt.
    milliseconds pause{0};
    /// release, store_counts: when the next attempt is due, if the event failed
    /// and its pause was not over.
    std::optional<time_point> due = std::nullopt;
    /// The sink tried to give the event away, and the outcome is unknown.
    bool may_be_elsewhere = false;
  };

  /// An event that the sink gives back, so that other nodes get it.
  struct released_entry {
    uint32_t stream = 0;
    event_id id;
    /// The counts to store; the node that claims the event adds a delivery.
    delivery_counts counts;
    /// See held_event.
    bool only_here = false;
    /// See action.
    std::optional<time_point> due = std::nullopt;
  };

  /// An event whose outcome is not decided.
  struct held_event {
    event_id id;
    /// What its delivery counter in Redis says.
    delivery_counts counts;
    bool marked = false;
    /// Whether the event was only here since this sink got it: no command gave
    /// it away, also none with an unknown outcome. So no other node can have
    /// acknowledged it in time, unless the lease of this node ended.
    bool only_here = false;
  };

  struct counters {
    uint64_t redelivered = 0;
    uint64_t nacks = 0;
    uint64_t timeouts = 0;
    uint64_t crashes = 0;
  };

  delivery_ledger(settings how, random_engine random);

  // The parts of the ledger refer to each other, so it cannot be moved.
  delivery_ledger(const delivery_ledger&) = delete;
  delivery_ledger& operator=(const delivery_ledger&) = delete;

  // -- what comes from Redis --------------------------------------------------

  /// Queues an event.
  /// @param stream The owner's index of the stream.
  /// @param x Its `counts().deliveries` include this delivery.
  /// @param crash_candidate Whether a node died that held the event.
  /// @param in_front Whether the event goes before all queued events. That is
  /// without effect in keyed dispatch.
  /// @returns false if the ledger holds the event. Then nothing changes, except
  /// that an event that another node had taken over belongs to this sink again.
  bool fetched(uint32_t stream, event x, bool crash_candidate = false,
               bool in_front = false);

  /// Keyed: call this after fetched() if the event failed at another node, and
  /// the pause before its next attempt is not over.
  void postpone(uint32_t stream, event_id id, time_point due);

  /// Drops the content of a settled entry whose outcome Redis refuses for now,
  /// so that it takes no place of events that can be handled.
  void park(const ticket& entry);

  /// Removes a settled entry after Redis has confirmed its outcome. Ignores
  /// tickets of entries that were removed before.
  void forget(const ticket& entry);

  /// Redis has the mark of a crash candidate, so a worker may get the event.
  void marked(const ticket& entry);

  /// Drops a crash candidate that is not pending for this sink any more.
  /// @returns whether the ledger held the event.
  bool lost(const ticket& entry);

  /// @returns the serial number of the next fetched event, for retain_only().
  [[nodiscard]] uint64_t next_serial() const noexcept {
    return entries_.next_serial();
  }

  /// What retain_only() found.
  struct lost_events {
    /// How many events were dropped.
    size_t dropped = 0;
    /// How many events workers have that are not pending any more, without
    /// those of earlier calls.
    size_t at_work = 0;
  };

  /// Drops queued and waiting events of `stream` that other nodes have claimed:
  /// those that are not in `still_ours` (sorted) and that were fetched when
  /// next_serial() was lower than `before`. Workers keep the events that they
  /// have. If a worker fails at such an event, the ledger drops the event,
  /// because the other node makes the next attempt.
  lost_events retain_only(uint32_t stream, uint64_t before,
                          const std::vector<event_id>& still_ours);

  /// @returns the events of which retain_only() says that they are not pending
  /// for this sink any more. Those that were only here come first.
  [[nodiscard]] std::vector<held_event>
  missing(uint32_t stream, uint64_t before,
          const std::vector<event_id>& still_ours) const;

  /// @returns whether this sink has acknowledged the event, or is about to, so
  /// that it must not be claimed anew. True if the ledger does not have it.
  [[nodiscard]] bool is_acknowledged(uint32_t stream, event_id id) const;

  /// @returns what held_event says about an entry; false if it was removed.
  [[nodiscard]] bool is_only_here(const ticket& entry) noexcept {
    const auto* x = entries_.resolve(entry);
    return x != nullptr && x->only_here;
  }
  /// The same for an event that was given up or given back when it came: the
  /// ledger has no entry for it.
  [[nodiscard]] bool is_only_here(const action& x) noexcept {
    return x.entry.serial != 0 ? is_only_here(x.entry) : !x.may_be_elsewhere;
  }

  /// A command that gives the event away failed, so another node may have it.
  void note_may_be_elsewhere(action& x) noexcept {
    x.may_be_elsewhere = true;
    if (auto* entry = entries_.resolve(x.entry))
      entry->only_here = false;
  }

  /// The lease of a stream was not kept in time, so other nodes may have had
  /// the events that are not in `still_ours`, also those whose outcome is
  /// decided.
  void lease_lapsed(uint32_t stream, const std::vector<event_id>& still_ours);

  /// Redis has these counts for an event that is pending for this sink. Another
  /// node may have had the event meanwhile. Does nothing if a worker has it.
  void adopt_counts(uint32_t stream, event_id id, const delivery_counts& x);

  /// The group of a stream was created again, so other nodes may get the events
  /// that this one holds.
  void group_restarted(uint32_t stream);

  /// Dispatches no events of `stream` until resume(). Workers keep the events
  /// that they have.
  void hold(uint32_t stream) {
    dispatcher_.hold(stream);
  }
  void resume(uint32_t stream) {
    dispatcher_.resume(stream);
  }

  /// Has the counts of the events of `stream` stored again, because Redis
  /// counted a read that was no delivery. Does not touch events with crashes,
  /// because their counters may have a mark.
  void recount(uint32_t stream);

  /// Removes the events of a stream that no worker has and that are not
  /// settling.
  /// @returns the removed events.
  std::vector<released_entry> release_idle(uint32_t stream);

  /// Removes all events of some streams that are not settling, also those that
  /// workers have.
  /// @returns the removed events.
  std::vector<released_entry> release_all(const std::set<uint32_t>& streams);

  /// Gives all queued events back, because no worker can take them. They are
  /// settling until Redis has them, so that their counts cannot get lost.
  void release_queued();

  /// Gives the events of some partitions of a stream back that no worker has,
  /// because other nodes get these partitions. See release_queued().
  /// @returns how many events are given back.
  size_t give_back(uint32_t stream, const partition_set& which);

  /// @returns the partitions of all events of a stream that the ledger holds.
  [[nodiscard]] partition_set partitions_of(uint32_t stream) const;

  // -- workers ----------------------------------------------------------------

  /// @returns whether the ledger holds the event, also if it is settling.
  [[nodiscard]] bool holds(uint32_t stream, event_id id) const {
    return entries_.find(stream, id) != nullptr;
  }

  /// Adds a worker, or changes what it takes.
  /// @param credit > 0.
  /// @param max_batch How many events a batch may have; 0: the worker takes
  /// single events.
  void add_worker(worker_id worker, uint32_t credit, uint32_t max_batch = 0);

  /// The worker gets no more events. It may finish those that it holds.
  void remove_worker(worker_id worker);

  /// The worker died: other workers get its events at once. The oldest of these
  /// events, or one of the oldest batch, probably killed the worker, so it gets
  /// a crash more.
  void worker_died(worker_id worker, const std::string& reason, time_point now);

  /// The worker ended without a fault: other workers get its events at once,
  /// and none of them is blamed. But if an event is the oldest one again and
  /// again when a worker ends, its handler probably ends the workers. Then each
  /// further time is a failure.
  void worker_quit(worker_id worker, time_point now);

  // -- contents ---------------------------------------------------------------

  /// An event whose content must be read again.
  struct wanted_content {
    ticket entry;
    uint32_t stream = 0;
    event_id id;
  };

  /// @returns whether take_wanted() may return events; false if it would not.
  [[nodiscard]] bool may_want() const noexcept {
    return dispatcher_.may_want();
  }

  /// @returns the next events whose content is wanted, at most `most`. For each
  /// of them, the caller calls one of the next three functions later.
  std::vector<wanted_content> take_wanted(size_t most);

  /// The content was read.
  void found_content(const ticket& entry, event content);

  /// The event is not in the stream any more. It will be acknowledged.
  /// @returns whether the ledger still waited for the content.
  bool lost_content(const ticket& entry);

  /// The content could not be read, so it is wanted again.
  void want_again(const ticket& entry);

  // -- dispatch and outcome ---------------------------------------------------

  /// Assigns queued events to workers with credit, and appends them to `out`.
  void dispatch_to(std::vector<dispatch>& out, time_point now);

  /// The worker processed the event. This counts also if the event was taken
  /// back from the worker before, and waits for its next attempt now.
  void done(const ticket& entry, worker_id by, time_point now);

  /// The worker failed. The next attempt follows after `delay`, or else after
  /// the delay of the backoff list.
  void failed(const ticket& entry, worker_id by, const std::string& reason,
              std::optional<milliseconds> delay, time_point now,
              blame whose = blame::event);

  /// The worker says that the event can never be processed: it becomes a dead
  /// letter.
  void rejected(const ticket& entry, worker_id by, const std::string& reason,
                time_point now);

  /// Lets the `ack_wait` of the event and of its batch begin again.
  /// @returns false if the worker does not hold the event any more.
  bool extend(const ticket& entry, worker_id by, time_point now) {
    return workers_.extend(by, entry, now);
  }

  /// Finds an event that is not settling: one that the ledger holds, or one
  /// that was taken back from a worker that may still work on it.
  struct found {
    ticket entry;
    /// The worker that has the event; 0: no worker.
    worker_id holder = 0;
    /// `counts().deliveries` of the event; 0 if it is late.
    uint32_t attempt = 0;
    /// Whether the event was taken back from that worker. Then only done() has
    /// an effect.
    bool late = false;
  };
  [[nodiscard]] std::optional<found> find(uint32_t stream, event_id id) const;

  /// @returns whether the dispatch goes on: its worker has not answered, and
  /// the event was not taken back from it.
  [[nodiscard]] bool goes_on(const ticket& which) noexcept {
    return entries_.resolve(which, entry_state::dispatched) != nullptr;
  }

  /// @returns the event of a dispatch; nothing if the ledger does not have its
  /// content.
  [[nodiscard]] std::optional<event> content_of(const ticket& entry) {
    const auto* x = entries_.resolve(entry);
    return x != nullptr && x->has_content() ? std::optional{x->content()}
                                            : std::nullopt;
  }

  /// The last `time` counts for no `ack_wait`, because this node stood still:
  /// its process was stopped, or all its threads were busy.
  void stood_still(milliseconds time, time_point now) {
    workers_.stood_still(time, now);
  }

  /// Takes back overdue events, and queues events whose waiting time is over.
  void tick(time_point now);

  /// Appends the probes that must be sent to workers.
  void take_probes(std::vector<worker_table::probe>& into) {
    workers_.take_probes(into);
  }

  /// A worker answered a probe.
  void answered_probe(const worker_table::probe& x) {
    if (workers_.answered_probe(x))
      dispatcher_.reassign();
  }

  /// Moves the actions since the last call, in order, into an empty vector. The
  /// next actions use the memory that this vector had.
  void take_actions(std::vector<action>& into);

  // -- facts ------------------------------------------------------------------

  /// Number of all events, including those that are settling.
  [[nodiscard]] size_t size() const noexcept {
    return entries_.size();
  }
  /// How many bytes the replies have that all these events came with. A reply
  /// counts as long as the ledger holds one of its events.
  [[nodiscard]] size_t bytes() const noexcept {
    return entries_.bytes();
  }
  [[nodiscard]] size_t dispatched() const noexcept {
    return entries_.count(entry_state::dispatched);
  }
  /// Includes the crash candidates that wait for their mark, and the events
  /// whose content is read again.
  [[nodiscard]] size_t queued() const noexcept {
    return entries_.count(entry_state::queued)
           + entries_.count(entry_state::fetching)
           + entries_.count(entry_state::marking);
  }
  [[nodiscard]] size_t waiting() const noexcept {
    return entries_.count(entry_state::waiting);
  }
  /// Number of events whose outcome Redis has not confirmed yet.
  [[nodiscard]] size_t settling() const noexcept {
    return entries_.count(entry_state::settling);
  }
  /// Number of events without content that no command reads now: those that
  /// wait for their next attempt, in keyed dispatch those behind them, dead
  /// letters that Redis has not confirmed yet, and those of park().
  [[nodiscard]] size_t parked() const noexcept {
    return entries_.parked_in_all();
  }
  /// @returns the number of parked events of each stream that has any.
  [[nodiscard]] const std::map<uint32_t, size_t>&
  parked_by_stream() const noexcept {
    return entries_.parked();
  }
  /// Sum of the credit of all workers that can work: that are neither leaving
  /// nor stuck.
  [[nodiscard]] size_t capacity() const noexcept {
    return workers_.capacity();
  }
  [[nodiscard]] const counters& count() const noexcept {
    return counters_;
  }
  /// @returns how many events of `stream` the ledger holds whose outcome is not
  /// decided.
  [[nodiscard]] size_t undecided(uint32_t stream) const;
  /// The lowest ID of `stream` that the ledger holds; nothing if it holds none.
  [[nodiscard]] std::optional<event_id> lowest(uint32_t stream) const {
    return entries_.lowest(stream);
  }
  /// @returns the streams that the ledger holds events of.
  [[nodiscard]] std::set<uint32_t> streams() const {
    return entries_.streams();
  }
  /// @returns whether a worker has an event of `stream`.
  [[nodiscard]] bool busy(uint32_t stream) const;

private:
  using entry = ledger_entry;

  template <class Predicate>
  std::vector<released_entry> release_if(Predicate leaves);

  struct retry_at {
    time_point when;
    uint32_t slot;
    // std::push_heap puts the last one to the front.
    friend bool operator<(const retry_at& a, const retry_at& b) noexcept {
      return a.when > b.when;
    }
  };

  // dispatch
  void send_to_targets(entry& x, std::vector<dispatch>& out, time_point now);
  void begin_round(entry& x);
  void ask_for_mark(const entry& x);

  // outcomes
  void acknowledge(const worker_table::held& late);
  void acknowledge(entry& x);
  void make_dead_letter(entry& x, std::string reason);
  [[nodiscard]] bool waits_in_redis() const noexcept {
    return settings_.dispatch == dispatch_mode::balanced;
  }
  void retry(entry& x, const std::string& reason,
             std::optional<milliseconds> delay, time_point now, blame whose);
  /// Removes a worker that has ended, and passes the events that it held to
  /// `end_delivery(entry, whether it was the oldest, or of the oldest batch,
  /// blame)`, the newest first. So the events keep their order if each is put
  /// to the front of the queue.
  template <class F>
  void end_worker(worker_id id, F end_delivery);
  void crashed(entry& x, const std::string& reason, blame whose);
  /// A worker quit without an answer to the event, which was its oldest one.
  void abandoned(entry& x, uint8_t most_quits, time_point now);
  void requeue(entry& x, const std::string& reason);
  void finish_copy(entry& x, worker_id by, broadcast_copies::copy how,
                   time_point now);
  void note_reason(entry& x, const std::string& reason, blame whose);
  void take_back(const worker_table::taken_back& what, worker_id from,
                 time_point now);
  void fail_delivery(entry& x, worker_id by, const std::string& reason,
                     std::optional<milliseconds> delay, time_point now,
                     blame whose);
  entry* being_fetched(const ticket& which);
  entry* still_dispatched(const worker_table::held& x);
  void wait_until(entry& x, time_point due);
  [[nodiscard]] static std::optional<time_point> due_of(const entry& x);
  [[nodiscard]] static delivery_counts counts_to_give_back(const entry& x);
  void release(entry& x);
  void store_counts(const entry& x);
  void erase(entry& x);
  void add_action(action_kind kind, const entry& x, std::string reason = {});

  [[nodiscard]] bool broadcasts() const noexcept {
    return settings_.dispatch == dispatch_mode::broadcast;
  }

  settings settings_;
  random_engine random_;
  entry_table entries_;
  worker_table workers_;
  dispatcher dispatcher_;
  // A heap with the earliest one in front. Some of the entries may have been
  // decided meanwhile.
  std::vector<retry_at> retries_;
  failure_memory failures_;
  std::vector<action> actions_;
  counters counters_;
  // A member only to save allocations.
  worker_table::taken_back taken_back_;
};

} // namespace pulse
