#include "pulse/core/delivery/dispatcher.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace pulse {

namespace {

// Each stream has an order of its own, so the same topic of two streams is two
// keys.
uint64_t key_of(uint32_t stream, std::string_view topic) {
  return std::hash<std::string_view>{}(topic)
         ^ (uint64_t{stream} + 1) * 0x9E3779B97F4A7C15ull;
}

// The contents of so many events of a key are read ahead, so that parked events
// do not go to work more slowly than others.
constexpr size_t read_ahead = 16;

} // namespace

// -- what is queued -----------------------------------------------------------

void dispatcher::add(ledger_entry& x, bool in_front) {
  if (mode_ != dispatch_mode::keyed)
    return enqueue(x, in_front);
  // Events without a topic have no order to keep, so each has a key of its own.
  const auto topic = x.topic();
  x.key = topic.empty() ? x.serial : key_of(x.stream, topic);
  x.has_turn = keys_.enter(x.key, entries_.ticket_of(x));
  if (x.has_turn)
    return enqueue(x, false);
  entries_.move_to(x, entry_state::queued);
  if (keys_.parks(x.key))
    entries_.park(x);
}

void dispatcher::enqueue(ledger_entry& x, bool in_front) {
  if (!x.has_content()) {
    entries_.move_to(x, entry_state::fetching);
    want(x);
    return want_next_of(x.key);
  }
  entries_.move_to(x, entry_state::queued);
  auto* queue = &ready_;
  if (mode_ == dispatch_mode::keyed)
    if (auto* w = workers_.owner_of(x.key))
      queue = &w->assigned;
  if (in_front)
    queue->push_front(entries_.ticket_of(x));
  else
    queue->push_back(entries_.ticket_of(x));
}

void dispatcher::end_turn(ledger_entry& x) {
  if (!std::exchange(x.has_turn, false))
    return;
  while (const auto which = keys_.next(x.key))
    if (auto* next = entries_.resolve(*which, entry_state::queued)) {
      next->has_turn = true;
      if (keys_.parks(x.key))
        want_next_of(x.key);
      return enqueue(*next, false);
    }
}

// -- contents -----------------------------------------------------------------

void dispatcher::park(ledger_entry& x) {
  entries_.park(x);
  if (!x.has_turn)
    return;
  keys_.set_parks(x.key, true);
  keys_.for_each_waiting(x.key, SIZE_MAX, [this](const auto& which) {
    if (auto* y = entries_.resolve(which, entry_state::queued))
      entries_.park(*y);
  });
}

void dispatcher::unpark(ledger_entry& x, event content) {
  entries_.unpark(x, std::move(content));
  if (x.state == entry_state::fetching)
    enqueue(x, false);
}

void dispatcher::want(ledger_entry& x) {
  if (x.where != content_state::parked && x.where != content_state::wanted)
    return;
  entries_.set_content_state(x, content_state::wanted);
  auto& queue = x.state == entry_state::fetching ? wanted_ : wanted_soon_;
  queue.push_back(entries_.ticket_of(x));
}

// When the contents of the whole queue of a key are here or wanted, new events
// of the key keep theirs.
void dispatcher::want_next_of(uint64_t key) {
  if (mode_ != dispatch_mode::keyed)
    return;
  keys_.for_each_waiting(key, read_ahead, [this](const auto& which) {
    auto* x = entries_.resolve(which, entry_state::queued);
    if (x != nullptr && x->where == content_state::parked)
      want(*x);
  });
  if (keys_.count_waiting(key) <= read_ahead)
    keys_.set_parks(key, false);
}

ledger_entry* dispatcher::next_wanted() {
  auto* x = first_wanted(wanted_);
  return x != nullptr ? x : first_wanted(wanted_soon_);
}

ledger_entry* dispatcher::first_wanted(std::deque<delivery_ticket>& queue) {
  for (; !queue.empty(); queue.pop_front()) {
    auto* x = entries_.resolve(queue.front());
    if (x != nullptr && x->where == content_state::wanted && x->is_idle())
      return x;
  }
  return nullptr;
}

// -- workers ------------------------------------------------------------------

void dispatcher::reassign() {
  if (mode_ != dispatch_mode::keyed)
    return;
  auto all = std::exchange(ready_, {});
  for (auto& w : workers_) {
    all.insert(all.end(), w.assigned.begin(), w.assigned.end());
    w.assigned.clear();
  }
  while (auto* x = first_of(all)) {
    all.pop_front();
    enqueue(*x, false);
  }
}

void dispatcher::unassign(const std::deque<delivery_ticket>& assigned) {
  ready_.insert(ready_.end(), assigned.begin(), assigned.end());
}

