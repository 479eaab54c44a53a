#include "pulse/core/delivery/ledger.hpp"

#include "pulse/core/delivery/give_up.hpp"
#include "pulse/core/slots.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace pulse {

namespace {

// How often an event may be the oldest one of a worker that quits, before that
// counts as a failure of the event. A worker that had answered others probably
// quit after the event before this one, as a worker for one event does. A
// worker that had answered nothing probably quit while it worked on this event.
constexpr uint8_t quits_without_blame = 20;
constexpr uint8_t quits_at_first_event = 3;

bool is_undecided(const ledger_entry& x) {
  return x.is_idle() || x.state == entry_state::dispatched;
}

size_t partition_of(const ledger_entry& x) {
  return x.has_content() ? pulse::partition_of(x.topic(), x.id) : x.partition;
}

const char* const worker_has_quit = "its worker quit without an answer";

} // namespace

delivery_ledger::delivery_ledger(settings how, random_engine random)
  : settings_(std::move(how)),
    random_(random),
    workers_(settings_.ack_wait),
    dispatcher_(settings_.dispatch, settings_.max_crashes, entries_, workers_) {
  // nop
}

// -- what comes from Redis ----------------------------------------------------

bool delivery_ledger::fetched(uint32_t stream, event content,
                              bool crash_candidate, bool in_front) {
  const auto id = content.id();
  auto* x = entries_.add(stream, std::move(content));
  if (x == nullptr) {
    x = entries_.find(stream, id);
    x->taken_over = false; // it is ours again
    x->only_here = x->state != entry_state::settling;
    entries_.fetched_again(*x);
    return false;
  }
  x->only_here = true;
  x->crash_candidate = crash_candidate;
  if (broadcasts())
    x->broadcast = std::make_unique<broadcast_progress>();
  if (x->counts.failures > 0)
    x->holder = failures_.recall(stream, id);
  dispatcher_.add(*x, in_front);
  return true;
}

void delivery_ledger::postpone(uint32_t stream, event_id id, time_point due) {
  auto* x = entries_.find(stream, id);
  if (x == nullptr || !x->is_idle())
    return;
  if (x->state == entry_state::waiting)
    wait_until(*x, due);
  else
    x->due = due;
}

void delivery_ledger::forget(const ticket& which) {
  if (auto* x = entries_.resolve(which))
    erase(*x);
}

void delivery_ledger::park(const ticket& which) {
  if (auto* x = entries_.resolve(which);
      x != nullptr && x->state == entry_state::settling)
    entries_.park(*x);
}

void delivery_ledger::marked(const ticket& which) {
  if (auto* x = entries_.resolve(which, entry_state::marking)) {
    x->marked = true;
    dispatcher_.enqueue(*x, true);
  }
}

bool delivery_ledger::lost(const ticket& which) {
  auto* x = entries_.resolve(which, entry_state::marking);
  if (x == nullptr)
    return false;
  erase(*x);
  return true;
}

delivery_ledger::lost_events
delivery_ledger::retain_only(uint32_t stream, uint64_t before,
                             const std::vector<event_id>& still_ours) {
  lost_events result;
  for (auto& x : entries_) {
    const bool dispatched = x.state == entry_state::dispatched;
    if (!is_undecided(x) || x.stream != stream || x.fetched_at >= before)
      continue;
    const bool lost = !std::binary_search(still_ours.begin(), still_ours.end(),
                                          x.id);
    if (dispatched) {
      result.at_work += lost && !x.taken_over ? 1 : 0;
      x.taken_over = lost;
      x.only_here = x.only_here && !lost;
    } else if (lost) {
      erase(x);
      ++result.dropped;
    }
  }
  return result;
}

std::vector<delivery_ledger::held_event>
delivery_ledger::missing(uint32_t stream, uint64_t before,
                         const std::vector<event_id>& still_ours) const {
  std::vector<held_event> result;
  for (const auto& x : entries_) {
    if (!is_undecided(x) || x.taken_over || x.stream != stream
        || x.fetched_at >= before
        || std::binary_search(still_ours.begin(), still_ours.end(), x.id))
      continue;
    auto counts = x.counts;
    counts.crashes += x.marked ? 1 : 0;
    result.push_back({x.id, counts, x.marked, x.only_here});
  }
  std::sort(result.begin(), result.end(),
            [](const held_event& a, const held_event& b) {
              return a.only_here != b.only_here ? a.only_here : a.id < b.id;
            });
  return result;
}

