#include "pulse/core/delivery/ledger.hpp"

#include <algorithm>

// Who gets what.

namespace pulse {

namespace {

// Rendezvous hashing: each worker draws a number for the lane, the highest
// wins. A worker that comes or goes moves only the lanes it wins or held.
uint64_t draw(uint64_t lane, uint64_t worker) noexcept {
  auto x = lane ^ (worker * 0x9E3779B97F4A7C15ull);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

} // namespace

void delivery_ledger::dispatch_to(std::vector<dispatch>& out, time_point now) {
  switch (settings_.dispatch) {
    case dispatch_mode::balanced:
      dispatch_balanced(out, now);
      break;
    case dispatch_mode::broadcast:
      dispatch_broadcast(out, now);
      break;
    case dispatch_mode::keyed:
      dispatch_keyed(out, now);
  }
  next_lone();
}

// The first entry of the queue that is really to be dispatched; tickets of
// entries that were settled or dropped meanwhile are thrown away here.
delivery_ledger::entry* delivery_ledger::next_of(std::deque<ticket>& queue) {
  while (!queue.empty()) {
    auto* x = resolve(queue.front());
    if (x != nullptr && x->at == state::queued
        && x->round == queue.front().round)
      return x;
    queue.pop_front();
  }
  return nullptr;
}

void delivery_ledger::dispatch_balanced(std::vector<dispatch>& out,
                                        time_point now) {
  while (auto* x = next_of(ready_)) {
    auto* w = pick_balanced(x->holder);
    if (w == nullptr || !may_mark(*x))
      return;
    ready_.pop_front();
    if (must_wait(*x)) {
      hold_back(*x);
      continue;
    }
    begin_round(*x);
    hand_over(*x, *w, out, now);
  }
}

// Whoever holds the least, beginning after the one chosen last; `avoid` (who
// failed at it) only if there is nobody else.
delivery_ledger::worker* delivery_ledger::pick_balanced(worker_id avoid) {
  worker* best = nullptr;
  auto rank = [avoid](const worker& w) {
    return std::make_pair(w.id == avoid, w.load());
  };
  for (size_t i = 0; i < workers_.size(); ++i) {
    auto& w = workers_[(next_worker_ + i) % workers_.size()];
    if (w.ready() && (best == nullptr || rank(w) < rank(*best)))
      best = &w;
    if (best != nullptr && rank(*best) == std::make_pair(false, size_t{0}))
      break;
  }
  if (best != nullptr)
    next_worker_ = static_cast<size_t>(best - workers_.data()) + 1;
  return best;
}

void delivery_ledger::dispatch_keyed(std::vector<dispatch>& out,
                                     time_point now) {
  for (auto& w : workers_) {
    while (w.ready()) {
      auto* x = next_of(w.lane_queue);
      if (x == nullptr || !may_mark(*x))
        break;
      w.lane_queue.pop_front();
      if (must_wait(*x)) {
        hold_back(*x);
        continue;
      }
      begin_round(*x);
      hand_over(*x, w, out, now);
    }
  }
}

delivery_ledger::worker* delivery_ledger::pick_keyed(uint64_t lane) {
  worker* best = nullptr;
  for (auto& w : workers_)
    if (!w.leaving && !w.stuck
        && (best == nullptr || draw(lane, w.id) > draw(lane, best->id)))
      best = &w;
  return best;
}

// Workers changed: everything that no worker has yet is assigned anew.
void delivery_ledger::reassign_lanes() {
  if (settings_.dispatch != dispatch_mode::keyed)
    return;
  auto all = std::exchange(ready_, {});
  for (auto& w : workers_) {
    all.insert(all.end(), w.lane_queue.begin(), w.lane_queue.end());
    w.lane_queue.clear();
  }
  while (auto* x = next_of(all)) {
    all.pop_front();
    enqueue(*x, false);
  }
}

void delivery_ledger::dispatch_broadcast(std::vector<dispatch>& out,
                                         time_point now) {
  while (auto* x = next_of(ready_)) {
    auto targets = broadcast_targets(*x);
    if (targets.empty()) {
      // Either there is nobody, or those who failed at it are gone and all
      // others have it.
      if (x->failed_for.empty() || !x->succeeded)
        return;
      ready_.pop_front();
      acknowledge(*x);
      continue;
    }
    if (!std::all_of(targets.begin(), targets.end(),
                     [](const worker* w) { return w->ready(); })
        || !may_mark(*x))
      return;
    ready_.pop_front();
    if (must_wait(*x)) {
      hold_back(*x);
      continue;
    }
    begin_round(*x);
    for (auto* w : targets) {
      x->holders.push_back(w->id);
      hand_over(*x, *w, out, now);
    }
  }
}

std::vector<delivery_ledger::worker*>
delivery_ledger::broadcast_targets(const entry& x) {
  std::vector<worker*> everybody;
  std::vector<worker*> again;
  for (auto& w : workers_) {
    if (w.leaving)
      continue;
    everybody.push_back(&w);
    if (std::count(x.failed_for.begin(), x.failed_for.end(), w.id) > 0)
      again.push_back(&w);
  }
  const bool first = x.failed_for.empty();
  return first || (again.empty() && !x.succeeded) ? everybody : again;
}

void delivery_ledger::begin_round(entry& x) {
  ++x.round;
  x.holders.clear();
  x.failed_for.clear();
  if (!std::exchange(x.was_dispatched, true))
    return move_to(x, state::dispatched);
  auto counts = x.content.counts();
  ++counts.deliveries;
  ++counters_.redelivered;
  x.content = x.content.with(counts);
  move_to(x, state::dispatched);
  if (!x.suspect) // else the mark said it
    decide(x, action_kind::store_counts);
}

void delivery_ledger::hand_over(entry& x, worker& to,
                                std::vector<dispatch>& out, time_point now) {
  x.holder = to.id;
  to.holds.push_back({ticket_of(x), now});
  out.push_back({ticket_of(x), to.id, x.content});
}

} // namespace pulse