void dispatcher::resume(uint32_t stream) {
  const auto i = held_.find(stream);
  if (i == held_.end())
    return;
  const auto aside = std::move(i->second);
  held_.erase(i);
  for (auto which = aside.rbegin(); which != aside.rend(); ++which)
    if (auto* x = entries_.resolve(*which, entry_state::queued))
      enqueue(*x, true);
}

// -- what goes to work --------------------------------------------------------

dispatcher::step dispatcher::next() {
  if (mode_ != dispatch_mode::keyed)
    return next_of(ready_, nullptr);
  for (auto& w : workers_)
    if (w.ready() && !w.assigned.empty())
      if (auto result = next_of(w.assigned, &w); result.entry != nullptr)
        return result;
  return {};
}

bool dispatcher::begin_marking(ledger_entry& x) {
  entries_.move_to(x, entry_state::marking);
  return !isolation_.applies_to(x.counts)
         || isolation_.enter(entries_.ticket_of(x));
}

// A candidate that is settling keeps its turn: Redis still has its mark, and
// would blame it if the next candidate killed the node.
ledger_entry* dispatcher::next_isolated() {
  const auto* current = entries_.resolve(isolation_.current());
  if (current != nullptr && current->crash_candidate)
    return nullptr;
  const auto next = isolation_.advance([this](const delivery_ticket& x) {
    return entries_.resolve(x, entry_state::marking) != nullptr;
  });
  return next ? entries_.resolve(*next) : nullptr;
}

// -- private ------------------------------------------------------------------

// Returns the first entry that waits for its dispatch. Removes the tickets of
// entries that were settled or dropped meanwhile, and of those that are held.
ledger_entry* dispatcher::first_of(std::deque<delivery_ticket>& queue) {
  for (; !queue.empty(); queue.pop_front()) {
    auto* x = entries_.resolve(queue.front(), entry_state::queued);
    if (x == nullptr)
      continue;
    const auto held = held_.find(x->stream);
    if (held == held_.end())
      return x;
    held->second.push_back(queue.front());
  }
  return nullptr;
}

// The events of a queue are dispatched in order. If the first one cannot be
// dispatched now, none can.
dispatcher::step dispatcher::next_of(std::deque<delivery_ticket>& queue,
                                     worker_table::worker* owner) {
  auto* x = first_of(queue);
  if (x == nullptr)
    return {};
  const worker_table::candidate what{x->holder, x->comes_alone(), queue.size()};
  choose_targets(*x, what, owner);
  auto kind = x->needs_mark() ? step_kind::mark : step_kind::dispatch;
  if (targets_.empty()) {
    if (x->broadcast == nullptr || !x->broadcast->copies.any_failed()
        || !x->broadcast->copies.any_succeeded())
      return {};
    kind = step_kind::acknowledge;
  } else if (!all_take(what) || !may_mark(*x)) {
    return {};
  }
  queue.pop_front();
  return {kind, x};
}

void dispatcher::choose_targets(const ledger_entry& x,
                                const worker_table::candidate& what,
                                worker_table::worker* owner) {
  targets_.clear();
  if (mode_ == dispatch_mode::broadcast)
    return choose_broadcast_targets(x.broadcast->copies);
  // In balanced mode, the worker that failed at the event gets it again only if
  // no other worker is ready.
  if (auto* w = owner != nullptr ? owner : workers_.least_loaded(what))
    targets_.push_back(w);
}

// In broadcast mode no worker waits until others can get large batches.
bool dispatcher::all_take(const worker_table::candidate& x) const noexcept {
  return std::all_of(targets_.begin(), targets_.end(), [&](const auto* w) {
    return mode_ == dispatch_mode::broadcast ? w->ready()
                                             : workers_.takes(*w, x);
  });
}

// The first dispatch goes to all workers, the next ones to those that failed.
// If these have left and no worker has succeeded, the event goes to all workers
// again.
void dispatcher::choose_broadcast_targets(const broadcast_copies& copies) {
  for (auto& w : workers_)
    if (!w.leaving && (!copies.any_failed() || copies.failed_at(w.id)))
      targets_.push_back(&w);
  if (!targets_.empty() || !copies.any_failed() || copies.any_succeeded())
    return;
  for (auto& w : workers_)
    if (!w.leaving)
      targets_.push_back(&w);
}

// A mark says that a worker has the event. So no more events are marked than
// workers can take at once.
bool dispatcher::may_mark(const ledger_entry& x) const noexcept {
  if (!x.needs_mark() || isolation_.applies_to(x.counts))
    return true;
  const auto marking = entries_.count(entry_state::marking);
  return marking - std::min(marking, isolation_.waiting())
         < workers_.free_slots();
}

} // namespace pulse