void delivery_ledger::lease_lapsed(uint32_t stream,
                                   const std::vector<event_id>& still_ours) {
  for (auto& x : entries_)
    if (x.stream == stream
        && !std::binary_search(still_ours.begin(), still_ours.end(), x.id))
      x.only_here = false;
}

// Counts of this ledger may be newer than those in Redis, so the higher ones
// hold. If the other node died, the event may have killed it.
void delivery_ledger::adopt_counts(uint32_t stream, event_id id,
                                   const delivery_counts& found) {
  auto* x = entries_.find(stream, id);
  if (x == nullptr || !x->is_idle())
    return;
  auto& counts = x->counts;
  if (found.deliveries <= counts.deliveries && found.crashes <= counts.crashes)
    return;
  x->crash_candidate = true;
  counts.deliveries = std::max(counts.deliveries, found.deliveries);
  counts.failures = std::max(counts.failures, found.failures);
  counts.crashes = std::max(counts.crashes, found.crashes);
}

void delivery_ledger::group_restarted(uint32_t stream) {
  for (auto& x : entries_)
    if (x.stream == stream)
      x.only_here = false;
}

void delivery_ledger::recount(uint32_t stream) {
  for (const auto& x : entries_)
    if (x.stream == stream && x.state != entry_state::free
        && x.state != entry_state::settling && x.counts.crashes == 0)
      store_counts(x);
}

void delivery_ledger::store_counts(const entry& x) {
  add_action(action_kind::store_counts, x);
  actions_.back().due = due_of(x);
}

template <class Predicate>
std::vector<delivery_ledger::released_entry>
delivery_ledger::release_if(Predicate leaves) {
  std::vector<released_entry> result;
  for (auto& x : entries_) {
    if (!leaves(x))
      continue;
    result.push_back(
      {x.stream, x.id, counts_to_give_back(x), x.only_here, due_of(x)});
    erase(x);
  }
  return result;
}

std::vector<delivery_ledger::released_entry>
delivery_ledger::release_idle(uint32_t stream) {
  return release_if(
    [=](const entry& x) { return x.is_idle() && x.stream == stream; });
}

std::vector<delivery_ledger::released_entry>
delivery_ledger::release_all(const std::set<uint32_t>& streams) {
  return release_if([&](const entry& x) {
    return (x.is_idle() || x.state == entry_state::dispatched)
           && streams.count(x.stream) > 0;
  });
}

void delivery_ledger::release_queued() {
  for (auto& x : entries_)
    if (x.is_idle() && x.state != entry_state::waiting)
      release(x);
}

size_t delivery_ledger::give_back(uint32_t stream, const partition_set& which) {
  size_t result = 0;
  for (auto& x : entries_)
    if (x.is_idle() && x.stream == stream && which[partition_of(x)]) {
      release(x);
      ++result;
    }
  return result;
}

partition_set delivery_ledger::partitions_of(uint32_t stream) const {
  partition_set result;
  for (const auto& x : entries_)
    if (x.state != entry_state::free && x.stream == stream)
      result.set(partition_of(x));
  return result;
}

void delivery_ledger::release(entry& x) {
  add_action(action_kind::release, x);
  actions_.back().counts = counts_to_give_back(x);
  actions_.back().due = due_of(x);
  x.delays = true;
  entries_.move_to(x, entry_state::settling);
  dispatcher_.end_turn(x);
}

std::optional<delivery_time> delivery_ledger::due_of(const entry& x) {
  if (!x.is_idle() || x.due == time_point{})
    return std::nullopt;
  return x.due;
}

// Redis counted a delivery when the event was read. If no worker got the event,
// that delivery is subtracted.
delivery_counts delivery_ledger::counts_to_give_back(const entry& x) {
  auto result = x.counts;
  if (!x.was_dispatched && result.deliveries > 0)
    --result.deliveries;
  return result;
}

// -- workers ------------------------------------------------------------------

void delivery_ledger::add_worker(worker_id id, uint32_t credit,
                                 uint32_t max_batch) {
  workers_.add(id, credit, max_batch);
  dispatcher_.reassign();
}

void delivery_ledger::remove_worker(worker_id id) {
  auto* w = workers_.find(id);
  if (w == nullptr)
    return;
  w->leaving = true;
  dispatcher_.reassign();
  if (w->holds.empty())
    workers_.remove(id);
}

void delivery_ledger::worker_died(worker_id id, const std::string& reason,
                                  time_point now) {
  end_worker(id, [&](entry& x, bool oldest, blame whose) {
    if (broadcasts()) {
      note_reason(x, reason, whose);
      finish_copy(x, id, broadcast_copies::copy::died, now);
    } else if (oldest) {
      crashed(x, reason, whose);
    } else {
      requeue(x, reason);
    }
  });
}

void delivery_ledger::worker_quit(worker_id id, time_point now) {
  const auto* w = workers_.find(id);
  const bool had_answered = w != nullptr && w->has_answered;
  end_worker(id, [&](entry& x, bool oldest, blame) {
    if (broadcasts())
      finish_copy(x, id, broadcast_copies::copy::left, now);
    else if (oldest)
      abandoned(x, had_answered ? quits_without_blame : quits_at_first_event,
                now);
    else
      requeue(x, worker_has_quit);
  });
}

template <class F>
void delivery_ledger::end_worker(worker_id id, F end_delivery) {
  if (workers_.find(id) == nullptr)
    return;
  // The worker is removed first, so that it gets none of its events again.
  auto gone = workers_.remove(id);
  dispatcher_.unassign(gone.assigned);
  auto& holds = gone.holds;
  const auto oldest = holds.empty() ? 0 : holds.first()->message;
  auto is_of = [](const worker_table::held* x, uint64_t message) {
    return x != nullptr && x->message == message;
  };
  const worker_table::held* behind = nullptr;
  for (auto* i = holds.last(); i != nullptr; i = holds.previous(i)) {
    const bool shares = is_of(behind, i->message)
                        || is_of(holds.previous(i), i->message);
    behind = i;
    if (auto* x = entries_.resolve(i->what, entry_state::dispatched))
      end_delivery(*x, i->message == oldest,
                   shares ? blame::batch : blame::event);
  }
  dispatcher_.reassign();
}

void delivery_ledger::tick(time_point now) {
  while (!retries_.empty() && retries_.front().when <= now) {
    const auto next = retries_.front();
    std::pop_heap(retries_.begin(), retries_.end());
    retries_.pop_back();
    auto& x = entries_.at(next.slot);
    if (x.state == entry_state::waiting && x.due == next.when)
      dispatcher_.enqueue(x, false);
  }
  for (auto& w : workers_)
    while (workers_.take_back(w, now, taken_back_))
      take_back(taken_back_, w.id, now);
  workers_.remove_idle();
}

// -- dispatch -----------------------------------------------------------------

void delivery_ledger::dispatch_to(std::vector<dispatch>& out, time_point now) {
  using kind = dispatcher::step_kind;
  workers_.begin_messages();
  for (;;) {
    const auto next = dispatcher_.next();
    if (next.kind == kind::none)
      break;
    auto& x = *next.entry;
    if (x.due > now) // it was postponed
      wait_until(x, x.due);
    else if (next.kind == kind::acknowledge)
      acknowledge(x);
    else if (next.kind == kind::dispatch)
      send_to_targets(x, out, now);
    else if (dispatcher_.begin_marking(x))
      ask_for_mark(x);
  }
  if (const auto* x = dispatcher_.next_isolated())
    ask_for_mark(*x);
}

void delivery_ledger::send_to_targets(entry& x, std::vector<dispatch>& out,
                                      time_point now) {
  const bool alone = x.comes_alone();
  begin_round(x);
  const auto what = entries_.ticket_of(x);
  for (auto* w : dispatcher_.targets()) {
    if (broadcasts())
      x.broadcast->copies.add(w->id);
    x.holder = w->id;
    const auto batch = workers_.assign(*w, what, x.stream, x.id, alone, now);
    out.push_back({what, w->id, x.content(), batch});
  }
}

void delivery_ledger::begin_round(entry& x) {
  ++x.round;
  if (broadcasts()) {
    x.broadcast->copies.begin();
    x.broadcast->is_blamed = false;
  }
  entries_.move_to(x, entry_state::dispatched);
  const bool waited = std::exchange(x.due, {}) != time_point{};
  const bool again = std::exchange(x.was_dispatched, true);
  if (again) {
    ++x.counts.deliveries;
    ++counters_.redelivered;
  }
  // The mark of a candidate has stored the counts.
  if ((again || waited) && !x.crash_candidate)
    store_counts(x);
}

// The mark counts a crash in advance, because the node may die during this
// dispatch.
void delivery_ledger::ask_for_mark(const entry& x) {
  auto counts = x.counts;
  ++counts.crashes;
  counts.deliveries += x.was_dispatched ? 1 : 0;
  add_action(action_kind::mark, x);
  actions_.back().counts = counts;
}

// -- contents -----------------------------------------------------------------

std::vector<delivery_ledger::wanted_content>
delivery_ledger::take_wanted(size_t most) {
  std::vector<wanted_content> result;
  while (result.size() < most) {
    auto* x = dispatcher_.next_wanted();
    if (x == nullptr)
      break;
    entries_.set_content_state(*x, content_state::fetching);
    result.push_back({entries_.ticket_of(*x), x->stream, x->id});
  }
  return result;
}

void delivery_ledger::found_content(const ticket& which, event content) {
  if (auto* x = being_fetched(which))
    dispatcher_.unpark(*x, std::move(content));
}

bool delivery_ledger::lost_content(const ticket& which) {
  auto* x = being_fetched(which);
  if (x == nullptr)
    return false;
  acknowledge(*x);
  return true;
}

void delivery_ledger::want_again(const ticket& which) {
  if (auto* x = being_fetched(which)) {
    entries_.park(*x);
    dispatcher_.want(*x);
  }
}

// The event may have been decided meanwhile, or parked again.
delivery_ledger::entry* delivery_ledger::being_fetched(const ticket& which) {
  auto* x = entries_.resolve(which);
  return x != nullptr && x->where == content_state::fetching && x->is_idle()
           ? x
           : nullptr;
}

// -- outcomes -----------------------------------------------------------------

void delivery_ledger::done(const ticket& which, worker_id by, time_point now) {
  const auto answer = workers_.answered(by, which, now);
  if (answer.was_stuck)
    dispatcher_.reassign();
  auto* x = entries_.resolve(which);
  if (x == nullptr && answer.late) // it may have come again meanwhile
    x = entries_.find(answer.late->stream, answer.late->id);
  if (answer.late && (x == nullptr || x->delays)) // it waits in Redis
    acknowledge(*answer.late);
  if (x == nullptr || x->state == entry_state::settling)
    return;
  if (broadcasts() && by != 0)
    return finish_copy(*x, by, broadcast_copies::copy::succeeded, now);
  // An earlier delivery was answered, so the answer of this one will not find
  // the event.
  if (by == 0 && x->state == entry_state::dispatched)
    workers_.expect_no_answer(x->holder, which, now);
  acknowledge(*x);
}

void delivery_ledger::failed(const ticket& which, worker_id by,
                             const std::string& reason,
                             std::optional<milliseconds> delay, time_point now,
                             blame whose) {
  if (workers_.answered(by, which, now).was_stuck)
    dispatcher_.reassign();
  // A failure that comes too late changes nothing, because the event was taken
  // back from the worker before.
  auto* x = entries_.resolve(which, entry_state::dispatched);
  if (x == nullptr)
    return;
  ++counters_.nacks;
  fail_delivery(*x, by, reason, delay, now, whose);
}

void delivery_ledger::rejected(const ticket& which, worker_id by,
                               const std::string& reason, time_point now) {
  if (workers_.answered(by, which, now).was_stuck)
    dispatcher_.reassign();
  auto* x = entries_.resolve(which);
  if (x != nullptr && x->state != entry_state::settling)
    make_dead_letter(*x, reason);
}

void delivery_ledger::acknowledge(const worker_table::held& x) {
  workers_.forget_overdue(x.stream, x.id);
  // This ack explains that the event is not pending.
  if (auto* waiting = entries_.find(x.stream, x.id)) {
    waiting->only_here = false;
    waiting->acked_late = true;
  }
  actions_.push_back({action_kind::ack, {}, x.stream, x.id, {}, {}, {}});
}

void delivery_ledger::acknowledge(entry& x) {
  workers_.forget_overdue(x.stream, x.id);
  add_action(action_kind::ack, x);
  entries_.move_to(x, entry_state::settling);
  dispatcher_.end_turn(x);
}

void delivery_ledger::make_dead_letter(entry& x, std::string reason) {
  workers_.forget_overdue(x.stream, x.id);
  add_action(action_kind::dead_letter, x, std::move(reason));
  entries_.move_to(x, entry_state::settling);
  // If Redis refuses the dead letter, it waits without its content.
  entries_.park(x);
  dispatcher_.end_turn(x);
}

void delivery_ledger::retry(entry& x, const std::string& reason,
                            std::optional<milliseconds> delay, time_point now,
                            blame whose) {
  if (x.taken_over)
    return erase(x);
  auto& counts = x.counts;
  const auto failures = ++counts.failures;
  // The worker survived the event, so the event does not kill nodes.
  x.crash_candidate = false;
  x.marked = false;
  if (!settings_.redeliver)
    return make_dead_letter(x, reason);
  if (is_used_up(counts, settings_.max_deliveries)) {
    if (whose == blame::event)
      return make_dead_letter(x,
                              describe_used_up(counts, settings_.max_deliveries)
                                + "; the last failure: " + reason);
    --counts.failures;
  }
  const auto pause
    = delay ? *delay : redelivery_delay(settings_.backoff, failures, random_);
  if (pause <= milliseconds{0})
    return dispatcher_.enqueue(x, true);
  if (waits_in_redis()) {
    add_action(action_kind::delay, x);
    actions_.back().pause = pause;
    failures_.note(x.stream, x.id, x.holder);
    x.delays = true;
    return entries_.move_to(x, entry_state::settling);
  }
  wait_until(x, now + pause);
  // If this node dies meanwhile, the next one knows of the failure and of the
  // pause.
  store_counts(x);
}

void delivery_ledger::wait_until(entry& x, time_point due) {
  x.due = due;
  entries_.move_to(x, entry_state::waiting);
  dispatcher_.park(x);
  reserve_one_more(retries_);
  retries_.push_back({due, entries_.ticket_of(x).slot});
  std::push_heap(retries_.begin(), retries_.end());
}

void delivery_ledger::crashed(entry& x, const std::string& reason,
                              blame whose) {
  if (x.taken_over)
    return erase(x);
  auto& counts = x.counts;
  ++counts.crashes;
  ++counters_.crashes;
  x.crash_candidate = false;
  const bool is_last = (settings_.max_crashes > 0
                        && counts.crashes >= settings_.max_crashes)
                       || is_used_up(counts, settings_.max_deliveries);
  if (is_last && whose == blame::batch) {
    --counts.crashes;
    return requeue(x, reason);
  }
  if (settings_.max_crashes > 0 && counts.crashes >= settings_.max_crashes)
    make_dead_letter(x, "its worker died " + std::to_string(counts.crashes)
                          + " times; the last time: " + reason);
  else if (is_used_up(counts, settings_.max_deliveries))
    make_dead_letter(x, describe_used_up(counts, settings_.max_deliveries)
                          + "; the last time its worker died: " + reason);
  else
    requeue(x, reason);
}

void delivery_ledger::abandoned(entry& x, uint8_t most_quits, time_point now) {
  if (x.quits < most_quits) {
    ++x.quits;
    return requeue(x, worker_has_quit);
  }
  ++counters_.nacks;
  retry(x, worker_has_quit, {}, now, blame::event);
}

// The event gets another attempt at once, because it did not cause the failure.
void delivery_ledger::requeue(entry& x, const std::string& reason) {
  if (x.taken_over)
    return erase(x);
  x.marked = false; // a crash candidate needs a new mark
  if (settings_.redeliver)
    dispatcher_.enqueue(x, true);
  else
    make_dead_letter(x, reason);
}

// Broadcast: one copy has ended. The event is decided when the last copy ends.
void delivery_ledger::finish_copy(entry& x, worker_id by,
                                  broadcast_copies::copy how, time_point now) {
  auto& progress = *x.broadcast;
  // A worker that was removed meanwhile does not count as one that succeeded.
  if (how == broadcast_copies::copy::succeeded
      && workers_.find(by) == nullptr) {
    how = broadcast_copies::copy::died;
    progress.is_blamed = true;
  }
  const auto of_all = progress.is_blamed ? blame::event : blame::batch;
  switch (progress.copies.finish(by, how)) {
    case broadcast_copies::outcome::open:
      return;
    case broadcast_copies::outcome::retry:
      if (x.state == entry_state::dispatched)
        retry(x, progress.reason, progress.delay, now, of_all);
      return;
    case broadcast_copies::outcome::succeeded:
      return acknowledge(x);
    case broadcast_copies::outcome::crashed:
      return crashed(x, progress.reason, of_all);
    case broadcast_copies::outcome::abandoned:
      return abandoned(x, quits_at_first_event, now);
  }
}

void delivery_ledger::note_reason(entry& x, const std::string& reason,
                                  blame whose) {
  x.broadcast->reason = reason;
  x.broadcast->is_blamed |= whose == blame::event;
}

void delivery_ledger::take_back(const worker_table::taken_back& what,
                                worker_id from, time_point now) {
  counters_.timeouts += what.late.size();
  const auto& behind = what.behind;
  for (auto i = behind.rbegin(); i != behind.rend(); ++i) {
    auto* x = still_dispatched(*i);
    if (x == nullptr)
      continue;
    const std::string reason = "its worker is stuck at another event";
    if (broadcasts())
      fail_delivery(*x, from, reason, {}, now, blame::event);
    else
      requeue(*x, reason);
  }
  if (what.stuck)
    dispatcher_.reassign();
  const auto reason = "no answer within ack_wait ("
                      + std::to_string(settings_.ack_wait.count()) + " ms)";
  const auto whose = what.late.size() > 1 ? blame::batch : blame::event;
  for (auto i = what.late.rbegin(); i != what.late.rend(); ++i)
    if (auto* x = still_dispatched(*i))
      fail_delivery(*x, from, reason, {}, now, whose);
}

void delivery_ledger::fail_delivery(entry& x, worker_id by,
                                    const std::string& reason,
                                    std::optional<milliseconds> delay,
                                    time_point now, blame whose) {
  if (!broadcasts() || by == 0)
    return retry(x, reason, delay, now, whose);
  note_reason(x, reason, whose);
  x.broadcast->delay = delay;
  finish_copy(x, by, broadcast_copies::copy::failed, now);
}

// Another worker may have answered the event before this one was late.
delivery_ledger::entry*
delivery_ledger::still_dispatched(const worker_table::held& x) {
  const auto* known = entries_.find(x.stream, x.id);
  if (known == nullptr
      || (known->state == entry_state::settling && !known->delays))
    workers_.forget_overdue(x.stream, x.id);
  return entries_.resolve(x.what, entry_state::dispatched);
}

void delivery_ledger::erase(entry& x) {
  dispatcher_.end_turn(x);
  entries_.erase(x);
}

void delivery_ledger::add_action(action_kind kind, const entry& x,
                                 std::string reason) {
  actions_.push_back({kind,
                      entries_.ticket_of(x),
                      x.stream,
                      x.id,
                      x.counts,
                      std::move(reason),
                      {}});
}

// -- facts --------------------------------------------------------------------

std::optional<delivery_ledger::found> delivery_ledger::find(uint32_t stream,
                                                            event_id id) const {
  const auto* x = entries_.find(stream, id);
  if (x == nullptr || x->state == entry_state::settling) {
    const auto late = workers_.find_overdue(stream, id);
    if (!late || (x != nullptr && !x->delays))
      return std::nullopt;
    return found{late->what, late->by, 0, true};
  }
  return found{entries_.ticket_of(*x),
               x->state == entry_state::dispatched ? x->holder : 0,
               x->counts.deliveries, false};
}

bool delivery_ledger::is_acknowledged(uint32_t stream, event_id id) const {
  const auto* x = entries_.find(stream, id);
  return x == nullptr || x->acked_late
         || (x->state == entry_state::settling && !x->delays);
}

void delivery_ledger::take_actions(std::vector<action>& into) {
  into.swap(actions_);
}

size_t delivery_ledger::undecided(uint32_t stream) const {
  return static_cast<size_t>(
    std::count_if(entries_.begin(), entries_.end(), [&](const entry& x) {
      return x.stream == stream && is_undecided(x) && !x.taken_over;
    }));
}

bool delivery_ledger::busy(uint32_t stream) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const entry& x) {
    return x.state == entry_state::dispatched && x.stream == stream;
  });
}

} // namespace pulse
